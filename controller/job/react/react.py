"""Applies events to the record: marks, timers, and the actions of policies."""

import msgspec

from controller.decision import Note
from controller.job import reasons
from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import JobObservation
from controller.job.model.pods_by_role import STOPPED, PodsByRole, sort_by_role
from controller.job.model.record import JobRecord
from controller.job.react import policies, timers
from controller.job.react.actions import apply_action
from controller.job.react.events import LifecycleEvent, find_events, marked, running
from shared.model.phases import JobAction, JobEvent

_POD_LOST = frozenset({JobEvent.POD_FAILED, JobEvent.POD_EVICTED})
_ROUNDS = 5  # one event causes another, such as PodFailed -> TaskFailed; more rounds would be a loop


class EventsResult(msgspec.Struct, frozen=True):
    """The record with everything marked. `intent`: an action was taken, so the record must be stored before anything
    else.
    """

    record: JobRecord
    intent: bool = False
    notes: tuple[Note, ...] = ()

    def then(self, record: JobRecord, note: str = "") -> "EventsResult":
        notes = (*self.notes, Note(reasons.EXECUTE_ACTION, note)) if note else self.notes
        return EventsResult(record, True, notes)


def handle_events(observed: JobObservation, record: JobRecord, wanted: EffectiveSpec) -> EventsResult:
    """Handle all events. After an action on the whole Job the remaining events concern the past and are dropped."""
    pods = sort_by_role(observed.pods, record, wanted)
    known = timers.reopen_deleted(timers.drop_stale(record, observed, pods), pods)
    state = _late(observed, pods, EventsResult(known), wanted)
    for _ in range(_ROUNDS):
        pods = sort_by_role(observed.pods, state.record, wanted)
        found = find_events(observed, pods, state.record, wanted)
        if policies.is_covered(wanted, JobEvent.POD_RUNNING):
            found += tuple(running(observed, pods, state.record))
        if not found or _is_over(state, record):
            break
        for event in found:
            if not _is_over(state, record) and not _is_dealt_with(state.record, event):
                state = _one(event, observed, pods, state, wanted)
    return state


def _is_over(state: EventsResult, before: JobRecord) -> bool:
    return state.record.phase in STOPPED or state.record.version != before.version


def _is_dealt_with(record: JobRecord, event: LifecycleEvent) -> bool:
    return event.pod is not None and event.pod.uid in record.task(event.task).replacing


def _late(observed: JobObservation, pods: PodsByRole, state: EventsResult, wanted: EffectiveSpec) -> EventsResult:
    """Handle timers that are due, and pods that have been Pending for too long."""
    before = state.record
    for event, action in timers.due(before, pods, observed.now):
        if not _is_over(state, before) and event.key in state.record.handled:
            stop_timer = state.then(timers.stop_timer(state.record, event))
            state = _perform(action, event, observed, pods, stop_timer, wanted)
    for at, event, action in tuple(timers.pending(observed, pods, state.record, wanted)):
        if at <= observed.now and not _is_over(state, before) and not _is_dealt_with(state.record, event):
            state = _perform(action, event, observed, pods, state.then(marked(state.record, event, observed)), wanted)
    return state


def _one(
    event: LifecycleEvent, observed: JobObservation, pods: PodsByRole, state: EventsResult, wanted: EffectiveSpec
) -> EventsResult:
    answer = policies.reaction(wanted, event)
    if answer is None:
        return EventsResult(marked(state.record, event, observed), state.intent or _needs_storing(event), state.notes)
    if answer.delay > 0:
        timer = timers.start_timer(event, answer)
        return state.then(marked(state.record, event, observed).with_handled(timer))
    return _perform(answer.action, event, observed, pods, state.then(marked(state.record, event, observed)), wanted)


def _needs_storing(event: LifecycleEvent) -> bool:
    """A pod that is replaced without a policy is named in status before it is deleted."""
    return event.type is JobEvent.POD_EVICTED and event.pod is not None and not event.pod.terminating


def _perform(
    action: JobAction,
    event: LifecycleEvent,
    observed: JobObservation,
    pods: PodsByRole,
    state: EventsResult,
    wanted: EffectiveSpec,
) -> EventsResult:
    changed = apply_action(action, event, str(event.type), state.record, pods, wanted)
    if changed is None:
        return _exhausted(action, event, observed, pods, state, wanted)
    return state.then(changed, changed.message if changed is not state.record else "")


def _exhausted(
    action: JobAction,
    event: LifecycleEvent,
    observed: JobObservation,
    pods: PodsByRole,
    state: EventsResult,
    wanted: EffectiveSpec,
) -> EventsResult:
    """The task's restarts are used up: the pod stays failed, and the task raises TaskFailed."""
    record, task = state.record, wanted.by_name[event.task]
    if event.type in _POD_LOST:
        known = record.task(task.name)
        replacing = known.replacing - ({event.pod.uid} if event.pod else set())
        record = record.with_task(task.name, failed=known.failed | {event.index}, replacing=replacing)
    if record.task(task.name).gave_up:
        return state.then(record)
    message = f"{event.message}; {task.max_retry} of {task.restarts_used_up(f' of task {task.name}')}"
    failed = LifecycleEvent(JobEvent.TASK_FAILED, task.name, since=observed.now, message=message)
    return _one(failed, observed, pods, state.then(record, f"{message}: no {action}"), wanted)
