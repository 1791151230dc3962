"""The objects to create and to delete for a Job in its phase: claims, plugin objects, the PodGroup and pods."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from controller.decision import Action, Create, Delete, Refusal
from controller.job.children import blockers, podgroup
from controller.job.children.pods import forwarding_patch, owner_reference, pod_body
from controller.job.children.quota_wait import wait_for_quota
from controller.job.model import plugin_objects, volumes
from controller.job.model.observed import JobObservation, PodObservation
from controller.job.model.pods_by_role import STOPPED, current_group
from controller.job.phase.dependencies import tasks_with_pods
from controller.job.phase.snapshot import JobSnapshot
from controller.job.react import refusals
from controller.job.react.refusals import Blocker
from controller.plugin_api import PluginJob
from shared.kinds import POD
from shared.naming import pod_name


class Children(msgspec.Struct, frozen=True):
    """`first`: what must exist before the pods that `actions` create: PodGroup, claims and plugin objects;
    `created`: task -> indexes that `actions` create; `withdrawn`: task -> indexes that `cleanup` deletes before they have
    started, which is no event for the Job's policies; `wake`: when what was refused is to be tried again.

    Everything that deletes is in `cleanup`: what is deleted must be accounted for in status before.
    """

    actions: tuple[Action, ...] = ()
    cleanup: tuple[Action, ...] = ()
    created: Mapping[str, frozenset[int]] = {}
    withdrawn: Mapping[str, frozenset[int]] = {}
    blocker: Blocker | None = None
    wake: float | None = None
    first: tuple[Action, ...] = ()


def children(snapshot: JobSnapshot) -> Children:
    if snapshot.record.phase in STOPPED:
        return Children(cleanup=tuple(_when_stopped(snapshot)))
    leftovers = _deletes(snapshot.observed, (*snapshot.by_role.stale, *snapshot.by_role.surplus))
    cleanup = (*leftovers, *podgroup.stale_removal(snapshot.observed, snapshot.record))
    if not snapshot.observed.may_create:
        return Children(cleanup=(*leftovers, *podgroup.removal(snapshot.observed)))
    blocker = blockers.missing(snapshot.observed, snapshot.record, snapshot.wanted)
    if blocker:
        return Children(cleanup=cleanup, blocker=blocker)
    shape = plugin_objects.plugin_job_of(snapshot.observed.job, snapshot.wanted)
    around, conflicts = _supporting_objects(snapshot, shape)
    refused = blockers.held(around, snapshot.observed)
    held = [action for action, _ in refused]
    tried = tuple(action for action in around if action not in held)
    if blocker := blockers.combined(conflicts, refused):
        return Children(tried, cleanup, blocker=blocker, wake=refusals.wake(refusal for _, refusal in refused))
    made = _pods(snapshot, shape)
    return msgspec.structs.replace(made, first=tried, cleanup=(*cleanup, *made.cleanup))


def _when_stopped(snapshot: JobSnapshot) -> Iterator[Action]:
    """Delete what has not finished, and the PodGroup. Plugin objects are deleted when the Job has ended
    (docs/design/decisions.md, row 6).
    """
    yield from _deletes(snapshot.observed, (pod for pod in snapshot.by_role.everything if not pod.finished))
    yield from podgroup.removal(snapshot.observed)
    if snapshot.record.phase.finished:
        yield from plugin_objects.removal(snapshot.observed)


def _deletes(observed: JobObservation, pods: Iterable[PodObservation]) -> tuple[Delete, ...]:
    namespace = observed.job.metadata.namespace
    return tuple(Delete(POD, namespace, pod.name, pod.uid) for pod in pods if not pod.terminating)


def _supporting_objects(snapshot: JobSnapshot, shape: PluginJob) -> tuple[tuple[Action, ...], tuple[str, ...]]:
    """Everything but the pods, and the names that plugins cannot use."""
    observed = snapshot.observed
    plan = plugin_objects.plan(observed, shape)
    group = podgroup.wanted_actions(
        observed, snapshot.record, snapshot.wanted, tasks_with_pods(snapshot.record, snapshot.wanted)
    )
    claims = volumes.claims_to_make(observed.job, observed.claims, owner_reference(observed))
    return (*forwarding_patch(observed), *claims, *plan.actions, *group), plan.conflicts


def _pods(snapshot: JobSnapshot, shape: PluginJob) -> Children:
    """No pod is created while the PodGroup of an earlier version exists: it would belong to that group."""
    group = current_group(snapshot.observed.group, snapshot.record)
    outdated = group is None and snapshot.observed.group is not None
    if outdated or not snapshot.observed.settings.backend.pods_may_be_created(group):
        return Children()
    slots = _slots(snapshot)
    if waiting := wait_for_quota(snapshot, slots):
        deletes = _deletes(snapshot.observed, waiting.withdraw)
        return Children(cleanup=deletes, withdrawn=waiting.withdrawn, blocker=waiting.blocker, wake=waiting.wake)
    held = _refused(snapshot.observed, slots)
    if held:
        rest = f" (pods still to be created: {len(slots)})"
        return Children(blocker=refusals.blocker(held[0], rest), wake=refusals.wake(held))
    made: dict[str, set[int]] = {}
    creates: list[Action] = []
    for task, index in slots.values():
        body = pod_body(
            snapshot.observed, snapshot.wanted, snapshot.record, shape, snapshot.wanted.by_name[task], index
        )
        creates.append(Create(POD, body))
        made.setdefault(task, set()).add(index)
    return Children(tuple(creates), created={task: frozenset(indexes) for task, indexes in made.items()})


def _slots(snapshot: JobSnapshot) -> dict[str, tuple[str, int]]:
    """Missing pods whose name is free: pod name -> (task, index)."""
    taken, job = snapshot.by_role.names, snapshot.observed.job.metadata.name
    return {
        name: (task.name, index)
        for task in tasks_with_pods(snapshot.record, snapshot.wanted)
        for index in snapshot.counts[task.name].missing
        if (name := pod_name(job, task.name, index)) not in taken
    }


def _refused(observed: JobObservation, slots: Mapping[str, object]) -> list[Refusal]:
    """Refusals of missing pods whose back-off is not over. No pod is created while there is one."""
    known = (observed.refusals.get((POD, name)) for name in slots) if observed.refusals else ()
    return [refusal for refusal in known if refusal is not None and refusals.is_fresh(refusal, observed.now)]
