"""A Job's spec with every absent field read as its default (docs/design/decisions.md, row 26)."""

from functools import cached_property

import msgspec

from shared import names
from shared.codec.plural import number_of, verb
from shared.model.job import Job, LifecyclePolicy, TaskSpec
from shared.model.phases import TaskCondition, TaskIteration


class Task(msgspec.Struct, frozen=True):
    """A task. `minimum`: pods that it needs; `needs`: the tasks that it depends on, one of them (`any_of`) or all,
    until `condition`; `own_retry`: its maxRetry differs from that of the Job. The webhook stores the Job's in tasks
    without one.
    """

    name: str
    replicas: int
    minimum: int
    max_retry: int
    own_retry: bool
    needs: tuple[str, ...]
    any_of: bool
    condition: TaskCondition
    spec: TaskSpec

    def restarts_used_up(self, whose: str = "") -> str:
        """`5 restarts are used up (maxRetry of the task)`. `whose`: what follows the number, such as ` of task t`."""
        source = "the task" if self.own_retry else "the task and of the Job"
        restarts = f"{number_of(self.max_retry, 'restart')}{whose} {verb(self.max_retry, 'is', 'are')}"
        return f"{restarts} used up (maxRetry of {source})"

    def partition(self, index: int) -> int | None:
        """The partition of replica `index`, or None for a task without partitions."""
        policy = self.spec.partition_policy
        return index // policy.partition_size if policy else None


class EffectiveSpec(msgspec.Struct, frozen=True, dict=True):
    """The spec of a Job after defaulting."""

    tasks: tuple[Task, ...]
    min_available: int
    min_success: int | None
    max_retry: int
    queue: str
    scheduler: str
    policies: tuple[LifecyclePolicy, ...]
    suspend: bool = False
    active_deadline: int | None = None

    @cached_property
    def by_name(self) -> dict[str, Task]:
        return {task.name: task for task in self.tasks}

    @cached_property
    def replicas(self) -> int:
        return sum(task.replicas for task in self.tasks)

    @cached_property
    def every_task_counts(self) -> bool:
        """Whether the minimums of tasks apply: only when the Job's covers their sum (docs/design/volcano-behaviour.md,
        section 3.6 and 5.1).
        """
        return self.min_available >= sum(task.minimum for task in self.tasks)

    def minimum(self, tasks: tuple[Task, ...]) -> int:
        """Pods that the gang needs when only `tasks` may have pods (docs/design/decisions.md, row 3)."""
        if len(tasks) == len(self.tasks):
            return self.min_available
        if self.every_task_counts:
            return sum(task.minimum for task in tasks)
        return min(self.min_available, sum(task.replicas for task in tasks))


def effective_spec(job: Job, condition: TaskCondition = TaskCondition.COMPLETED) -> EffectiveSpec:
    """`condition`: what `dependsOn` without a condition waits for (setting --depends-on-condition)."""
    spec = job.spec
    max_retry = names.DEFAULT_MAX_RETRY if spec.max_retry is None else spec.max_retry
    tasks = tuple(_task(task, position, condition, max_retry) for position, task in enumerate(spec.tasks or ()))
    needed = sum(task.minimum for task in tasks) if spec.min_available is None else spec.min_available
    return EffectiveSpec(
        tasks=tasks,
        min_available=needed,
        min_success=spec.min_success,
        max_retry=max_retry,
        queue=spec.queue or names.DEFAULT_QUEUE,
        scheduler=spec.scheduler_name or names.DEFAULT_SCHEDULER,
        policies=spec.policies,
        suspend=spec.suspend or job.metadata.annotations.get(names.SUSPEND) == "true",
        active_deadline=spec.active_deadline_seconds,
    )


def is_managed_elsewhere(job: Job) -> bool:
    """Whether another controller runs the Job, such as MultiKueue's."""
    managed_by = job.spec.managed_by or job.metadata.annotations.get(names.MANAGED_BY, "")
    return managed_by not in ("", names.JOB_CONTROLLER)


def _task(spec: TaskSpec, position: int, condition: TaskCondition, max_retry: int) -> Task:
    depends = spec.depends_on
    return Task(
        name=spec.name or f"default{position}",
        replicas=spec.replicas,
        minimum=_minimum(spec),
        max_retry=max_retry if spec.max_retry is None else spec.max_retry,
        own_retry=spec.max_retry not in (None, max_retry),
        needs=tuple(dict.fromkeys(depends.name)) if depends else (),
        any_of=depends is not None and depends.iteration == TaskIteration.ANY,
        condition=(depends.condition if depends else None) or condition,
        spec=spec,
    )


def _minimum(spec: TaskSpec) -> int:
    if spec.min_available is not None:
        return min(spec.min_available, spec.replicas)
    partitions = spec.partition_policy
    if partitions and partitions.min_partitions:
        return partitions.min_partitions * partitions.partition_size
    return spec.replicas
