"""Shows flows within a flow in place: one JobFlow whose steps include those of its sub-flows. Pure.

A step `load` of the flow that step `region` runs is called `region/load`, in a loop `region[2]/load`. The first steps of a
sub-flow hang below the step that runs it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from drawing.flow_view import tasks_by_step
from shared.graphs.nesting import MAX_LEVELS
from shared.model.types import Body
from shared.names import ATTEMPT, ITERATION, STEP
from shared.podstatus.taskstatus import TaskStatus

_MOST: Final = 20  # sub-flows of one loop that are shown
_ENDED_WELL: Final = "Succeed"
Tasks = dict[str, Counter[TaskStatus]]


def runs_flows(body: Body) -> bool:
    """Whether a step of the flow runs a flow."""
    return any(step.get("flow") for _, step in _steps(body))


def with_sub_flows(body: Body, flows: Iterable[Body]) -> Body:
    """The flow with the steps of its sub-flows. `flows`: JobFlows of the namespace, its own among them."""
    return _expanded(body, _by_owner(flows), 1)


def with_written_flows(body: Body, templates: Mapping[str, Body]) -> Body:
    """The same before anything runs: flows as they are written out, or as the JobFlowTemplates say."""
    return _expanded(body, None, 1, templates)


def tasks_of_steps(body: Body, flows: Iterable[Body], pods: Iterable[Body]) -> Tasks:
    """The number of pods of each step of `with_sub_flows` in each Task state."""
    return dict(_tasks(body, _by_owner(flows), list(pods), "", 1))


class StepPlace(NamedTuple):
    """Where a step of `with_sub_flows` really is: the flow that has it and its name there. `body`: that flow."""

    body: Body
    step: str


def places_of_steps(body: Body, flows: Iterable[Body]) -> dict[str, StepPlace]:
    """The place of each step of `with_sub_flows`, by its name there."""
    return dict(_places(body, _by_owner(flows), "", 1))


def latest_flow(body: Body, step: str, index: int | None, flows: Iterable[Body]) -> Body | None:
    """The JobFlow that a step created last, of one iteration if `index` is given."""
    found = _children(body, step, _by_owner(flows))
    if index is not None:
        return found.get(index)
    return found[max(found, key=lambda one: -1 if one is None else one)] if found else None


Owned = Mapping[str, list[Body]]


def _by_owner(flows: Iterable[Body]) -> Owned:
    found: dict[str, list[Body]] = {}
    for flow in flows:
        for owner in flow["metadata"].get("ownerReferences") or ():
            if owner.get("controller"):
                found.setdefault(str(owner.get("uid")), []).append(flow)
    return found


def _children(body: Body, step: str, owned: Owned) -> dict[int | None, Body]:
    """The last attempt of each iteration; the key is None for a step without a loop."""
    found: dict[int | None, Body] = {}
    for child in owned.get(str(body["metadata"].get("uid")), ()):
        labels = child["metadata"].get("labels") or {}
        if labels.get(STEP) != step:
            continue
        index = _number(labels.get(ITERATION))
        if index not in found or _attempt(found[index]) < _attempt(child):
            found[index] = child
    return found


def _shown(children: Mapping[int | None, Body]) -> list[tuple[int | None, Body]]:
    """The sub-flows to show: of many, those that run or failed before those that succeeded."""
    ranked = sorted(children.items(), key=lambda one: (_phase(one[1]) == _ENDED_WELL, one[0] or 0))[:_MOST]
    return sorted(ranked, key=lambda one: one[0] or 0)


def _expanded(body: Body, owned: Owned | None, level: int, templates: Mapping[str, Body] | None = None) -> Body:
    if level > MAX_LEVELS or not runs_flows(body):
        return body
    steps: dict[str, list[Body]] = {"flows": [], "finally": []}
    status = body.get("status") or {}
    states, coming = [*(status.get("steps") or ())], [*(status.get("next") or ())]
    for field, step in _steps(body):
        steps[field].append(step)
        for index, child in _below(body, step, owned, templates):
            inner = _expanded(child, owned, level + 1, templates)
            prefix = f"{step['name']}/" if index is None else f"{step['name']}[{index}]/"
            steps[field] += _renamed(inner, step["name"], prefix)
            below = inner.get("status") or {}
            states += [_state(one, prefix) for one in below.get("steps") or ()]
            coming += [{**one, "name": f"{prefix}{one['name']}"} for one in below.get("next") or ()]
    return {
        **body,
        "spec": {**(body.get("spec") or {}), **{field: found for field, found in steps.items() if found}},
        "status": {**status, "steps": states, "next": coming},
    }


def _below(
    body: Body, step: Body, owned: Owned | None, templates: Mapping[str, Body] | None
) -> Iterator[tuple[int | None, Body]]:
    flow = step.get("flow")
    if not isinstance(flow, dict):
        return
    if owned is not None:
        yield from _shown(_children(body, step["name"], owned))
        return
    template = (templates or {}).get(str(flow.get("template")))
    spec = flow.get("spec") if template is None else (template.get("spec") or {}).get("flow")
    if isinstance(spec, dict):
        yield None, {"metadata": {}, "spec": spec}


def _renamed(child: Body, parent: str, prefix: str) -> Iterator[Body]:
    """The steps of a sub-flow as steps below `parent`. Its `finally` comes after its other steps."""
    spec = child.get("spec") or {}
    chosen = {name for step in spec.get("flows") or () for name in _chosen(step.get("switch") or {})}
    for step in spec.get("flows") or ():
        depends = step.get("dependsOn") or {}
        targets = [f"{prefix}{target}" for target in depends.get("targets") or ()]
        if not targets and step["name"] not in chosen:
            depends, targets = {"probe": {}}, [parent]
        switch = {"switch": _switch(step["switch"], prefix)} if step.get("switch") else {}
        yield _plain(step) | {"name": f"{prefix}{step['name']}", "dependsOn": {**depends, "targets": targets}} | switch
    ends = [f"{prefix}{step['name']}" for step in spec.get("flows") or ()]
    for step in spec.get("finally") or ():
        depends = {"targets": ends, "condition": "Ended"}
        yield _plain(step) | {"name": f"{prefix}{step['name']}", "dependsOn": depends}


def _plain(step: Body) -> Body:
    """A step without the flow that it runs, whose steps stand beside it."""
    return {key: value for key, value in step.items() if key != "flow"}


def _switch(switch: Body, prefix: str) -> Body:
    cases = [
        {**case, "run": [f"{prefix}{name}" for name in case.get("run") or ()]} for case in switch.get("cases") or ()
    ]
    return {**switch, "cases": cases, "default": [f"{prefix}{name}" for name in switch.get("default") or ()]}


def _chosen(switch: Body) -> Iterator[str]:
    for case in switch.get("cases") or ():
        yield from case.get("run") or ()
    yield from switch.get("default") or ()


def _state(state: Body, prefix: str) -> Body:
    chosen = {"chosen": [f"{prefix}{name}" for name in state["chosen"]]} if state.get("chosen") is not None else {}
    return {**state, "name": f"{prefix}{state['name']}", **chosen}


def _tasks(
    body: Body, owned: Owned, pods: list[Body], prefix: str, level: int
) -> Iterator[tuple[str, Counter[TaskStatus]]]:
    for name, counts in tasks_by_step(body, pods).items():
        yield f"{prefix}{name}", counts
    for below, child in _shown_below(body, owned, prefix, level):
        yield from _tasks(child, owned, pods, below, level + 1)


def _places(body: Body, owned: Owned, prefix: str, level: int) -> Iterator[tuple[str, StepPlace]]:
    for _, step in _steps(body):
        yield f"{prefix}{step['name']}", StepPlace(body, step["name"])
    for below, child in _shown_below(body, owned, prefix, level):
        yield from _places(child, owned, below, level + 1)


def _shown_below(body: Body, owned: Owned, prefix: str, level: int) -> Iterator[tuple[str, Body]]:
    """The sub-flows that are shown, each with the prefix of its steps' names."""
    for _, step in _steps(body) if level < MAX_LEVELS else ():
        if not step.get("flow"):
            continue
        for index, child in _shown(_children(body, step["name"], owned)):
            yield f"{prefix}{step['name']}/" if index is None else f"{prefix}{step['name']}[{index}]/", child


def _steps(body: Body) -> Iterator[tuple[str, Body]]:
    spec = body.get("spec") or {}
    for field in ("flows", "finally"):
        for step in spec.get(field) or ():
            if isinstance(step, dict):
                yield field, step


def _phase(flow: Body) -> Any:
    return ((flow.get("status") or {}).get("state") or {}).get("phase")


def _attempt(flow: Body) -> int:
    return _number((flow["metadata"].get("labels") or {}).get(ATTEMPT)) or 0


def _number(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else None
