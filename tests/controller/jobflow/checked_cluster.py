"""Random flows with every primitive, and a simulated cluster that checks all invariants after every event."""

import sys
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from controller.jobflow.children.parse.job import parse_job
from shared.model.phases import DependsCondition, DependsStrategy, JobPhase, StepPhase
from tests.controller.jobflow.make import FlowCluster, flow, step

EXPRESSIONS = ("true", "false", "flow.name == 'f'")

SOURCES: tuple[dict[str, Any], ...] = (
    {"items": ["x", "y", "z"]},
    {"items": ["x", "y"], "parallelism": 1},
    {"matrix": {"a": ["1", "2"], "b": ["3"]}},
    {"range": {"start": 0, "end": 2}},
    {"expression": "['p', 'q']"},
    {"while": "index < 2"},
)

LOOP_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "failFast": st.booleans(),
        "tolerate": st.sampled_from([0, 1, 2, "50%", "100%"]),
        "if": st.sampled_from(["true", "false", "index != 1"]),
        "parallelism": st.integers(1, 3),
    },
)

COMMANDS = (
    ("SuspendJobFlow", ""),
    ("ResumeJobFlow", ""),
    ("TerminateJobFlow", ""),
    ("RetryJobFlow", ""),
    ("RestartJobFlow", ""),
    ("RetryJobFlow", '{"from": "s0"}'),
    ("RetryJobFlow", '{"from": "s1", "attempt": 1}'),
    ("RetryJobFlow", '{"step": "s1"}'),
    ("RetryJobFlow", '{"step": "z0"}'),
    ("RetryJobFlow", '{"now": true, "activeDeadlineSeconds": 90}'),
    ("TerminateJobFlow", '{"finally": {"z0": 1}}'),
    ("TerminateJobFlow", '{"finally": {"z0": 2, "z1": 1}}'),
)

PROBE = {"taskStatusList": [{"taskName": "main", "phase": "Running"}]}

ENDS = (JobPhase.COMPLETED, JobPhase.COMPLETED, JobPhase.FAILED, JobPhase.TERMINATED)


@st.composite
def steps(draw: st.DrawFn, prefix: str, upstream: bool) -> list[dict[str, Any]]:
    names = [f"{prefix}{number}" for number in range(draw(st.integers(1, 6 if upstream else 2)))]
    found: list[dict[str, Any]] = []
    chosen: set[str] = set()
    for place, name in enumerate(names):
        fields: dict[str, Any] = {}
        targets: list[str] = []
        if upstream and place:
            targets = draw(st.lists(st.sampled_from(names[:place]), max_size=3, unique=True))
        if targets:
            fields["condition"] = str(draw(st.sampled_from(DependsCondition)))
            fields["strategy"] = str(draw(st.sampled_from(DependsStrategy)))
            if draw(st.integers(0, 5)) == 0:
                fields = {"probe": PROBE}
        if draw(st.integers(0, 3)) == 0:
            fields["if"] = draw(st.sampled_from(EXPRESSIONS))
        kind = draw(st.sampled_from(["job", "job", "job", "for", "switch", "daemon"]))
        rest = [other for other in names[place + 1 :] if other not in chosen]
        if kind == "switch" and upstream and rest and "probe" not in fields:
            run = draw(st.lists(st.sampled_from(rest), min_size=1, max_size=2, unique=True))
            chosen.update(run)
            fields["switch"] = {"value": "'x'", "cases": [{"when": [draw(st.sampled_from("xy"))], "run": run}]}
        elif kind == "for":
            source = draw(st.sampled_from(SOURCES))
            fields["for"] = source if "while" in source else {**source, **draw(LOOP_OPTIONS)}
        elif kind == "daemon" and upstream:
            fields["daemon"] = True
        if draw(st.integers(0, 2)) == 0:
            fields["retry"] = {"limit": draw(st.integers(0, 2)), "backoff": {"duration": "1s"}}
        if draw(st.integers(0, 4)) == 0:
            fields["allowFailure"] = True
        if draw(st.integers(0, 5)) == 0:
            fields["activeDeadlineSeconds"] = 20
        if "switch" in fields:
            fields = {key: value for key, value in fields.items() if key in ("switch", "if", "condition", "strategy")}
        found.append(step(name, *targets, **fields))
    return found


FLOWS = st.builds(
    lambda flows, finals, spec: flow(*flows, finally_=finals, **spec),
    steps("s", True),
    st.one_of(st.just([]), steps("z", False)),
    st.fixed_dictionaries(
        {},
        optional={
            "parallelism": st.integers(0, 3),
            "failureStrategy": st.sampled_from(["Stop", "Continue", "FailFast"]),
            "jobRetainPolicy": st.sampled_from(["retain", "delete"]),
            "activeDeadlineSeconds": st.just(60),
            "suspend": st.just(True),
        },
    ),
)

EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["run", "end", "end", "end", "vanish", "abort"]), st.integers(0, 20), st.integers(0, 3)
        ),
        st.tuples(st.just("wait"), st.integers(1, 30), st.just(0)),
        st.tuples(st.just("command"), st.integers(0, len(COMMANDS) - 1), st.just(0)),
        st.tuples(st.just("crash"), st.just(0), st.just(0)),
        st.tuples(st.just("forget"), st.just(0), st.just(0)),
    ),
    max_size=25,
)

