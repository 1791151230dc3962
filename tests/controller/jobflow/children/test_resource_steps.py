"""Steps that create objects of other kinds: what is created, read and stopped, without an API server."""

from typing import Any

import pytest
from msgspec.structs import replace

from controller.decision import Create, Delete, Patch
from controller.jobflow.children.parse.resource import dated, parse_resource, without_object
from controller.jobflow.decide.flow import FlowDecision, decide
from controller.jobflow.model.observed import ObservedChild, ObservedFlow
from controller.jobflow.model.plan import Plan
from shared.kinds import Kind
from shared.model.flow_status import StepStatus
from shared.model.phases import FlowPhase
from shared.timestamp import rfc3339
from tests.controller.jobflow.make import START, FlowCluster, flow, step

THING = Kind("x.dev/v1", "Thing", "things")
MANIFEST: dict[str, Any] = {"apiVersion": "x.dev/v1", "kind": "Thing", "spec": {"n": "$(step.name)"}}
ENDS = {"success": "object.status.state == 'good'", "failure": "object.status.state == 'bad'"}


class ThingCluster(FlowCluster):
    """A cluster whose flows create Things. `kinds`: allowed; `unserved`: without a CRD."""

    kinds: tuple[Kind, ...] = (THING,)
    unserved: frozenset[Kind] = frozenset()

    def seen(self) -> ObservedFlow:
        plan = Plan(self.flow)
        things = {name: dated(without_object(one), one, self.now) for name, one in self.known.items()}
        things.update((name, self._thing(body, plan)) for name, body in self.bodies.items())
        return replace(
            super().seen(),
            jobs=things,
            others={(THING, name): one for name, one in things.items()},
            deleted_jobs=frozenset(name for name in self.created if name not in things),
            resource_kinds=self.kinds,
            unserved=self.unserved,
        )

    def _thing(self, body: dict[str, Any], plan: Plan) -> ObservedChild:
        name = body["metadata"]["labels"]["flow.volcano.sh/step"]
        before = self.known.get(body["metadata"]["name"])
        child = dated(parse_resource(THING, body, plan.steps.get(name)), before, self.now)
        self.known[child.name] = child
        return child

    @property
    def known(self) -> dict[str, ObservedChild]:
        return self.__dict__.setdefault("_known", {})

    def report(self, name: str, **status: Any) -> None:
        self.bodies[name] = {**self.bodies[name], "status": status}
        self.settle()

    def decided(self) -> FlowDecision:
        return decide(self.seen(), Plan(self.flow))


def things(**fields: Any) -> ThingCluster:
    resource = {"manifest": MANIFEST, **ENDS, **fields.pop("resource", {})}
    return ThingCluster(flow(step("a", resource=resource, **fields)))


def started(**fields: Any) -> ThingCluster:
    cluster = things(**fields)
    cluster.settle()
    return cluster


def only(cluster: ThingCluster) -> StepStatus:
    return cluster.step("a")


def test_the_object_has_a_name_an_owner_labels_and_values() -> None:
    (action,) = things().decided().decision.actions
    assert isinstance(action, Create)
    assert action.kind == THING
    metadata = action.body["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("f-a", "ns")
    assert metadata["ownerReferences"][0]["uid"] == "flow-uid"
    assert action.body["spec"] == {"n": "a"}


@pytest.mark.parametrize(
    ("status", "phase", "reason"),
    [
        ({}, "Running", ""),
        ({"state": "going"}, "Running", ""),
        ({"state": "good"}, "Completed", ""),
        ({"state": "bad"}, "Failed", "ResourceFailed"),
    ],
)
def test_the_status_of_the_object_decides_the_phase_of_the_step(
    status: dict[str, Any], phase: str, reason: str
) -> None:
    cluster = started()
    cluster.report("f-a", **status)
    assert (str(only(cluster).phase), only(cluster).reason) == (phase, reason)


def test_a_step_is_pending_until_running_holds() -> None:
    cluster = started(resource={"running": "object.?status.?active.orValue(false)"})
    assert only(cluster).phase == "Pending"
    cluster.report("f-a", active=True, state="going")
    assert only(cluster).phase == "Running"


def test_a_kind_that_is_not_allowed_ends_the_step_also_where_no_webhook_was_asked() -> None:
    cluster = things()
    cluster.kinds = ()
    cluster.settle()
    assert (str(only(cluster).phase), only(cluster).reason) == ("Failed", "KindNotAllowed")
    assert cluster.created == []


@pytest.mark.parametrize(
    "metadata", [{"namespace": "other"}, {"ownerReferences": []}, {"finalizers": []}, {"name": "x"}]
)
def test_a_manifest_that_the_webhook_would_refuse_creates_nothing(metadata: dict[str, Any]) -> None:
    cluster = started(resource={"manifest": {**MANIFEST, "metadata": metadata}})
    assert (str(only(cluster).phase), only(cluster).reason) == ("Failed", "InvalidSpec")
    assert cluster.created == []


def test_a_step_waits_for_a_kind_that_is_not_served_and_looks_again() -> None:
    cluster = things()
    cluster.unserved = frozenset({THING})
    found = cluster.decided()
    assert found.decision.requeue_after == 5
    cluster.settle()
    assert (str(only(cluster).phase), only(cluster).reason) == ("Waiting", "KindNotFound")
    cluster.unserved = frozenset()
    cluster.settle()
    assert cluster.created == ["f-a"]


def test_a_condition_without_a_value_is_told_after_30_s_and_ends_the_attempt_after_an_hour() -> None:
    cluster = started()
    assert (str(only(cluster).phase), only(cluster).reason) == ("Running", "")
    cluster.wait(29)
    assert only(cluster).reason == ""
    cluster.wait(1)
    assert only(cluster).reason == "ConditionError"
    assert "no such key" in only(cluster).message
    cluster.report("f-a", state="going")
    assert only(cluster).reason == ""
    cluster.report("f-a")
    cluster.wait(3599)
    assert str(only(cluster).phase) == "Running"
    cluster.now += 1
    (stop,) = cluster.decided().decision.actions
    assert isinstance(stop, Delete)
    assert (stop.kind, stop.name, stop.uid, stop.propagation) == (THING, "f-a", "uid-1", "Foreground")
    cluster.bodies["f-a"]["metadata"]["deletionTimestamp"] = rfc3339(cluster.now)
    cluster.settle()
    assert str(only(cluster).phase) == "Running"  # until what it owns is gone
    cluster.vanish("f-a")
    assert (str(only(cluster).phase), only(cluster).reason) == ("Failed", "ConditionError")


@pytest.mark.parametrize("away", [False, True])
def test_a_stopped_object_ends_its_step_once_it_is_gone_also_if_the_controller_was_away(away: bool) -> None:
    cluster = started()
    cluster.command("TerminateJobFlow")
    assert str(only(cluster).phase) == "Running"
    if away:
        cluster.known.clear()
    cluster.vanish("f-a")
    assert (str(only(cluster).phase), only(cluster).reason, cluster.phase) == ("Terminated", "Terminated", "Failed")


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "the status of that pass was lost"])
@pytest.mark.parametrize("away", [False, True])
def test_a_daemon_completes_once_its_object_is_gone_also_if_the_controller_was_away(away: bool, recorded: bool) -> None:
    resource = {"manifest": MANIFEST, **ENDS}
    cluster = ThingCluster(flow(step("a", resource=resource, daemon=True), step("b", "a", resource=resource)))
    cluster.settle()
    cluster.report("f-a", state="going")
    stored = cluster.flow.status
    cluster.report("f-b", state="good")
    if not recorded:
        cluster.flow = replace(cluster.flow, status=stored)
    if away:
        cluster.known.clear()
        cluster.ordered.clear()
    cluster.vanish("f-a")
    assert (str(only(cluster).phase), cluster.phase) == ("Completed", "Succeed")


