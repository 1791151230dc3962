"""Calls that make a step again. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from jobflow.source.script import Call, Name, Order, Pairs, Value
from shared.model.types import Body

_FLAGS: Final = {"allowFailure": "allow_failure", "daemon": "daemon"}
_LOOP: Final = {
    "parallelism": "parallelism",
    "if": "when",
    "maxIterations": "max_iterations",
    "failFast": "fail_fast",
    "tolerate": "tolerate",
}
_RETRY: Final = {"duration": "backoff", "factor": "factor", "maxDuration": "max_backoff"}
_KNOWN: Final = frozenset(
    (
        "name",
        "template",
        "dependsOn",
        "if",
        "switch",
        "for",
        "patch",
        "retry",
        "activeDeadlineSeconds",
        "outputs",
        *_FLAGS,
    )
)

_APPROVE: Final = {"message": "message", "timeout": "timeout", "onTimeout": "on_timeout"}
_CONDITIONS: Final = ("success", "failure", "message", "running")
_PARTS: Final[Mapping[str, frozenset[str]]] = {
    "dependsOn": frozenset(("targets", "condition", "strategy", "probe")),
    "for": frozenset(("items", "matrix", "expression", "range", "while", *_LOOP)),
    "retry": frozenset(("limit", "backoff", "if")),
    "patch": frozenset(("jobSpec", "jsonPatch")),
    "switch": frozenset(("value", "cases", "default")),
}


def switch_call(step: Body, variables: Mapping[str, Name]) -> Call:
    """`variables`: of the steps made before; those that come later are named by their names."""
    switch = step["switch"]
    cases = Pairs(
        tuple(
            (_when(each.get("when") or []), _chosen(each.get("run") or [], variables))
            for each in switch.get("cases") or ()
        )
    )
    options: dict[str, Value] = {}
    if switch.get("default"):
        options["default"] = _chosen(switch["default"], variables)
    return Call("Switch", (step["name"], switch["value"], cases), options, tuple(methods(step)))


def approve_call(step: Body) -> Call | None:
    """None for a step that does not only wait for a person, in words that Approve has."""
    approve = step.get("approve")
    if not isinstance(approve, dict) or not approve.keys() <= _APPROVE.keys() or not all(approve.values()):
        return None
    arguments: tuple[Value, ...] = (step["name"], *((approve["message"],) if "message" in approve else ()))
    options: dict[str, Value] = {_APPROVE[key]: value for key, value in approve.items() if key != "message"}
    known = (_KNOWN | {"approve"}) - {"template", "outputs"}
    return Call("Approve", arguments, options, tuple(methods(step, known)))


def sub_flow_call(step: Body, inner: Name | None) -> Call | None:
    """`inner`: the flow that the step writes out. None for a step that runs none, or not in words that SubFlow has."""
    runs = step.get("flow")
    if not isinstance(runs, dict) or not runs.keys() <= {"template", "spec", "params"}:
        return None
    source = inner or (runs.get("template") if "spec" not in runs else None)
    params = runs.get("params", {})
    if not source or not isinstance(params, dict) or not all(isinstance(each, str) for each in params.values()):
        return None
    options: dict[str, Value] = {"params": params} if params else {}
    outputs = outputs_value(step)
    if outputs is not None:
        options["outputs"] = outputs
    known = (_KNOWN | {"flow"}) - {"template"}
    return Call("SubFlow", (step["name"], source), options, tuple(methods(step, known)))


def resource_call(step: Body) -> Call | None:
    """None for a step that creates no object of another kind, or not in words that Resource has."""
    resource, outputs = step.get("resource"), step.get("outputs") or []
    if not isinstance(resource, dict) or not resource.keys() <= {"manifest", "terminate", *_CONDITIONS}:
        return None
    patch = (resource.get("terminate") or {}).get("patch")
    odd = "terminate" in resource and (not patch or resource["terminate"].keys() != {"patch"})
    names = [each.get("name") for each in outputs if each.keys() == {"name", "expression"} and each["expression"]]
    if odd or not resource.get("manifest") or len(set(names)) < len(outputs):
        return None
    options: dict[str, Value] = {field: resource[field] for field in _CONDITIONS if field in resource}
    if outputs:
        options["outputs"] = {each["name"]: each["expression"] for each in outputs}
    if patch:
        options["stop"] = patch
    known = (_KNOWN | {"resource"}) - {"template"}
    return Call("Resource", (step["name"], resource["manifest"]), options, tuple(methods(step, known)))


def methods(step: Body, known: frozenset[str] = _KNOWN) -> Iterator[Call]:
    """The fields of the step besides what it runs, in their order. `known`: fields that need no `extra`."""
    if "if" in step:
        yield Call("when", (step["if"],))
    if "for" in step:
        yield _loop(step["for"])
    if "retry" in step:
        yield retry_call("retry", step["retry"])
    if "activeDeadlineSeconds" in step:
        yield Call("deadline", (step["activeDeadlineSeconds"],))
    for field, method in _FLAGS.items():
        if step.get(field):
            yield Call(method)
    if "patch" in step:
        patch = step["patch"]
        job = (patch["jobSpec"],) if "jobSpec" in patch else ()
        yield Call("patch", job, {"json_patch": patch["jsonPatch"]} if "jsonPatch" in patch else {})
    rest = {field: value for field, value in step.items() if field not in known or _has_more(field, value)}
    if rest:
        yield Call("extra", (rest,))


def _has_more(field: str, value: object) -> bool:
    """Whether a field says more than there is an argument for."""
    return field in _PARTS and isinstance(value, dict) and bool(value.keys() - _PARTS[field])


def retry_call(function: str, retry: Body) -> Call:
    options: dict[str, Value] = {_RETRY[field]: value for field, value in (retry.get("backoff") or {}).items()}
    if "if" in retry:
        options["when"] = retry["if"]
    return Call(function, (retry.get("limit", 0),), options)


def outputs_value(step: Body) -> Value:
    """The shortest way to declare the outputs; None where there are none."""
    outputs = step.get("outputs") or []
    if not outputs:
        return None
    if any(set(each) - {"name", "key"} for each in outputs) or len({each["name"] for each in outputs}) < len(outputs):
        return [Call("Output", (), dict(each)) for each in outputs]
    if len(outputs) == 1 and "key" not in outputs[0]:
        return str(outputs[0]["name"])
    if all(each.get("key") == each["name"] for each in outputs):
        return [each["name"] for each in outputs]
    return {each["name"]: each.get("key", "") for each in outputs}


def order_of(step: Body, me: Name, variables: Mapping[str, Name]) -> Order | Call | None:
    """`a >> b`, or `b.after(...)` where more is to be said."""
    depends = step.get("dependsOn") or {}
    targets = depends.get("targets") or []
    if not depends or not (targets or set(depends) - {"targets"}):
        return None
    named = [variables.get(name, name) for name in targets]
    if set(depends) == {"targets"} and all(isinstance(each, Name) for each in named) and me not in named:
        return Order(tuple(each for each in named if isinstance(each, Name)), me)
    options: dict[str, Value] = {}
    if "condition" in depends:
        options["on"] = depends["condition"]
    if "strategy" in depends:
        options["any"] = depends["strategy"] == "any"
    if "probe" in depends:
        options["probe"] = depends["probe"]
    return Call(f"{me.text}.after", tuple(named), options)


def _loop(loop: Body) -> Call:
    options: dict[str, Value] = {_LOOP[field]: value for field, value in loop.items() if field in _LOOP}
    if "while" in loop:
        return Call("loop", (), {"while_": loop["while"], **options})
    if "range" in loop:
        given = loop["range"]
        bounds = (given.get("start", 0), given["end"], *((given["step"],) if "step" in given else ()))
        return Call("loop", (Call("range", bounds if bounds[0] or len(bounds) > 2 else bounds[1:]),), options)
    source = next(loop[field] for field in ("items", "matrix", "expression") if field in loop)
    return Call("loop", (source,), options)


def _when(values: Sequence[str]) -> Value:
    return values[0] if len(values) == 1 else tuple(values)


def _chosen(names: Sequence[str], variables: Mapping[str, Name]) -> Value:
    found: list[Value] = [variables.get(name, name) for name in names]
    return found[0] if len(found) == 1 else found
