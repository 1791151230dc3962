"""JSONPath as printer columns use it: fields, quoted fields, indexes, wildcards, recursive descent and filters."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(
    r"""\.\.(?P<deep>[\w\-]+|\*)
      | \.(?P<field>(?:\\.|[^.\[\]\\])+)
      | \[\?\(@\.?(?P<path>[^=!<>\)\s]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>"[^"]*"|'[^']*'|[^)\s]*)\s*)?\)\]
      | \[['"](?P<quoted>[^'"]*)['"]\]
      | \[(?P<index>-?\d+)\]
      | \[(?P<star>\*)\]""",
    re.VERBOSE,
)
_COMPARE = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
Step = dict[str, str | None]


@lru_cache(maxsize=1024)
def steps(path: str) -> tuple[Step, ...]:
    """The parts of the path. Raises ValueError for an invalid path."""
    found, at = [], 0
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"invalid JSONPath {path!r} at {text[at:]!r}")
        found.append(match.groupdict())
        at = match.end()
    return tuple(found)


def find(obj: Any, path: str) -> list[Any]:
    """All values at the path, in order."""
    values = [obj]
    for step in steps(path):
        values = [inner for value in values for inner in _step(value, step)]
    return values


def _step(value: Any, step: Step) -> Iterator[Any]:
    name = step["field"] if step["field"] is not None else step["quoted"]
    if step["deep"] is not None:
        yield from _deep(value, step["deep"])
    elif name is not None and step["field"] != "*":
        name = name.replace("\\.", ".") if step["field"] is not None else name
        if isinstance(value, dict) and name in value:
            yield value[name]
    elif step["star"] is not None or step["field"] == "*":
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif step["index"] is not None:
        number = int(step["index"])
        if isinstance(value, list) and -len(value) <= number < len(value):
            yield value[number]
    elif isinstance(value, list):
        yield from (item for item in value if _fits(item, step))


def _deep(value: Any, name: str) -> Iterator[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and name in value:
        yield value[name]
    for item in inner:
        yield from _deep(item, name)


def _fits(item: Any, step: Step) -> bool:
    found = find(item, f".{step['path']}" if step["path"] else "")
    if step["op"] is None:
        return bool(found)
    text = step["value"] or ""
    wanted: Any = text[1:-1] if text[:1] in "'\"" else {"true": True, "false": False}.get(text, text)
    if isinstance(wanted, str) and text[:1] not in "'\"" and re.fullmatch(r"-?\d+(\.\d+)?", text):
        wanted = float(text)
    return any(type(value) in (type(wanted), int, float) and _COMPARE[step["op"]](value, wanted) for value in found)
