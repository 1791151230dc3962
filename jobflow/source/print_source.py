"""Prints a program as Python, formatted as formatters leave it. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from jobflow.source.script import Assign, Call, Name, Order, Pairs, SourceScript, Statement, Value, WithBlock

_WIDTH: Final = 100
_INDENT: Final = "    "


def print_source(program: SourceScript, package: str) -> str:
    """A module that makes the objects and, run as a script, prints them as YAML. `package`: to import from."""
    body = [line for statement in program.statements for line in _statement(statement)]
    only = program.objects[0] if len(program.objects) == 1 else ""
    flows = {each.variable for each in program.statements if isinstance(each, WithBlock)}
    shown = f"{only}.to_yaml()" if only in flows else f"to_yaml({', '.join(program.objects)})"
    names = {each for statement in program.statements for each in _functions(statement)}
    used = sorted(names if only in flows else {*names, "to_yaml"}, key=lambda name: (name.islower(), name))
    imported = f"from {package} import {', '.join(used)}"
    if len(imported) > _WIDTH:
        imported = f"from {package} import (\n" + "".join(f"{_INDENT}{name},\n" for name in used) + ")"
    lines = [
        imported,
        *([] if body[:1] == [""] else [""]),
        *body,
        "",
        'if __name__ == "__main__":',
        f'{_INDENT}print({shown}, end="")',
    ]
    return "\n".join(lines) + "\n"


def _statement(statement: Statement) -> Iterator[str]:
    if isinstance(statement, WithBlock):
        yield from ("", f"with {_render(statement.call, 5)} as {statement.variable}:")
        body = [line for each in statement.body for line in _statement(each)] or ["pass"]
        yield from (_indented(line) for line in body)
    elif isinstance(statement, Order):
        sources = ", ".join(name.text for name in statement.sources)
        left = sources if len(statement.sources) == 1 else f"[{sources}]"
        yield f"{left} >> {statement.target.text}"
    elif isinstance(statement, Assign):
        yield from _assignment(statement.variable, statement.call)
    else:
        yield _render(statement, 0)


def _assignment(variable: str, call: Call) -> Iterator[str]:
    """Methods on lines of their own where all would be too long for one."""
    column = len(variable) + 3
    if column + len(_flat(call)) <= _WIDTH - len(_INDENT) or not call.methods or call.methods[-1].function == "job":
        yield f"{variable} = {_render(call, column)}"
        return
    yield f"{variable} = {_render(Call(call.function, call.arguments, call.options), column)}"
    for method in call.methods:
        yield _render(Call(f"{variable}.{method.function}", method.arguments, method.options), 0)


def _indented(text: str) -> str:
    """Lines of texts keep their place: only the first line of a literal of several lines is moved."""
    return "\n".join(f"{_INDENT}{line}" if line else line for line in text.split("\n"))


def _render(value: Value, column: int) -> str:
    """On one line if it fits behind `column`, else an element a line."""
    flat = _flat(value)
    if column + len(flat) <= _WIDTH - len(_INDENT) or not _parts(value):
        return flat
    opening, closing, parts = _open(value)
    inner = "".join(f"{_indented(_part(part))},\n" for part in parts)
    return f"{opening}\n{inner}{closing}"


def _part(part: tuple[str, Value]) -> str:
    prefix, value = part
    return f"{prefix}{_render(value, len(prefix) + 2 * len(_INDENT))}"


def _parts(value: Value) -> bool:
    if isinstance(value, Call):
        return bool(value.arguments or value.options or value.methods)
    if isinstance(value, Pairs):
        return bool(value.entries)
    return isinstance(value, list | tuple | dict) and bool(value)


def _open(value: Value) -> tuple[str, str, list[tuple[str, Value]]]:
    if isinstance(value, Call):
        parts = [*(("", each) for each in value.arguments), *((f"{key}=", each) for key, each in value.options.items())]
        chain = "".join(f".{_flat(each)}" for each in value.methods)
        return f"{value.function}(", f"){chain}", parts
    if isinstance(value, Pairs):
        return "{", "}", [(f"{_flat(key)}: ", each) for key, each in value.entries]
    if isinstance(value, dict):
        return "{", "}", [(f"{_text(key)}: ", each) for key, each in value.items()]
    assert isinstance(value, list | tuple), value
    brackets = ("[", "]") if isinstance(value, list) else ("(", ")")
    return *brackets, [("", each) for each in value]


def _flat(value: Value) -> str:
    if isinstance(value, Name):
        return value.text
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, Call | Pairs | list | tuple | dict):
        return repr(value)
    opening, closing, parts = _open(value)
    comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
    return f"{opening}{', '.join(f'{prefix}{_flat(each)}' for prefix, each in parts)}{comma}{closing}"


def _text(text: str) -> str:
    """With double quotes where that needs no escapes."""
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in text else plain


def _functions(value: Statement | Value) -> Iterator[str]:
    """Names to import."""
    if isinstance(value, WithBlock):
        yield from _functions(value.call)
        yield from _each(value.body)
    elif isinstance(value, Assign):
        yield from _functions(value.call)
    elif isinstance(value, Call):
        if value.function[:1].isupper():
            yield value.function
        yield from _each([*value.arguments, *value.options.values()])
        for method in value.methods:
            yield from _each([*method.arguments, *method.options.values()])
    elif isinstance(value, Pairs):
        yield from _each([each for _, each in value.entries])
    elif isinstance(value, list | tuple):
        yield from _each(value)


def _each(values: Iterable[Statement | Value]) -> Iterator[str]:
    for each in values:
        yield from _functions(each)