def test_a_patch_stops_the_object_and_marks_it() -> None:
    operation = {"op": "add", "path": "/spec/suspend", "value": True}
    cluster = started(resource={"terminate": {"patch": [operation]}}, activeDeadlineSeconds=10)
    cluster.now += 10
    (stop,) = cluster.decided().decision.actions
    assert isinstance(stop, Patch)
    mark = {"op": "add", "path": "/metadata/annotations/flow.jobflow.dev~1terminated-at", "value": rfc3339(cluster.now)}
    assert stop.patch == [operation, mark]
    cluster.bodies["f-a"]["metadata"]["annotations"]["flow.jobflow.dev/terminated-at"] = rfc3339(cluster.now)
    cluster.settle()
    assert (str(only(cluster).phase), only(cluster).reason) == ("Failed", "DeadlineExceeded")


def test_a_retry_creates_another_object_after_the_back_off() -> None:
    cluster = started(retry={"limit": 1, "backoff": {"duration": "10s"}})
    cluster.report("f-a", state="bad")
    assert only(cluster).phase == "Retrying"
    cluster.wait(10)
    assert cluster.created == ["f-a", "f-a-r1"]
    cluster.report("f-a-r1", state="good")
    assert cluster.phase == FlowPhase.SUCCEED


def test_an_output_without_a_value_fails_the_step() -> None:
    outputs = [{"name": "uri", "expression": "object.status.uri"}]
    cluster = started(outputs=outputs)
    cluster.report("f-a", state="good", uri="s3://x")
    assert dict(only(cluster).outputs) == {"uri": "s3://x"}
    cluster = started(outputs=outputs)
    cluster.report("f-a", state="good")
    assert (str(only(cluster).phase), only(cluster).reason) == ("Failed", "OutputMissing")


def test_an_object_that_was_deleted_has_ended_and_keeps_the_result_that_it_had() -> None:
    running = ObservedChild("f-a", kind=THING, uid="u")
    gone = dated(without_object(running), running, START)
    assert (str(gone.phase), gone.ended, gone.ended_at, gone.deleting) == ("Terminated", True, rfc3339(START), True)
    body = {"metadata": {"name": "f-a", "uid": "u"}, "status": {"state": "good"}}
    subject = Plan(flow(step("a", resource={"manifest": MANIFEST, **ENDS}))).steps["a"]
    assert str(without_object(parse_resource(THING, body, subject)).phase) == "Completed"


def test_the_end_is_when_the_object_says_so_or_when_it_was_first_seen_to_have_ended() -> None:
    subject = Plan(flow(step("a", resource={"manifest": MANIFEST, **ENDS}))).steps["a"]
    body: dict[str, Any] = {"metadata": {"name": "f-a", "uid": "u"}, "status": {"state": "good"}}
    first = dated(parse_resource(THING, body, subject), None, START)
    again = dated(parse_resource(THING, body, subject), first, START + 60)
    assert first.ended_at == again.ended_at == rfc3339(START)
    body["status"]["conditions"] = [{"lastTransitionTime": "2026-01-01T00:00:00Z"}, {"lastTransitionTime": 3}, "x"]
    assert parse_resource(THING, body, subject).ended_at == "2026-01-01T00:00:00Z"
