"""Handles a gang whose minimum exceeds a ResourceQuota: it has no pods until all pods of the minimum fit."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from controller.decision import Refusal
from controller.job import reasons
from controller.job.model.observed import PodObservation
from controller.job.model.quota import (
    TRY_SECONDS,
    ExceededQuota,
    exceeded_quotas,
    has_started,
    is_as_refused,
    lacks_for_ever,
)
from controller.job.phase.dependencies import tasks_with_pods
from controller.job.phase.snapshot import JobSnapshot
from controller.job.react import refusals
from controller.job.react.refusals import Blocker

NEVER_SECONDS: Final = 15.0  # between attempts of a gang that needs a larger quota, which may have changed
UNCHANGED_SECONDS: Final = 600.0  # while it has not; a change wakes the Job


class QuotaWait(msgspec.Struct, frozen=True):
    """`wake`: when to try again, epoch seconds; `withdraw`: gated pods to delete meanwhile."""

    blocker: Blocker
    wake: float
    withdraw: tuple[PodObservation, ...] = ()

    @property
    def withdrawn(self) -> Mapping[str, frozenset[int]]:
        tasks = {pod.task for pod in self.withdraw}
        return {task: frozenset(pod.index for pod in self.withdraw if pod.task == task) for task in tasks}


def wait_for_quota(snapshot: JobSnapshot, missing: Collection[str]) -> QuotaWait | None:
    """None when the gang has its minimum, or nothing keeps it from trying to create the `missing` pods."""
    observed, ahead = snapshot.observed, snapshot.observed.quota_ahead
    latest = next(iter(exceeded_quotas(observed)), None)
    if not missing or (latest is None and not ahead) or has_started(observed) or _has_minimum(snapshot):
        return None
    gated = tuple(pod for pods in snapshot.by_role.current.values() for pod in pods.values() if pod.alive)
    if latest is None:
        return QuotaWait(_behind(ahead), observed.now + TRY_SECONDS / 2, gated)
    exceeded, refusal = latest
    again = _again_at(snapshot, exceeded, refusal)
    if ahead and not lacks_for_ever(observed, exceeded):
        return QuotaWait(_behind(ahead, exceeded), observed.now + TRY_SECONDS / 2, gated)
    if not gated and not refusal.at <= observed.now < again:
        return None
    return QuotaWait(_explained(snapshot, exceeded, refusal), again, gated)


def _has_minimum(snapshot: JobSnapshot) -> bool:
    tasks = tasks_with_pods(snapshot.record, snapshot.wanted)
    have = {task.name: _existing(snapshot, task.name) for task in tasks}
    minimum, of_tasks = snapshot.wanted.minimum(tasks), sum(task.minimum for task in tasks)
    if minimum >= of_tasks and any(have[task.name] < task.minimum for task in tasks):
        return False
    return sum(have.values()) >= minimum


def _existing(snapshot: JobSnapshot, task: str) -> int:
    known = snapshot.record.task(task)
    alive = {index for index, pod in snapshot.by_role.of(task).items() if pod.alive}
    return len(alive | known.succeeded | known.failed)


def _again_at(snapshot: JobSnapshot, exceeded: ExceededQuota, refusal: Refusal) -> float:
    if lacks_for_ever(snapshot.observed, exceeded):
        if is_as_refused(snapshot.observed, exceeded):
            return refusal.at + UNCHANGED_SECONDS
        return min(refusals.again_at(refusal), refusal.at + NEVER_SECONDS)
    return min(refusals.again_at(refusal), refusal.at + TRY_SECONDS)


def _behind(ahead: str, exceeded: ExceededQuota | None = None) -> Blocker:
    name = f"quota {exceeded.name}" if exceeded else "the quota of the namespace"
    return Blocker(reasons.FAILED_CREATE, f"waits for {name} behind Job {ahead}, which is older")


def _explained(snapshot: JobSnapshot, exceeded: ExceededQuota, refusal: Refusal) -> Blocker:
    resource, said = lacks_for_ever(snapshot.observed, exceeded), refusals.blocker(refusal).message
    if not resource:
        return Blocker(reasons.FAILED_CREATE, f"{said} (no pod is created until all that must start together fit)")
    group = snapshot.observed.group
    needs = (group.spec.min_resources or {}).get(resource) if group else None
    message = f"never fits: the pods that start together need {resource} {needs}, quota {exceeded.name} allows "
    return Blocker(reasons.FAILED_CREATE, f"{message}{exceeded.limited[resource]}; {said}")
