"""Updates and deletions of JobFlows."""

import copy
from typing import Any

import pytest

from shared.model.types import Body
from tests.webhook.make import faults, flow, known, step, verdict


def stored(phase: str = "Running", **more: Any) -> Body:
    """a is done, b runs, c waits."""
    steps = [
        {"name": "a", "phase": "Completed", "attempts": 1},
        {"name": "b", "phase": "Running", "attempts": 1},
        {"name": "c", "phase": "Waiting"},
    ]
    made = flow(step("a"), step("b", "a"), step("c", "b"), params=[{"name": "p", "value": "1"}], **more)
    return made | {"status": {"state": {"phase": phase}, "steps": steps}}


def changed(old: Body, **fields: Any) -> Body:
    new = copy.deepcopy(old)
    new["spec"].update(fields)
    return new


OLD = stored()

LAST = {**stored(**{"finally": [step("z")]})}
LAST["status"]["steps"] = [*LAST["status"]["steps"], {"name": "z", "phase": "Running", "attempts": 1}]

ENDED = "only suspend, ttlSecondsAfterFinished, finallyDeadlineSeconds, jobRetainPolicy and metadata may change"

RETRIED = "; `jobflow retry f` with -p or --deadline changes params and the deadline"

FLOW_UPDATES: dict[str, tuple[Body, Body, list[str]]] = {
    "a step that runs": (
        OLD,
        changed(OLD, flows=[step("a"), step("b", "a", template="t"), step("c", "b")]),
        [
            'spec.flows[1]: Forbidden: step "b" has started (Running) and cannot be changed: put it back, or add a step of another name'
        ],
    ),
    "a step that has ended, by removing it": (
        OLD,
        changed(OLD, flows=[step("b"), step("c", "b")]),
        [
            'spec.flows: Forbidden: step "a" has started (Completed) and cannot be removed: put it back',
            'spec.flows[0]: Forbidden: step "b" has started (Running) and cannot be changed: put it back, or add a step of another name',
        ],
    ),
    "params after the first start": (
        OLD,
        changed(OLD, params=[{"name": "p", "value": "2"}]),
        [
            (
                'spec.params: Forbidden: may not change after a step has started ("a" has): `jobflow retry f -p NAME=VALUE` changes'
                " them for the steps that have not completed"
            )
        ],
    ),
    "steps that wait, and new ones": (
        OLD,
        changed(OLD, flows=[step("a"), step("b", "a"), step("c", "a"), step("d", "c")]),
        [],
    ),
    "the order of steps": (OLD, changed(OLD, flows=[step("c", "b"), step("b", "a"), step("a")]), []),
    "flow-level fields": (
        OLD,
        changed(OLD, parallelism=3, suspend=True, failureStrategy="Continue", activeDeadlineSeconds=60),
        [],
    ),
    "params of a flow that has not begun": (
        flow(params=[{"name": "p", "value": "1"}]),
        flow(params=[{"name": "p", "value": "2"}]),
        [],
    ),
    "anything once it has ended": (
        stored("Succeed"),
        changed(stored("Succeed"), parallelism=1, flows=[step("a")], params=[]),
        [
            f"spec.{field}: Forbidden: the flow has ended (Succeed): {ENDED}{RETRIED if field == 'params' else ''}"
            for field in ("flows", "params", "parallelism")
        ],
    ),
    "what stays free at the end": (
        stored("Failed"),
        changed(stored("Failed"), suspend=True, ttlSecondsAfterFinished=1, jobRetainPolicy="delete"),
        [],
    ),
    "anything once finally has begun": (
        LAST,
        changed(LAST, retry={"limit": 1}),
        [f'spec.retry: Forbidden: `finally` has started (step "z"): {ENDED}'],
    ),
    "a step that only Volcano has run": (
        flow(step("a"), step("b", "a")) | {"status": {"jobStatusList": [{"name": "f-a", "state": "Running"}]}},
        flow(step("a", template="t"), step("b", "a")),
        [
            'spec.flows[0]: Forbidden: step "a" has started (Job f-a Running) and cannot be changed: put it back, or add a step of another name'
        ],
    ),
    "a step into a cycle": (
        OLD,
        changed(OLD, flows=[step("a"), step("b", "a"), step("c", "d"), step("d", "c")]),
        ["spec.flows: Invalid value: cycle c -> d -> c: each step depends on the one before it"],
    ),
}


@pytest.mark.parametrize("case", FLOW_UPDATES)
def test_changing(case: str) -> None:
    old, new, wanted = FLOW_UPDATES[case]
    assert faults(new, old) == wanted


@pytest.mark.parametrize(
    ("state", "warned"),
    [
        ({"state": {"phase": "Running"}, "progress": "2/5"}, True),
        ({"state": {"phase": "Suspended"}, "progress": "0/5"}, True),
        ({"state": {"phase": "Succeed"}, "progress": "5/5"}, False),
        ({"state": {"phase": "Failed"}}, False),
        ({"state": {"phase": "Terminating"}}, False),
        ({}, False),
    ],
)
def test_deleting_an_unfinished_flow_is_allowed_with_a_warning(state: Body, warned: bool) -> None:
    found = verdict(None, flow() | {"status": state}, known(), "DELETE")
    assert found.allowed
    phase = state.get("state", {}).get("phase")
    said = f"JobFlow f has not ended ({phase}, {state.get('progress')} steps): its Jobs will be deleted"
    assert found.warnings == ((said,) if warned else ())
