"""From what happened to what is recorded: marks, timers, and the actions that policies and Commands ask for."""

import msgspec

from controller.decision import Note
from controller.job.decide import timers
from controller.job.decide.defaults import Wanted
from controller.job.decide.record import Ledger
from controller.job.observe.observed import JobSeen
from controller.job.observe.pods_by_role import STOPPED, View, view
from controller.job.react import policies
from controller.job.react.actions import act
from controller.job.react.events import Happening, happenings, marked, running
from shared.model.phases import JobAction, JobEvent

EXECUTE = "ExecuteAction"
_POD_LOST = frozenset({JobEvent.POD_FAILED, JobEvent.POD_EVICTED})
_ROUNDS = 5  # one happening leads to another: pod failed -> task failed; more would be a loop


class Reacted(msgspec.Struct, frozen=True):
    """`ledger` with everything marked. `intent`: something is to be done about it, so it must be stored before all else."""

    ledger: Ledger
    intent: bool = False
    notes: tuple[Note, ...] = ()

    def then(self, ledger: Ledger, note: str = "") -> "Reacted":
        notes = (*self.notes, Note(EXECUTE, note)) if note else self.notes
        return Reacted(ledger, True, notes)


def react(seen: JobSeen, ledger: Ledger, wanted: Wanted) -> Reacted:
    """Deal with everything that happened. After an action on the whole Job the rest belongs to the past."""
    pods = view(seen.pods, ledger, wanted)
    known = timers.reopened(timers.pruned(ledger, seen, pods), pods)
    state = _late(seen, pods, Reacted(known), wanted)
    for _ in range(_ROUNDS):
        pods = view(seen.pods, state.ledger, wanted)
        found = happenings(seen, pods, state.ledger, wanted)
        if policies.speaks_of(wanted, JobEvent.POD_RUNNING):
            found += tuple(running(seen, pods, state.ledger))
        if not found or _is_over(state, ledger):
            break
        for happening in found:
            if not _is_over(state, ledger) and not _is_dealt_with(state.ledger, happening):
                state = _one(happening, seen, pods, state, wanted)
    return state


def _is_over(state: Reacted, before: Ledger) -> bool:
    return state.ledger.phase in STOPPED or state.ledger.version != before.version


def _is_dealt_with(ledger: Ledger, happening: Happening) -> bool:
    return happening.pod is not None and happening.pod.uid in ledger.task(happening.task).replacing


def _late(seen: JobSeen, pods: View, state: Reacted, wanted: Wanted) -> Reacted:
    """Timers that are due, and pods that have been Pending for too long."""
    before = state.ledger
    for happening, action in timers.due(before, pods, seen.now):
        if not _is_over(state, before) and happening.key in state.ledger.handled:
            fired = state.then(timers.fired(state.ledger, happening))
            state = _perform(action, happening, seen, pods, fired, wanted)
    for at, happening, action in tuple(timers.pending(seen, pods, state.ledger, wanted)):
        if at <= seen.now and not _is_over(state, before) and not _is_dealt_with(state.ledger, happening):
            state = _perform(action, happening, seen, pods, state.then(marked(state.ledger, happening, seen)), wanted)
    return state


def _one(happening: Happening, seen: JobSeen, pods: View, state: Reacted, wanted: Wanted) -> Reacted:
    answer = policies.reaction(wanted, happening)
    if answer is None:
        return Reacted(marked(state.ledger, happening, seen), state.intent or _needs_storing(happening), state.notes)
    if answer.delay > 0:
        timer = timers.armed(happening, answer)
        return state.then(marked(state.ledger, happening, seen).with_handled(timer))
    return _perform(answer.action, happening, seen, pods, state.then(marked(state.ledger, happening, seen)), wanted)


def _needs_storing(happening: Happening) -> bool:
    """A pod that is replaced without a policy is named in status before it is deleted."""
    return happening.event is JobEvent.POD_EVICTED and happening.pod is not None and not happening.pod.terminating


def _perform(
    action: JobAction, happening: Happening, seen: JobSeen, pods: View, state: Reacted, wanted: Wanted
) -> Reacted:
    changed = act(action, happening, str(happening.event), state.ledger, pods, wanted)
    if changed is None:
        return _exhausted(action, happening, seen, pods, state, wanted)
    return state.then(changed, changed.message if changed is not state.ledger else "")


def _exhausted(
    action: JobAction, happening: Happening, seen: JobSeen, pods: View, state: Reacted, wanted: Wanted
) -> Reacted:
    """The task's restarts are used up: the pod stays failed, and the task has failed as far as policies go."""
    ledger, task = state.ledger, wanted.by_name[happening.task]
    if happening.event in _POD_LOST:
        known = ledger.task(task.name)
        replacing = known.replacing - ({happening.pod.uid} if happening.pod else set())
        ledger = ledger.with_task(task.name, failed=known.failed | {happening.index}, replacing=replacing)
    if ledger.task(task.name).gave_up:
        return state.then(ledger)
    what = f"{happening.what}; {task.max_retry} of {task.max_retry} restarts of task {task.name} are used up"
    failed = Happening(JobEvent.TASK_FAILED, task.name, since=seen.now, what=what)
    return _one(failed, seen, pods, state.then(ledger, f"{what}: no {action}"), wanted)