CALM = settings(  # the same examples in every run; with --hypothesis-seed=N others
    max_examples=100,
    deadline=None,
    derandomize="--hypothesis-seed" not in " ".join(sys.argv),
    suppress_health_check=list(HealthCheck),
)


class CheckedCluster:
    """A cluster that checks all invariants after every event."""

    def __init__(self, cluster: FlowCluster) -> None:
        self.cluster = cluster
        self.steps = {one.name: one for one in (*cluster.flow.spec.flows, *cluster.flow.spec.finally_)}
        self.checked = 0

    def settle(self) -> None:
        self.cluster.settle(self.check)

    def move(self, what: str, first: int, second: int) -> None:
        cluster = self.cluster
        jobs = cluster.unfinished()
        if what == "wait":
            cluster.now += first
        elif what == "command":
            cluster.serial += 1
            from controller.jobflow.model.observed import FlowCommand

            action, message = COMMANDS[first]
            name, uid = f"c{cluster.serial}", f"u{cluster.serial}"
            cluster.commands.append(FlowCommand(name, uid, action, message=message))
        elif what == "crash":  # after the actions, before the status
            cluster._act(cluster.decide().decision)
        elif what == "forget":
            cluster.ordered.clear()
        elif jobs:
            self.job(what, jobs[first % len(jobs)], second)

    def job(self, what: str, name: str, second: int) -> None:
        counts = {"main": {"phase": {"Running": 1}}}
        if what == "run":
            self.cluster.set_job(name, JobPhase.RUNNING, taskStatusCount=counts)
        elif what == "abort":
            self.cluster.set_job(name, JobPhase.ABORTED)
        elif what == "vanish":
            del self.cluster.bodies[name]
        else:
            self.cluster.set_job(name, ENDS[second])

    # -- what must hold -------------------------------------------------------------------------------------------------
    def check(self) -> None:
        status = self.cluster.status
        states = {one.name: one for one in status.steps}
        for name in self.cluster.created[self.checked :]:
            self.check_targets(
                parse_job(self.cluster.bodies[name]).step, states
            ) if name in self.cluster.bodies else None
        self.checked = len(self.cluster.created)
        counts = status.counts
        assert counts is not None
        assert counts.waiting + counts.running + counts.completed + counts.failed + counts.skipped == len(states)
        ended = [one for one in status.steps if one.phase.ended]
        assert status.progress == f"{len(ended)}/{len(states)}"
        over = status.state.phase in ("Succeed", "Failed")
        assert over is (len(ended) == len(states)) is (status.completion_time is not None)
        limit = self.cluster.flow.spec.parallelism
        if limit:
            assert len(self.counted()) <= limit + len(self.abandoned(states))
        for one in status.next:
            assert one.waiting_for
            assert not states[one.name].phase.ended

    def check_targets(self, name: str, states: dict[str, Any]) -> None:
        """A Job was made just now: its step's targets must let it."""
        one = self.steps[name]
        if one.depends_on is None or one.depends_on.probe or states[name].phase != StepPhase.PENDING:
            return
        targets = [states[target] for target in one.depends_on.targets if not self.steps[target].daemon]
        if one.depends_on.strategy == DependsStrategy.ANY:
            assert (
                not targets or len(targets) < len(one.depends_on.targets) or any(each.phase.ended for each in targets)
            )
        else:
            assert all(each.phase.ended for each in targets)

    def counted(self) -> list[str]:
        jobs = [parse_job(self.cluster.bodies[name]) for name in self.cluster.unfinished()]
        finals = {one.name for one in self.cluster.flow.spec.finally_}
        return [job.name for job in jobs if job.step not in finals and not self.steps[job.step].daemon]

    def abandoned(self, states: dict[str, Any]) -> list[str]:
        """Jobs of ended steps and of earlier attempts, on their way out."""
        jobs = [parse_job(self.cluster.bodies[name]) for name in self.cluster.unfinished()]
        return [job.name for job in jobs if states[job.step].phase.ended or job.attempt < states[job.step].attempt_base]


def drain(world: CheckedCluster) -> None:
    """Let everything run to its end."""
    cluster = world.cluster
    for _ in range(120):
        if cluster.status.completion_time and not cluster.commands:
            return
        if cluster.flow.spec.suspend:
            world.move("command", 1, 0)
        for name in cluster.unfinished():
            job = parse_job(cluster.bodies[name])
            if world.steps[job.step].daemon and job.phase is not JobPhase.RUNNING:
                world.job("run", name, 0)
                world.settle()
        for name in cluster.unfinished():
            if name in cluster.bodies and not world.steps[parse_job(cluster.bodies[name]).step].daemon:
                world.job("run", name, 0)
                world.settle()
        for name in cluster.unfinished():
            if name in cluster.bodies and not world.steps[parse_job(cluster.bodies[name]).step].daemon:
                world.job("end", name, 0)
                world.settle()
        cluster.now += 5
        world.settle()
    raise AssertionError(f"never ends: {cluster.phases()} {cluster.next()} {cluster.unfinished()}")
