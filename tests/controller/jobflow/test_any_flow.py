"""Random flows with every primitive, random Jobs, Commands and crashes, on simulated time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.jobflow.children.parse.job import parse_job
from controller.jobflow.decide.flow import FlowDecision, decide
from controller.jobflow.model.memo import NO_MEMO
from controller.jobflow.model.plan import Plan
from controller.runtime.rate_limit import FIRST_DELAY
from shared.model.flow import JobFlow
from tests.controller.jobflow.checked_cluster import CALM, EVENTS, FLOWS, CheckedCluster, drain
from tests.controller.jobflow.make import FlowCluster, flow, step
from tests.purity import snapshot


@CALM
@given(FLOWS, EVENTS)
def test_every_flow_ends_and_the_invariants_hold_at_every_moment(subject, events):
    world = CheckedCluster(FlowCluster(subject))
    world.settle()
    for event in events:
        world.move(*event)
        if event[0] != "crash":
            world.settle()
    drain(world)
    before = (world.cluster.flow, len(world.cluster.created))
    world.settle()
    assert before == (world.cluster.flow, len(world.cluster.created))


class Remembering(FlowCluster):
    """Decides as the controller does, from what it remembers; each time as if it remembered nothing, too."""

    def __init__(self, subject: JobFlow) -> None:
        super().__init__(subject)
        self.holds = True

    def decide(self) -> FlowDecision:
        anew = decide(self.seen(), Plan(self.flow))
        found = super().decide()
        assert without_memo(found) == without_memo(anew)
        return found


def without_memo(found: FlowDecision) -> FlowDecision:
    return replace(found, memo=NO_MEMO)


class DecidingTwice(FlowCluster):
    """Checks at every decision that it changes none of its arguments and comes out the same a second time."""

    def __init__(self, subject: JobFlow) -> None:
        super().__init__(subject)
        self.holds = True

    def decide(self) -> FlowDecision:
        arguments = (self.seen(), self._plan(), self.decision_memo)
        before = snapshot(arguments)
        first = decide(*arguments)
        reported = snapshot(first)
        second = decide(*arguments)
        assert snapshot(arguments) == before
        assert snapshot(first) == reported == snapshot(second)
        return super().decide()


@pytest.mark.timeout(
    600
)  # it compares copies of all that was decided, which takes a minute under coverage on a busy machine
@CALM
@given(FLOWS, EVENTS)
def test_deciding_twice_gives_the_same_and_changes_no_argument(subject, events):
    world = CheckedCluster(DecidingTwice(subject))
    world.settle()
    for event in events:
        world.move(*event)
        if event[0] != "crash":
            world.settle()
    drain(world)


def test_a_plan_does_not_change():
    plan = Plan(flow(step("a")))
    with pytest.raises(AttributeError):
        plan.fault = "other"


@CALM
@given(FLOWS, EVENTS)
def test_the_memo_changes_no_decision(subject, events):
    world = CheckedCluster(Remembering(subject))
    world.settle()
    for event in events:
        world.move(*event)
        if event[0] != "crash":
            world.settle()
    drain(world)


@CALM
@given(FLOWS, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=15))
def test_a_step_that_starts_was_listed_in_next(subject, events):
    world = CheckedCluster(FlowCluster(subject))
    world.settle()
    cluster = world.cluster
    for which, how in events:
        jobs = cluster.unfinished()
        if not jobs:
            break
        coming, before, known = set(cluster.next()), cluster.phases(), len(cluster.created)
        world.job("end", jobs[which % len(jobs)], how)
        world.settle()
        started = {parse_job(cluster.bodies[name]).step for name in cluster.created[known:] if name in cluster.bodies}
        waiting = {name for name in started if before[name] in ("Waiting", "Pending", "Retrying")}
        over = {one.name for one in cluster.status.steps if one.phase.ended}
        ended = {name for name in over if before[name] == "Waiting"}  # without a Job, and maybe others after it
        daemons = {name for name, one in world.steps.items() if one.daemon}
        if not ended and not daemons and not cluster.deleted:
            assert waiting <= coming


@CALM
@given(FLOWS, EVENTS)
def test_a_crash_before_any_status_write_changes_nothing_in_the_end(subject, events):
    """Two clusters with the same Jobs: in one the status is written, in the other it is lost at every second pass."""
    world, other = CheckedCluster(FlowCluster(subject)), CheckedCluster(FlowCluster(subject))
    for each in (world, other):
        each.settle()
    for what, first, second in events:
        if what not in ("run", "end", "wait"):
            continue
        other.cluster._act(other.cluster.decide().decision)
        for each in (world, other):
            each.move(what, first, second)
            each.settle()
        assert world.cluster.created == other.cluster.created
        assert world.cluster.phases() == other.cluster.phases()


@CALM
@given(FLOWS, EVENTS)
def test_deferring_status_writes_changes_no_decision(subject, events):
    """Two clusters with the same Jobs: in one every status is written at once, in the other most of them wait."""
    world, held = CheckedCluster(FlowCluster(subject)), CheckedCluster(FlowCluster(subject))
    held.cluster.holds = True
    for each in (world, held):
        rest(each.cluster)
    for what, first, second in events:
        if what == "vanish":
            continue  # with a crash in the same second, nobody could know of such a Job
        if what == "crash":
            held.cluster.memory = None
            rest(held.cluster)
            continue
        for each in (world, held):
            each.move(what, first, second)
            rest(each.cluster)
        assert world.cluster.created == held.cluster.created
        shown = held.cluster.memory or held.cluster.status
        assert world.cluster.phases() == {one.name: str(one.phase) for one in shown.steps}
    for each in (world, held):
        each.cluster.now += 2
        rest(each.cluster)
    assert world.cluster.phases() == held.cluster.phases()
    assert held.cluster.writes <= world.cluster.writes


def rest(cluster: FlowCluster) -> None:
    """Reconcile until nothing changes, at this moment."""
    for _ in range(60):
        before = (cluster.flow, cluster.memory, dict(cluster.bodies), tuple(cluster.commands))
        cluster.turn()
        if before == (cluster.flow, cluster.memory, dict(cluster.bodies), tuple(cluster.commands)):
            return
    raise AssertionError("never rests")


@CALM
@given(FLOWS, EVENTS)
def test_the_first_status_is_written_within_a_moment_whatever_happens_meanwhile(subject, events):
    world = CheckedCluster(FlowCluster(subject))
    cluster = world.cluster
    latest = cluster.now + FIRST_DELAY
    cluster.holds, cluster.settle_until = True, latest
    for event in events:
        decision = cluster.turn()
        if cluster.writes:
            return
        assert decision.requeue_after is not None, "nothing wakes the flow for its first status"
        assert cluster.now + decision.requeue_after <= latest
        if event[0] != "wait":
            world.move(*event)
        cluster.now = min(cluster.now + 0.01, latest)
    cluster.now = latest
    cluster.settle()
    assert cluster.writes
