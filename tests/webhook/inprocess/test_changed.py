"""Which updates change something that users set, in the CEL of ValidatingAdmissionPolicies."""

import copy
from typing import Any

import pytest

from shared.model.types import Body
from shared.names import CREATOR, DEFAULTED
from shared.policy.admission.changed import has_changed, variables
from tests.webhook.inprocess.offline import evaluated
from tests.webhook.make import flow, job, pod_template, step, task, template
from tests.webhook.policies.make import labelled

Path = tuple[str, ...]
SPEC, TASKS, ANNOTATIONS = ("spec",), ("spec", "tasks"), ("metadata", "annotations")
STORED = job(task("a", 1, maxRetry=3, minAvailable=1), task("b", 2), maxRetry=3, minAvailable=3)
FLOW = flow(step("a"), jobRetainPolicy="retain", failureStrategy="Stop")
NAMED = template(task("a"), queue="q1")


def without(manifest: Body, *path: Any) -> Body:
    made = copy.deepcopy(manifest)
    at: Any = made
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    return made


def annotated(manifest: Body, **annotations: str) -> Body:
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": annotations}}


SAME: dict[str, tuple[Path, Body, Body]] = {
    "the same": (SPEC, STORED, STORED),
    "other labels": (SPEC, STORED, labelled(STORED, team="x")),
    "without what the webhook sets in a Job": (SPEC, STORED, without(without(STORED, "spec", "maxRetry"), "spec", "queue")),
    "an empty queue": (SPEC, STORED, {**STORED, "spec": {**STORED["spec"], "queue": ""}}),
    "without what it sets in a task": (TASKS, STORED, without(without(STORED, "spec", "tasks", 0, "name"), "spec", "tasks", 0, "maxRetry")),
    "without what it sets in a pod": (TASKS, STORED, without(STORED, "spec", "tasks", 1, "template", "spec", "restartPolicy")),
    "without what it sets in a flow": (SPEC, FLOW, without(FLOW, "spec", "failureStrategy")),
    "without the name of a task of a template": (SPEC, NAMED, without(NAMED, "spec", "tasks", 0, "name")),
    "without its annotations": (ANNOTATIONS, annotated(FLOW, **{CREATOR: "ann", DEFAULTED: "queue"}), FLOW),
}  # fmt: skip
CHANGED: dict[str, tuple[Path, Body, Body]] = {
    "one task more": (TASKS, STORED, job(task("a", 1), task("b", 2), task("c"), maxRetry=3)),
    "another number": (TASKS, STORED, job(task("a", 1), task("b", 3), maxRetry=3, minAvailable=3)),
    "another number, for a rule about everything": (SPEC, STORED, job(task("a", 1), task("b", 3), maxRetry=3)),
    "another image": (TASKS, STORED, job(task("a", 1), task("b", 2, template=pod_template(containers=[])))),
    "another queue": (SPEC, STORED, {**STORED, "spec": {**STORED["spec"], "queue": "q2"}}),
    "a field more": (SPEC, FLOW, flow(step("a"), jobRetainPolicy="retain", failureStrategy="Stop", parallelism=1)),
    "a field less": (SPEC, flow(step("a"), parallelism=1), flow(step("a"))),
    "a template without its queue, which nobody sets": (SPEC, NAMED, without(NAMED, "spec", "queue")),
    "no spec": (SPEC, FLOW, without(FLOW, "spec")),
    "an annotation": (ANNOTATIONS, FLOW, annotated(FLOW, team="x")),
    "another value of an annotation": (ANNOTATIONS, annotated(FLOW, team="y"), annotated(FLOW, team="x")),
    "no annotation": (ANNOTATIONS, annotated(FLOW, team="y"), FLOW),
    "a field": (("spec", "flows"), FLOW, flow(step("b"))),
}


def changed(path: Path, old: Body, new: Body) -> Any:
    given = {"object": new, "oldObject": old, "request": {"kind": {"kind": new["kind"]}, "operation": "UPDATE"}}
    return evaluated(has_changed(path), given, dict(variables([path])))


@pytest.mark.parametrize("case", SAME)
def test_what_only_lacks_what_the_webhook_sets_has_not_changed(case: str) -> None:
    assert changed(*SAME[case]) is False


@pytest.mark.parametrize("case", CHANGED)
def test_other_differences_are_changes(case: str) -> None:
    assert changed(*CHANGED[case]) is True
