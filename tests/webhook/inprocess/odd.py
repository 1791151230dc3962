"""Changes of random objects toward values that are rare, and at the edge of what the schema allows or beyond it."""

import copy
import random
from collections.abc import Iterator
from typing import Any, Final

from shared.model.types import Body

ABSENT: Final = object()
TEXTS: Final = (
    *("", "UPPER", "Q1", "ünïcode", "İstanbul", "日本", "\u212aube", "ſsh", "e\u0301nv"),
    *(
        " q1",
        "q1 ",
        "q1\n",
        "a\nq1",
        "a\tb",
        "\r",
        "q?",
        "*",
        "re.search",
        "$(queue)",
        "$(",
        "$$(x)",
        '"q1"',
        "q'1",
        "a\\b",
    ),
    *("x" * 63, "x" * 300, "null", "true", "0", "1e3"),
)
IMAGES: Final = (
    *("", ":", "@", "/", ":1", "@sha256:", "busybox:", "busybox@", "a/b/c/d/e:1.5", "busybox\n", "evil.io/x\nbusybox"),
    *("docker.io/busybox:1", "DOCKER.IO/library/busybox", "registry-1.docker.io/busybox", "docker.io", "docker.io/"),
    *("registry.example.com:443/app:1.4", "registry.example.com:/app", "registry.example.com:x/app", "[::1]:5000/app"),
    *(
        "\u212aube.io/app",
        "registry.example.com/App",
        "registry.example.com/team/app:V1",
        "a__b/c",
        "a___b/c",
        "a--b/c",
    ),
    *("user/app:" + "t" * 128, "user/app:" + "t" * 129, "r" * 247, "r" * 248, "localhost:5000/app", "Localhost/app"),
    *(
        "busybox@sha512:" + "0f" * 64,
        "busybox:1.2@sha256:" + "AB" * 32,
        "busybox@md5:" + "0" * 31,
        "a@b@sha256:" + "0" * 64,
    ),
)
NUMBERS: Final = (
    0,
    1,
    -1,
    2,
    1.0,
    4.0,
    1e3,
    2.5,
    100.0,
    2**31 - 1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    1e20,
    "3",
    True,
)
AMOUNTS: Final = ("0.5", "1e3", "1Gi", "100m", "1E", "0", "-1", "", "bad", "1 Gi", 0.5, 0, 1, 1e3, None, True, [], {})
LABELS: Final = ("", "vision", "Vision", "-", "ünïcode", "x" * 64, "a b", None, 5, True)
OTHERS: Final = (None, [], {}, "", "text", 0, 1.5, False, [None], [[]], [{}], {"name": None}, {"": ""})
_AMOUNTS_IN: Final = ("requests", "limits")


def made_odd(rng: random.Random, given: Body) -> Body:
    """The object with up to four changes; one in three is unchanged."""
    made: Body = copy.deepcopy(given)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 4])):
        _change(rng, made)
    if rng.random() < 0.02:
        made[rng.choice(["spec", "metadata"])].pop(rng.choice(["tasks", "flows", "labels"]), None)
    if rng.random() < 0.01:
        made.pop("spec", None)
    return made


def _change(rng: random.Random, made: Body) -> None:
    places = list(_places(made.get("spec"))) + list(_places(made["metadata"].get("labels")))
    if not places:
        return
    holder, key = rng.choice(places)
    value = _odd(rng, holder, key)
    if value is ABSENT:
        del holder[key]
    else:
        holder[key] = value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(holder, key or position) of everything within the value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _odd(rng: random.Random, holder: Any, key: Any) -> Any:
    value = holder[key]
    if rng.random() < 0.1:
        return ABSENT
    if rng.random() < 0.15:
        return copy.deepcopy(rng.choice(OTHERS))
    if key in _AMOUNTS_IN and isinstance(value, dict):
        return {name: rng.choice(AMOUNTS) for name in (*value, "cpu")}
    if key in ("image", "reference"):
        return rng.choice(IMAGES)
    if isinstance(value, dict):
        return _odd_map(rng, value)
    if isinstance(value, list):
        return rng.choice([[], [*value, *value[:1]], value[::-1], [*value, None], value[:1] * 30])
    return rng.choice(NUMBERS if isinstance(value, int | float) else TEXTS)


def _odd_map(rng: random.Random, value: Body) -> Body:
    extra = rng.choice(["unknown", "", "Ünïcode", "a.b/c", "a\nb", "requests", "image", "spec"])
    kept = {key: each for key, each in value.items() if rng.random() < 0.8}
    return {**kept, extra: copy.deepcopy(rng.choice(OTHERS))} if rng.random() < 0.6 else kept
