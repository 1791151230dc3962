"""Single reviews, each made to cost as much as possible: depth, length, digits, and expressions."""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from shared.model.types import Body
from tests.chaos.fuzz import corpus, mutations
from tests.chaos.fuzz.corpus import review
from tests.e2e.support.scenario import jobflow, targets
from webhook.server.routes import ROUTES, WebhookRoute

MANY: Final = 100_000
HOLE: Final = "@@hole@@"
FLOW: Final = tuple(route for route in ROUTES if route.kind.kind == "JobFlow" and "deleted" not in route.path)
JOB: Final = tuple(
    route for route in ROUTES if route.kind.kind in ("Job", "JobTemplate") and "deleted" not in route.path
)
CEL: Final = {
    "nested maps": "range(100).map(a, range(100).map(b, range(100).map(c, range(100).map(d, a*b*c*d)))).size() > 0",
    "growing text": '"a"' + '.replace("a", "aaaaaaaaaa")' * 120 + ' == ""',
    "brackets": "(" * 2000 + "true" + ")" * 2000,
    "negations": "!" * 4000 + "true",
    "a long sum": "1" + "+1" * 2000 + " > 0",
    "a long list": "[" + "1," * 2000 + "1].size() > 0",
    "a pattern": '"' + "a" * 1500 + '".matches("(a+)+$(a|aa)+b")',
    "joined texts": 'range(10000).map(x, "' + "y" * 1000 + '").join("z") == ""',
    "huge numbers": "9" * 4000 + " > 0",
    "conditions in conditions": "true ? " * 500 + "true" + " : false" * 500,
    "no utf-8": "'\\xff\\xfe' == b'\\xff'",
    "parsed depth": 'parseJSON("' + "[" * 1900 + "]" * 1900 + '") == null',
}


def _flow(steps: Body, **spec: Any) -> Body:
    return jobflow("default", "bomb", steps, **spec)


def _conditions() -> Iterator[tuple[str, Body]]:
    for name, text in CEL.items():
        yield f"CEL: {name}", _flow({"a": {"if": text}})
        yield f"CEL a hundred times: {name}", _flow({f"s{number}": {"if": text} for number in range(100)})
    yield "CEL: a loop over it", _flow({"a": {"for": {"expression": CEL["nested maps"].removesuffix(".size() > 0")}}})


def _many() -> Iterator[tuple[str, Body]]:
    names = [f"s{number}" for number in range(MANY)]
    yield "many steps", _flow({name: {} for name in names})
    yield "many targets", _flow({"a": {}, "b": targets(*names)})
    yield "one target often", _flow({"a": {}, "b": targets(*["a"] * MANY)})
    yield "many params", _flow({"a": {}}, params=[{"name": name, "value": ""} for name in names])
    yield "many items", _flow({"a": {"for": {"items": names}}})
    yield "a huge matrix", _flow({"a": {"for": {"matrix": dict.fromkeys(names[:300], names[:300])}}})
    yield "a huge range", _flow({"a": {"for": {"range": {"end": 2**62}, "maxIterations": 2**62}}})
    yield "many cases", _flow({"a": {"switch": {"value": "1", "cases": [{"when": names, "run": ["b"]}]}}, "b": {}})
    yield "many patches", _flow({"a": {"patch": {"jsonPatch": [{"op": "remove", "path": "/a"}] * MANY}}})
    yield "many outputs", _flow({"a": {"outputs": [{"name": name} for name in names]}})
    yield "one name often", _flow({"a": {}}, flows=[{"name": "a"}] * MANY)
    yield "a long chain", _flow({name: targets(*names[max(0, at - 1) : at]) for at, name in enumerate(names[:1000])})
    yield "a wide graph", _flow(_layers(26, 2))
    yield "a dense graph", _flow(_layers(20, 30))
    yield "a ring", _flow({name: targets(names[at - 1]) for at, name in enumerate(names[:1000])})


def _layers(depth: int, width: int) -> Body:
    """Each step of a layer waits for the whole layer before it: paths grow as width to the power of depth."""
    layers = [[f"l{layer}-{number}" for number in range(width)] for layer in range(depth)]
    first: Body = {name: {} for name in layers[0]}
    return first | {name: targets(*before) for before, layer in itertools.pairwise(layers) for name in layer}


def _jobs() -> Iterator[tuple[str, Body]]:
    good = corpus.job()
    task = good["spec"]["tasks"][0]
    for name, change in {
        "many tasks": {"tasks": [task | {"name": f"t{number}"} for number in range(2000)]},
        "one task often": {"tasks": [{"name": "t", "replicas": 1}] * MANY},
        "endless replicas": {"tasks": [task | {"replicas": 2**31 - 1}]},
        "many policies": {"policies": [{"event": "PodFailed", "action": "RestartJob"}] * MANY},
        "many volumes": {"volumes": [{"mountPath": f"/v{number}"} for number in range(MANY)]},
        "many arguments": {"plugins": {"svc": ["--x"] * MANY}},
        "many plugins": {"plugins": {f"p{number}": [] for number in range(MANY)}},
    }.items():
        yield name, good | {"spec": good["spec"] | change}


def _holes() -> dict[str, bytes]:
    """What JSON writers of ours would not write, put in place of a value."""
    return {
        "deep lists": b"[" * MANY + b"]" * MANY,
        "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        "deep and cut": b'{"a":[' * 50_000,
        "many digits": b"9" * 1_000_000,
        "a huge exponent": b"1e99999",
        "a tiny exponent": b"1e-99999",
        "minus nothing": b"-0.0",
        "half a surrogate": b'"\\ud800"',
        "a zero in a text": b'"a\\u0000b"',
        "no utf-8": b'"\xff\xfe\xc0\x80"',
        "a long text": b'"' + b"x" * 2_500_000 + b'"',
        "a long text of marks": '"{}"'.format("\u0301\u202e" * 400_000).encode(),
        "no JSON": b"undefined",
        "a duplicate": b'{"name":"a","name":"b","name":null}',
        "many duplicates": b"{" + b'"name":"a",' * MANY + b'"name":"a"}',
    }


def bombs() -> Iterator[tuple[str, WebhookRoute, bytes]]:
    """(what it is, where it goes, what is sent)."""
    for (name, body), route in itertools.product([*_conditions(), *_many()], FLOW):
        yield name, route, mutations.encode(review(route, body))
    for name, body in _jobs():
        for route in JOB:
            yield name, route, mutations.encode(review(route, body))
    for name, hole in _holes().items():
        for route, make in itertools.product((*FLOW, *JOB), _HOLED):
            data = json.dumps(review(route, make())).encode()
            yield f"{name} in {make.__name__}", route, data.replace(f'"{HOLE}"'.encode(), hole)


def metadata() -> Body:
    return {"metadata": {"name": HOLE, "labels": HOLE}, "spec": {"flows": [], "tasks": []}}


def spec() -> Body:
    return {"metadata": {"name": "a"}, "spec": HOLE}


def a_step() -> Body:
    return _flow({"a": {"patch": {"jobSpec": HOLE}, "for": {"items": [HOLE]}, "if": HOLE}})


def a_pod() -> Body:
    good = corpus.job()
    good["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["env"] = HOLE
    return good


_HOLED: Final[tuple[Callable[[], Body], ...]] = (metadata, spec, a_step, a_pod)
