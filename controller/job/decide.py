"""The decision about one Job: JobObservation -> Decision.

The order is: Commands, events and policies, phase, children, status. An action is recorded first: that pass writes the
status and nothing else. Later passes act on what is recorded and would do the same again. If the controller stops at
any point, the next one repeats work, but counts nothing twice and loses nothing.
"""

import msgspec

from controller.decision import Decision, Delete, Note
from controller.job.children.children import Children, children
from controller.job.model.defaults import EffectiveSpec, effective_spec
from controller.job.model.observed import JobObservation
from controller.job.model.pods_by_role import STOPPED, sort_by_role
from controller.job.model.record import JobRecord, read_record
from controller.job.phase import phases
from controller.job.phase.phases import PhaseChange
from controller.job.phase.snapshot import JobSnapshot, take_snapshot, with_created, without
from controller.job.react import timers
from controller.job.react.commands import apply_commands
from controller.job.react.lifetime import apply_lifetime, deadline, with_active_since
from controller.job.react.react import handle_events
from controller.job.status import conditions
from controller.job.status.notes import entered, marked, place_notes
from controller.job.status.status_write import changed, hold_back, needs_next_pass, with_place, with_reason


def decide(observed: JobObservation) -> Decision:
    """What to do about the Job now. A Job that is being deleted is left to garbage collection."""
    if observed.job.metadata.deletion_timestamp:
        return Decision()
    wanted = effective_spec(observed.job, observed.settings.depends_on_condition)
    stored = read_record(observed.job.status, wanted)
    known = stored if stored.generation is not None else stored.replace(generation=observed.job.metadata.generation)
    commanded = apply_commands(observed, known, wanted)
    if commanded.record is not known:
        return _intent(observed, stored, commanded.record, wanted, commanded.cleanup, commanded.notes)
    lifetime = apply_lifetime(observed, known, wanted)
    if lifetime.intent:
        return _intent(observed, stored, lifetime.record, wanted, commanded.cleanup, lifetime.notes)
    handled = handle_events(observed, known, wanted) if known.phase not in STOPPED else None
    if handled and handled.intent:
        return _intent(observed, stored, handled.record, wanted, commanded.cleanup, handled.notes)
    return _sync(observed, handled.record if handled else known, wanted, commanded.cleanup, commanded.notes)


def _intent(
    observed: JobObservation,
    stored: JobRecord,
    record: JobRecord,
    wanted: EffectiveSpec,
    cleanup: tuple[Delete, ...],
    notes: tuple[Note, ...],
) -> Decision:
    """Record the intended action. The next pass executes it."""
    snapshot = take_snapshot(observed, _with_transition(observed, stored, record), wanted)
    # A Command without effect is recorded too; the phase then keeps its current reason.
    text = with_place(with_reason(snapshot, None) if record.phase is stored.phase else snapshot)
    notes = (*notes, *place_notes(observed.job.status.state, text.record))
    return Decision(status=changed(observed, text), cleanup=cleanup, notes=notes, requeue_after=0.0)


def _with_transition(observed: JobObservation, stored: JobRecord, record: JobRecord) -> JobRecord:
    """The record with the transition, if the phase or the version has changed. A Job whose first status is written now
    was Pending before."""
    if record.phase is stored.phase and record.version == stored.version:
        return record
    change = PhaseChange(record.phase, record.reason, record.message)
    before = (PhaseChange(stored.phase),) if observed.job.status.state.phase is None else ()
    return phases.with_phases(record, (*before, change), observed.now)


def _sync(
    observed: JobObservation,
    record: JobRecord,
    wanted: EffectiveSpec,
    commands: tuple[Delete, ...],
    notes: tuple[Note, ...],
) -> Decision:
    """Update the children according to the phase, and the phase according to the children."""
    if record.phase.finished and not record.tasks and observed.job.status.state.phase:
        return _foreign(observed, record, wanted, commands, notes)
    snapshot = take_snapshot(observed, _first(observed, record), wanted)
    state = phases.PhaseInput(snapshot.counts, snapshot.by_role, snapshot.unreachable, wanted, snapshot.lacks_place)
    if changes := phases.phase_changes(snapshot.record, state):
        snapshot = take_snapshot(observed, phases.with_phases(snapshot.record, changes, observed.now), wanted)
    since = with_active_since(snapshot.record, snapshot.counts, observed.now)
    snapshot = msgspec.structs.replace(snapshot, record=since)
    made = children(snapshot)
    snapshot, events = marked(without(with_created(snapshot, made.created), made.withdrawn))
    snapshot = with_place(with_reason(snapshot, made))
    written = changed(observed, snapshot)
    pause = hold_back(observed, snapshot, made, written)
    if written is not None and not pause:
        notes = (*notes, *events, *entered(snapshot, made), *place_notes(observed.job.status.state, snapshot.record))
    return Decision(
        first=made.first,
        actions=made.actions,
        status=None if pause else written,
        cleanup=(*commands, *made.cleanup),
        notes=notes,
        requeue_after=_again(observed, snapshot, made, pause),
    )


def _first(observed: JobObservation, record: JobRecord) -> JobRecord:
    """A Job without a phase enters Pending."""
    if observed.job.status.state.phase is not None:
        return record
    return phases.with_phases(record, (PhaseChange(record.phase),), observed.now)


def _foreign(
    observed: JobObservation,
    record: JobRecord,
    wanted: EffectiveSpec,
    commands: tuple[Delete, ...],
    notes: tuple[Note, ...],
) -> Decision:
    """Another controller finished this Job: its status is kept, and only leftover children are deleted."""
    snapshot = JobSnapshot(observed, record, wanted, sort_by_role(observed.pods, record, wanted), {})
    return Decision(cleanup=(*commands, *children(snapshot).cleanup), notes=notes)


def _again(observed: JobObservation, snapshot: JobSnapshot, made: Children, pause: float) -> float | None:
    if needs_next_pass(snapshot):
        return 0.0
    times = [conditions.next_change(snapshot)]
    if snapshot.record.phase not in STOPPED:
        times += [
            made.wake,
            deadline(snapshot.record, snapshot.wanted),
            timers.next_due(observed, snapshot.by_role, snapshot.record, snapshot.wanted),
        ]
    waits = [max(0.0, at - observed.now) for at in times if at is not None] + ([pause] if pause else [])
    return min(waits, default=None)
