"""Good reviews made bad: at a place of the object (schema-aware), or in the bytes that are sent."""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import strategies as st

from shared.model.types import Body
from tests.chaos.fuzz.corpus import objects, review
from webhook.server.routes import WebhookRoute

Place = tuple[Any, Any]  # (container, key)
STRINGS: Final = (
    "",
    " ",
    "a" * 64,
    "a" * 5000,
    "-",
    "a.b/c",
    "../../etc",
    "$(params.p)",
    "$(params.nope)",
    "$(" * 500,
    "$$(x)",
    "\x00",
    "\u202e\u0301",
    "😀" * 300,
    "\ud800",
    "NaN",
    "1e400",
    "999999999999999999999999Ei",
    "-1",
    "1h" * 400,
    "99999999999999999999h",
    "steps.a.outputs.n",
    "steps[",
    "[1,2].map(x, [1,2].map(y, x*y))",
    '"a".replace("a", "' + "b" * 2000 + '")',
    "(" * 1500 + "1" + ")" * 1500,
    "!" * 4000 + "true",
    "1" + "+1" * 1900,
    "size(steps) > 0",
    "object.spec.nope.nope",
    "/" * 3000,
    "*a" * 200 + "b",
    "~0~1~2",
)
SCALARS: Final = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**63,
    2**64,
    10**400,
    -(10**30),
    1.5,
    1e308,
    float("inf"),
    float("nan"),
)


def _nested(depth: int) -> Any:
    made: Any = {}
    for number in range(depth):
        made = [made] if number % 2 else {"a": made}
    return made


HOSTILE: Final = st.one_of(
    st.sampled_from(STRINGS),
    st.sampled_from(SCALARS),
    st.text(max_size=40),
    st.integers(),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just({"": None}),
    st.lists(st.sampled_from(("a", "b", "", "a")), max_size=5),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    st.integers(10, 250).map(_nested),  # deeper ones are bombs: here they would exhaust ourselves
    st.integers(10, 500).map(lambda count: [{"name": f"n{number}"} for number in range(count)]),
)
OPERATIONS: Final = ("CREATE", "CREATE", "CREATE", "UPDATE", "DELETE")


def _places(value: Any, depth: int = 0) -> Iterator[Place]:
    if depth > 30:
        return
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield value, key
        yield from _places(each, depth + 1)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[WebhookRoute, bytes]:
    """A review whose object was changed in one to six places."""
    route, good = draw(st.sampled_from(objects()))
    body = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 6))):
        places = list(_places(body))
        if not places:
            break
        _change(draw, places)
    operation = draw(st.sampled_from(OPERATIONS))
    old = draw(st.sampled_from((good, body))) if operation == "UPDATE" else None
    return route, encode(review(route, body, operation, old))


def _change(draw: st.DrawFn, places: list[Place]) -> None:
    holder, key = draw(st.sampled_from(places))
    how = draw(st.sampled_from(("set", "set", "set", "drop", "graft", "twice", "rename")))
    if how == "set":
        holder[key] = copy.deepcopy(draw(HOSTILE))  # st.just({}) is one dict for all examples
    elif how == "drop":
        del holder[key]
    elif how == "graft":
        other, there = draw(st.sampled_from(places))
        holder[key] = copy.deepcopy(other[there])
    elif isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    elif how == "rename":
        holder[draw(st.sampled_from(STRINGS))] = holder.pop(key)


@st.composite
def garbled(draw: st.DrawFn) -> tuple[WebhookRoute, bytes]:
    """A review whose bytes were changed in one to eight places."""
    route, good = draw(st.sampled_from(objects()))
    data = bytearray(encode(review(route, good)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        to = min(len(data), at + draw(st.integers(0, 200)))
        how = draw(st.sampled_from(("flip", "insert", "cut", "repeat", "end", "token")))
        _garble(draw, data, how, at, to)
    return route, bytes(data)


def _garble(draw: st.DrawFn, data: bytearray, how: str, at: int, to: int) -> None:
    if how == "flip" and data:
        data[at] ^= draw(st.integers(1, 255))
    elif how == "insert":
        data[at:at] = draw(st.binary(max_size=30))
    elif how == "cut":
        del data[at:to]
    elif how == "repeat":
        data[at:at] = bytes(data[at:to]) * draw(st.integers(1, 50))
    elif how == "end":
        del data[at:]
    elif how == "token":
        data[at:to] = draw(st.sampled_from(TOKENS))


TOKENS: Final = (
    b'"spec":null,"spec":{},',
    b"1e999",
    b"-" * 50,
    b"9" * 5000,
    b'"\\ud800"',
    b'"\\u0000"',
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"[" * 5000,
    b'{"a":' * 3000,
    b"NaN",
    b"/*x*/",
)


def encode(body: Body) -> bytes:
    """JSON as lenient writers make it: NaN, Infinity, lone surrogates and endless integers as they are."""
    return json.dumps(body, ensure_ascii=True).encode()
