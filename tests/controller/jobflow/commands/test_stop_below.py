"""`jobflow stop --force` applies to sub-flows: the `finally` of flows that steps run ends too, at every level."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from controller.decision import Create
from controller.jobflow.children.parse.flow import parse_flow
from controller.jobflow.model.observed import FlowCommand, ObservedFlow
from shared.timestamp import rfc3339
from tests.controller.jobflow.make import FlowCluster, flow, step

STOP = "TerminateJobFlow"
INNER: dict[str, Any] = {
    "flows": [{"name": "a"}, {"name": "deeper", "flow": {"template": "t"}}],
    "finally": [{"name": "tidy"}, {"name": "report"}],
}


class NestedCluster(FlowCluster):
    """A cluster whose flow runs other flows, which only this test changes."""

    def seen(self) -> ObservedFlow:
        flows = {name: parse_flow(body) for name, body in self.bodies.items()}
        others = {(one.kind, name): one for name, one in flows.items()}
        gone = frozenset(name for name in self.created if name not in flows)
        return replace(super().seen(), jobs=flows, others=others, deleted_jobs=gone)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """(child, message) of every Command that was sent."""
        return self.__dict__.setdefault("_sent", [])

    def _create(self, action: Create) -> bool:
        if action.kind.kind == "Command":
            self.sent.append((action.body["target"]["name"], action.body["message"]))
        return super()._create(action)

    def terminated_by_command(self, name: str) -> None:
        """It takes longer: its `finally` runs."""

    def report(self, name: str, phase: str = "Running", **status: Any) -> None:
        self.bodies[name] = {**self.bodies[name], "status": {"state": {"phase": phase}, **status}}
        self.settle()


def running(*, finally_: bool = False, **fields: Any) -> NestedCluster:
    below = step("s", flow={"spec": INNER}, **fields)
    first = step("first", if_="false")  # creates nothing, so that `finally` begins
    cluster = NestedCluster(flow(first, finally_=[below]) if finally_ else flow(below))
    cluster.settle()
    for name in cluster.created:
        cluster.report(name, steps=[{"name": "a", "attempts": 1}, {"name": "deeper", "attempts": 2}])
    return cluster


BELOW = {"finally": {"tidy": 1, "report": 1}, "flows": {"deeper": 2}}


@pytest.mark.parametrize("place", ["flows", "finally"])
def test_a_forced_stop_names_what_the_flow_below_has_open(place: str) -> None:
    cluster = running(finally_=place == "finally")
    reported = cluster.command(STOP, json.dumps({place: {"s": 1}}))
    assert reported.startswith("Done: ")
    ((child, sent),) = cluster.sent
    assert child == "f-s"
    assert json.loads(sent) == BELOW


def test_a_plain_stop_leaves_the_clean_up_below_alone() -> None:
    cluster = running()
    assert cluster.command(STOP) == "Done: the Jobs of step s are terminated"
    assert cluster.sent == [("f-s", "terminated by its JobFlow")]
    assert cluster.command(STOP) == (
        "WithoutEffect: the flow is being stopped already; `jobflow stop --force` also ends `finally` of what step s runs"
    )


def test_a_forced_stop_after_a_plain_one_reaches_the_clean_up_that_began_since() -> None:
    cluster = running()
    cluster.command(STOP)
    cluster.report("f-s", outcome="Terminated", steps=[{"name": "tidy", "attempts": 3, "attemptBase": 2}])
    reported = cluster.command(STOP, json.dumps({"flows": {"s": 1}}))
    assert reported == "Done: `finally` is ended in what step s runs"
    cluster.wait(5)
    assert json.loads(cluster.sent[-1][1]) == {"finally": {"tidy": 3, "report": 1}}
    again = cluster.command(STOP, json.dumps({"flows": {"s": 1}}))
    assert again == "WithoutEffect: step s is being ended already"


def test_the_step_ends_with_its_flow_and_a_retry_does_not_stop_the_next_one() -> None:
    cluster = running()
    cluster.command(STOP, json.dumps({"flows": {"s": 1}}))
    ended = rfc3339(cluster.now)
    cluster.report(
        "f-s", "Failed", outcome="Terminated", completionTime=ended, steps=[{"name": "a", "phase": "Terminated"}]
    )
    assert cluster.phases() == {"s": "Terminated"}
    count = len(cluster.sent)
    assert cluster.command("RestartJobFlow").startswith("Done")
    assert (cluster.step("s").stopped, len(cluster.sent)) == (False, count)


def test_a_retry_reaches_the_flow_below_although_nothing_but_writes_of_the_flow_follows() -> None:
    """The Command is carried out after the children were read, and own writes wake no flow."""
    cluster = running()
    ended = {"completionTime": rfc3339(cluster.now), "steps": [{"name": "a", "phase": "Failed"}]}
    cluster.report("f-s", "Failed", outcome="Failed", **ended)
    cluster.commands.append(FlowCommand("c", "cu", "RetryJobFlow", rfc3339(cluster.now)))
    assert cluster.turn().requeue_after == 0
    assert cluster.sent == []
    cluster.turn()
    assert [child for child, _ in cluster.sent] == ["f-s"]


def test_every_iteration_of_a_loop_of_flows_is_stopped_so() -> None:
    cluster = running(for_={"items": ["x", "y"]})
    cluster.command(STOP, json.dumps({"flows": {"s": cluster.step("s").attempts}}))
    assert [(name, json.loads(text)) for name, text in cluster.sent] == [("f-s-0", BELOW), ("f-s-1", BELOW)]


@pytest.mark.parametrize(
    ("flows", "reported"),
    [
        ({"gone": 1}, "Refused: gone: no such step with `flow`"),
        ({"s": 2}, "WithoutEffect: attempt 2 of step s is not of this run, which began with attempt 1"),
    ],
)
def test_a_message_that_names_nothing_that_runs_ends_no_clean_up(flows: dict[str, int], reported: str) -> None:
    cluster = running()
    cluster.command(STOP)
    assert cluster.command(STOP, json.dumps({"flows": flows})) == reported
    assert not cluster.step("s").stopped
