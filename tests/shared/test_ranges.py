import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import ranges

TEXTS = {
    "nothing": ("", set()),
    "one index": ("7", {7}),
    "ranges and single indexes": ("0-2,7,9-10", {0, 1, 2, 7, 9, 10}),
    "ranges that overlap and are out of order": ("5-7,1-2,6-8,2-3", {1, 2, 3, 5, 6, 7, 8}),
    "a range without its end": ("4-", {4}),
    "a range that runs backwards": ("9-3", set()),
    "words, signs and spaces": ("seven,-3,+4, 5,6 ,1-2-3", set()),
    "digits of other scripts": ("²,٣", set()),
    "more digits than int() reads": ("9" * 5000 + ",1", {1}),
    "a first index above the cap": ("200000,3", {3}),
}


@pytest.mark.parametrize(("text", "want"), TEXTS.values(), ids=TEXTS.keys())
def test_a_text_is_parsed(text: str, want: set[int]) -> None:
    assert ranges.parse(text) == want
    assert ranges.count(text) == len(want)


@given(st.frozensets(st.integers(0, 300)))
def test_a_set_survives_writing_and_reading(indexes: frozenset[int]) -> None:
    text = ranges.dump(indexes)
    assert ranges.parse(text) == indexes
    assert ranges.count(text) == len(indexes)
    assert ranges.dump(ranges.parse(text)) == text


@given(st.text(alphabet="0123456789-, x", max_size=40))
def test_any_text_is_parsed_into_indexes_below_the_cap(text: str) -> None:
    indexes = ranges.parse(text)
    assert all(0 <= index <= ranges.MAX_INDEX for index in indexes)
    assert ranges.count(text) == len(indexes)


def test_a_set_is_written_as_the_shortest_text() -> None:
    assert ranges.dump([10, 0, 1, 2, 7, 9, 2]) == "0-2,7,9-10"


@pytest.mark.parametrize("text", ["0-20000000", ",".join(["0-999999999999"] * 10_000)], ids=["one", "many"])
def test_huge_ranges_are_cut_at_the_cap_and_take_little_memory(text: str) -> None:
    tracemalloc.start()
    try:
        indexes = ranges.parse(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert max(indexes) == ranges.MAX_INDEX
    assert peak < 64 << 20
