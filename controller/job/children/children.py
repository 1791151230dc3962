"""What is to exist beside the Job in its phase - claims, plugin objects, PodGroup, pods - and what is not."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from controller.decision import Action, Create, Delete, Patch, Refusal
from controller.job.children import plugin_objects, podgroup, volumes
from controller.job.children.pods import is_forwarded, owner_reference, pod_body
from controller.job.decide.defaults import Wanted
from controller.job.decide.dependencies import tasks_with_pods
from controller.job.decide.snapshot import Situation
from controller.job.observe.observed import JobSeen, PodSeen
from controller.job.observe.pods_by_role import STOPPED, current_group
from controller.job.react import refusals
from controller.job.react.refusals import Obstacle
from controller.plugin_api import JobShape
from shared import names
from shared.kinds import JOB, POD
from shared.naming import pod_name


class Children(msgspec.Struct, frozen=True):
    """`created`: task -> indexes that `actions` create; `wake`: when what was refused is to be tried again.

    Everything that deletes is in `cleanup`: what is deleted must be accounted for in status before.
    """

    actions: tuple[Action, ...] = ()
    cleanup: tuple[Action, ...] = ()
    created: Mapping[str, frozenset[int]] = {}
    obstacle: Obstacle | None = None
    wake: float | None = None


def children(now: Situation) -> Children:
    if now.ledger.phase in STOPPED:
        return Children(cleanup=tuple(_when_stopped(now)))
    leftovers = _deletes(now.seen, (*now.view.stale, *now.view.surplus))
    cleanup = (*leftovers, *podgroup.stale_removal(now.seen, now.ledger))
    obstacle = _obstacle(now.seen, now.wanted)
    if obstacle:
        return Children(cleanup=cleanup, obstacle=obstacle)
    shape = plugin_objects.shape_of(now.seen.job, now.wanted)
    around, conflict = _around(now, shape)
    held = [refusal for action in around if (refusal := refusals.refusal_of(action, now.seen))]
    tried = tuple(action for action in around if refusals.refusal_of(action, now.seen) is None)
    if conflict or held:
        return Children(tried, cleanup, obstacle=conflict or refusals.obstacle(held[0]), wake=refusals.wake(held))
    made = _pods(now, shape)
    return msgspec.structs.replace(made, actions=(*tried, *made.actions), cleanup=cleanup)


def _when_stopped(now: Situation) -> Iterator[Action]:
    """Whatever has not finished goes, and the group; plugin objects go with the end of the Job (decisions row 6)."""
    yield from _deletes(now.seen, (pod for pod in now.view.everything if not pod.finished))
    yield from podgroup.removal(now.seen)
    if now.ledger.phase.finished:
        yield from plugin_objects.removal(now.seen)


def _deletes(seen: JobSeen, pods: Iterable[PodSeen]) -> tuple[Delete, ...]:
    namespace = seen.job.metadata.namespace
    return tuple(Delete(POD, namespace, pod.name, pod.uid) for pod in pods if not pod.terminating)


def _obstacle(seen: JobSeen, wanted: Wanted) -> Obstacle | None:
    """What only the user can put right. The queue `default` may be missing: it has no limits then."""
    if seen.queue is None and wanted.queue != names.DEFAULT_QUEUE:
        return Obstacle("QueueNotFound", f"queue {wanted.queue} does not exist; the Job waits for it")
    if missing := volumes.missing_claims(seen.job, seen.claims):
        message = f"PersistentVolumeClaim {', '.join(missing)} does not exist; the Job waits for it"
        return Obstacle("VolumeClaimNotFound", message)
    return None


def _around(now: Situation, shape: JobShape) -> tuple[tuple[Action, ...], Obstacle | None]:
    """Everything but pods; and what is in the way of a plugin."""
    seen = now.seen
    plan = plugin_objects.plan(seen, shape)
    group = podgroup.wanted_actions(seen, now.ledger, now.wanted, tasks_with_pods(now.ledger, now.wanted))
    claims = volumes.claims_to_make(seen.job, seen.claims, owner_reference(seen))
    conflict = Obstacle("PluginConflict", "; ".join(plan.conflicts)) if plan.conflicts else None
    return (*_forwarding(seen), *claims, *plan.actions, *group), conflict


def _forwarding(seen: JobSeen) -> Iterator[Patch]:
    """The Job of a queue that reaches into other clusters says so."""
    metadata = seen.job.metadata
    if is_forwarded(seen) and metadata.annotations.get(names.JOB_FORWARDING) != "true":
        patch = {"metadata": {"annotations": {names.JOB_FORWARDING: "true"}}}
        yield Patch(JOB, metadata.namespace, metadata.name, patch, uid=metadata.uid)


def _pods(now: Situation, shape: JobShape) -> Children:
    if not now.seen.settings.backend.pods_may_be_created(current_group(now.seen.group, now.ledger)):
        return Children()
    slots = _slots(now)
    held = _refused(now.seen, slots)
    if held:
        rest = f" ({len(slots)} pods are still to be created)"
        return Children(obstacle=refusals.obstacle(held[0], rest), wake=refusals.wake(held))
    made: dict[str, set[int]] = {}
    creates: list[Action] = []
    for task, index in slots.values():
        body = pod_body(now.seen, now.wanted, now.ledger, shape, now.wanted.by_name[task], index)
        creates.append(Create(POD, body))
        made.setdefault(task, set()).add(index)
    return Children(tuple(creates), created={task: frozenset(indexes) for task, indexes in made.items()})


def _slots(now: Situation) -> dict[str, tuple[str, int]]:
    """Pods that are missing and whose name is free: pod name -> (task, index)."""
    taken, job = now.view.names, now.seen.job.metadata.name
    return {
        name: (task.name, index)
        for task in tasks_with_pods(now.ledger, now.wanted)
        for index in now.counts[task.name].missing
        if (name := pod_name(job, task.name, index)) not in taken
    }


def _refused(seen: JobSeen, slots: Mapping[str, object]) -> list[Refusal]:
    """Refusals of missing pods that are too fresh: while there is one, no pod is tried."""
    known = (seen.refusals.get((POD, name)) for name in slots) if seen.refusals else ()
    return [refusal for refusal in known if refusal is not None and refusals.is_fresh(refusal, seen.now)]
