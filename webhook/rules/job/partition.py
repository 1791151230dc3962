"""Partitions of a task add up to its replicas (docs/design/volcano-behaviour.md, section 2.3)."""

from collections.abc import Iterator

from shared.model.job import PartitionPolicy, TaskSpec
from shared.violation import Violation
from webhook.subject.subjects import JobSubject


def partitions_cover_the_replicas(job: JobSubject) -> Iterator[Violation]:
    for path, task, policy in _partitioned(job):
        product = policy.total_partitions * policy.partition_size
        if product != task.replicas:
            message = f"'Replicas' are not equal to TotalPartitions*PartitionSize ({policy.total_partitions}*{policy.partition_size} = {product})"
            yield Violation(f"{path}.replicas", message, task.replicas)


def minimum_is_whole_partitions(job: JobSubject) -> Iterator[Violation]:
    for path, task, policy in _partitioned(job):
        least = (policy.min_partitions or 0) * policy.partition_size
        if least and task.min_available is not None and task.min_available != least:
            message = f"'MinAvailable' is not equal to MinPartitions*PartitionSize ({policy.min_partitions}*{policy.partition_size} = {least})"
            yield Violation(f"{path}.minAvailable", message, task.min_available)


def minimum_partitions_exist(job: JobSubject) -> Iterator[Violation]:
    for path, _, policy in _partitioned(job):
        if (policy.min_partitions or 0) > policy.total_partitions:
            message = f"must not be greater than totalPartitions ({policy.total_partitions})"
            yield Violation(f"{path}.partitionPolicy.minPartitions", message, policy.min_partitions)


def _partitioned(job: JobSubject) -> Iterator[tuple[str, TaskSpec, PartitionPolicy]]:
    for index, task in enumerate(job.tasks):
        if task.partition_policy is not None:
            yield f"spec.tasks[{index}]", task, task.partition_policy
