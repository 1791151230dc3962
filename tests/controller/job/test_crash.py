"""A controller that is killed between any two writes, in a cluster with random events: nothing counts twice, nothing
is lost."""

import re
from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared import ranges
from shared.model.types import Body
from shared.timestamp import epoch
from tests.controller.job.make import after, job, policy, task
from tests.controller.job.toy import Crash, Toy

POLICIES = st.lists(
    st.sampled_from(
        [
            policy("RestartJob", "PodFailed"),
            policy("RestartPod", "PodFailed"),
            policy("RestartTask", "PodFailed"),
            policy("RestartPod", exit_code=3),
            policy("RestartJob", "PodEvicted"),
            policy("RestartTask", "PodEvicted", timeout="20s"),
            policy("RestartJob", "PodFailed", timeout="30s"),
            policy("AbortJob", "TaskFailed"),
            policy("CompleteJob", "TaskCompleted"),
            policy("RestartJob", "Unknown"),
            policy("AbortJob", "PodPending", timeout="40s"),
            policy("RestartJob", "*"),
        ]
    ),
    max_size=3,
)


class Life(RuleBasedStateMachine):
    """One Job with random results of pods and random crashes of the controller."""

    @initialize(
        of_job=POLICIES,
        of_task=POLICIES,
        replicas=st.integers(1, 3),
        second=st.integers(0, 2),
        depends=st.booleans(),
        least=st.integers(0, 3) | st.none(),
        retries=st.integers(0, 3),
    )
    def begin(
        self,
        of_job: list[Body],
        of_task: list[Body],
        replicas: int,
        second: int,
        depends: bool,
        least: int | None,
        retries: int,
    ) -> None:
        tasks = [task("a", replicas, *of_task, maxRetry=retries)]
        if second:
            tasks.append(task("b", second, dependsOn=after("a")) if depends else task("b", second))
        spec = {} if least is None else {"minAvailable": min(least, replicas + second)}
        self.cluster = Toy(job(*tasks, policies=of_job, maxRetry=retries, **spec))
        self.retries = retries
        self.failures = self.successes = 0

    # --- the controller -------------------------------------------------------------------------------------------

    @rule(writes=st.integers(0, 5))
    def look_and_die(self, writes: int) -> None:
        self.cluster.crash_after = writes
        try:
            self.cluster.look()
        except Crash:
            pass
        finally:
            self.cluster.crash_after = None
        self.check_counts()

    @rule()
    def look(self) -> None:
        self.cluster.look()
        self.check_counts()

    @rule()
    def rest(self) -> None:
        self.cluster.settle()
        self.check_counts()

    # --- the cluster ------------------------------------------------------------------------------------------------

    def pick(self, number: int, *phases: str) -> str | None:
        found = sorted(name for name, phase in self.cluster.shown.items() if phase in phases)
        return found[number % len(found)] if found else None

    @rule()
    def admit(self) -> None:
        self.cluster.admit()

    @rule(number=st.integers(0, 9))
    def run(self, number: int) -> None:
        if name := self.pick(number, "Pending"):
            self.cluster.run(name)

    @rule(number=st.integers(0, 9))
    def succeed(self, number: int) -> None:
        if name := self.pick(number, "Running"):
            self.successes += 1
            self.cluster.succeed(name)

    @rule(number=st.integers(0, 9), code=st.sampled_from([1, 3]))
    def fail(self, number: int, code: int) -> None:
        if name := self.pick(number, "Running"):
            self.failures += 1
            self.cluster.fail(name, code=code)

    @rule(number=st.integers(0, 9), left_behind=st.booleans())
    def evict(self, number: int, left_behind: bool) -> None:
        if name := self.pick(number, "Running", "Pending"):
            self.failures += 1
            self.cluster.evict(name, left_behind)

    @rule(number=st.integers(0, 9))
    def lose(self, number: int) -> None:
        if name := self.pick(number, "Running", "Pending", "Terminating"):
            self.failures += 1
            self.cluster.lose(name)

    @rule()
    def vanish(self) -> None:
        self.cluster.vanish()

    @rule(number=st.integers(0, 9))
    def delay(self, number: int) -> None:
        if name := self.pick(number, "Pending", "Running"):
            self.cluster.delay(name)

    @rule()
    def catch_up(self) -> None:
        self.cluster.catch_up()

    @rule(seconds=st.sampled_from([1, 10, 25, 60]))
    def wait(self, seconds: int) -> None:
        self.cluster.wait(seconds)

    @precondition(lambda self: self.cluster.group)
    @rule(phase=st.sampled_from(["Unknown", "Running", "Pending"]))
    def group(self, phase: str) -> None:
        self.failures += phase == "Unknown"
        self.cluster.group_phase(phase)

    # --- what must hold ---------------------------------------------------------------------------------------------

    def check_counts(self) -> None:
        """Retries only grow by causes, each at most once, and never beyond their limit."""
        self.check_timers()
        status = self.cluster.status
        restarts = status.retry_count + sum(record.retries for record in status.tasks)
        assert restarts <= self.failures + self.successes
        assert status.retry_count <= self.retries
        assert all(record.retries <= max(self.retries, 3) for record in status.tasks)

    def check_timers(self) -> None:
        """An action of a timer was not taken before the timer was due."""
        for message in self.cluster.text("ExecuteAction"):
            if late := re.search(r"lasted until (\S+?Z)", message):
                assert epoch(late[1]) <= self.cluster.now
        self.cluster.notes.clear()

    @invariant()
    def no_pod_is_made_twice(self) -> None:
        """Within one version of the Job, a pod is created again only after it was lost, evicted or replaced."""
        made = Counter(self.cluster.created)
        again = sum(count - 1 for count in made.values())
        restarted = sum(record.retries for record in self.cluster.status.tasks) * 3
        past = self.cluster.status.version * 20
        assert again <= self.failures + restarted + past

    @invariant()
    def an_end_is_for_ever(self) -> None:
        if self.cluster.phases and self.cluster.phases[-1] in ("Completed", "Failed", "Terminated"):
            assert not set(self.cluster.phases[:-1]) & {"Completed", "Failed", "Terminated"}

    def teardown(self) -> None:
        """Whatever happened, the Job ends when its pods do; and its counters agree with what is left."""
        cluster = self.cluster.catch_up()
        for _ in range(60):
            cluster.admit().settle().vanish().settle()
            if cluster.phase in ("Completed", "Failed", "Terminated", "Aborted"):
                break
            waiting = [name for name, phase in cluster.shown.items() if phase == "Pending"]
            going = [name for name, phase in cluster.shown.items() if phase == "Running"]
            if waiting:
                cluster.run(*waiting)
            elif going:
                cluster.succeed(*going)
            else:
                cluster.wait(30)
        assert cluster.phase in ("Completed", "Failed", "Terminated", "Aborted")
        status = cluster.vanish().settle().status
        assert (status.pending, status.running, status.terminating) == (0, 0, 0)
        assert status.succeeded == sum(len(ranges.parse(record.succeeded)) for record in status.tasks)
        assert {"Pending", "Running"}.isdisjoint(cluster.shown.values())
        assert cluster.group is None


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
