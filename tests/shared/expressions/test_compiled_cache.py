"""The cache of compiled texts computes each result once and is bounded by length and number of the texts."""

from shared.expressions import compilation
from shared.expressions.compiled_cache import CompiledCache
from shared.expressions.scope import ScopeKind
from shared.names import MAX_EXPRESSION_BYTES


def counting(characters: int, entries: int) -> tuple[CompiledCache[str], list[str]]:
    made: list[str] = []

    def make(text: str, suffix: str = "") -> str:
        made.append(text + suffix)
        return text + suffix

    return CompiledCache(make, characters=characters, entries=entries), made


def test_each_text_and_use_is_computed_once() -> None:
    remembered, made = counting(100, 10)
    assert [remembered("a", "1"), remembered("a", "2"), remembered("a", "1")] == ["a1", "a2", "a1"]
    assert made == ["a1", "a2"]


def test_the_least_recently_used_entry_is_evicted() -> None:
    remembered, made = counting(100, 2)
    for text in ("a", "b", "a", "c", "a", "b"):
        remembered(text)
    assert made == ["a", "b", "c", "b"]
    assert len(remembered) == 2


def test_long_texts_reduce_the_number_of_entries() -> None:
    remembered, _ = counting(100, 1000)
    for number in range(500):
        remembered(f"{number:050d}")
    assert len(remembered) == 2


def test_a_text_above_the_total_size_evicts_nothing() -> None:
    remembered, made = counting(10, 10)
    for text in ("a", "b" * 11, "a", "b" * 11):
        assert remembered(text) == text
    assert made == ["a", "b" * 11, "b" * 11]


def test_texts_above_the_size_limit_are_not_cached() -> None:
    """Otherwise texts of 3 MB that differ in one letter would fill the webhook's memory."""
    before = len(compilation.COMPILED)
    for number in range(20):
        text = f"{number}" + "x" * MAX_EXPRESSION_BYTES
        faults = compilation.compile_expression(text, program_scope(), compilation.ResultType.BOOL)
        assert isinstance(faults, tuple)
        assert "bytes (at most" in faults[0].message
    assert len(compilation.COMPILED) == before


def program_scope() -> compilation.Scope:
    return compilation.Scope(next(iter(ScopeKind)))
