"""JobSeen -> Decision: what happened, what policies and Commands make of it, what follows for pods and status.

Whatever is to be done is recorded first: such a pass writes status and nothing else. Later passes act out of the record,
and would do the same again. So a controller that dies anywhere repeats work but never counts or forgets a thing.
"""

from controller.decision import Decision, Delete, Note
from controller.job.children.children import Children, children
from controller.job.decide import phases, snapshot, timers
from controller.job.decide import record as ledgers
from controller.job.decide.defaults import Wanted, wanted
from controller.job.decide.phases import Step
from controller.job.decide.record import Ledger
from controller.job.decide.snapshot import Situation
from controller.job.observe.observed import JobSeen
from controller.job.observe.pods_by_role import STOPPED, view
from controller.job.react.commands import obey
from controller.job.react.react import react
from controller.job.react.refusals import FAILED_CREATE
from controller.job.status.status_write import changed, hold_back, with_reason


def decide(seen: JobSeen) -> Decision:
    """What to do about the Job now. A Job being deleted is left to garbage collection."""
    if seen.job.metadata.deletion_timestamp:
        return Decision()
    wants = wanted(seen.job, seen.settings.depends_on_condition)
    stored = ledgers.read(seen.job.status, wants)
    known = stored if stored.generation is not None else stored.but(generation=seen.job.metadata.generation)
    ordered = obey(seen, known, wants)
    if ordered.ledger is not known:
        return _intent(seen, stored, ordered.ledger, wants, ordered.cleanup, ordered.notes)
    reacted = react(seen, known, wants) if known.phase not in STOPPED else None
    if reacted and reacted.intent:
        return _intent(seen, stored, reacted.ledger, wants, ordered.cleanup, reacted.notes)
    return _sync(seen, reacted.ledger if reacted else known, wants, ordered.cleanup, ordered.notes)


def _intent(
    seen: JobSeen, stored: Ledger, ledger: Ledger, wants: Wanted, cleanup: tuple[Delete, ...], notes: tuple[Note, ...]
) -> Decision:
    """Record what is to be done; the next pass does it."""
    now = snapshot.take(seen, _entered(stored, ledger, seen.now), wants)
    # `done` by a Command that meant nothing is recorded too, in a phase whose reason goes on to be told.
    told = with_reason(now, None) if ledger.phase is stored.phase else now
    return Decision(status=changed(seen, told), cleanup=cleanup, notes=notes, requeue_after=0.0)


def _entered(stored: Ledger, ledger: Ledger, at: float) -> Ledger:
    """With the transition recorded, if the phase is another one or a new version of the same."""
    if ledger.phase is stored.phase and ledger.version == stored.version:
        return ledger
    return phases.entered(ledger, (Step(ledger.phase, ledger.reason, ledger.message),), at)


def _sync(
    seen: JobSeen, ledger: Ledger, wants: Wanted, commands: tuple[Delete, ...], notes: tuple[Note, ...]
) -> Decision:
    """Bring the cluster in line with the phase, and the phase with the cluster."""
    if ledger.phase.finished and not ledger.tasks and seen.job.status.state.phase:
        return _foreign(seen, ledger, wants, commands, notes)
    now = snapshot.take(seen, _first(seen, ledger), wants)
    steps = phases.settled(now.ledger, phases.Standing(now.counts, now.view, now.lost, wants))
    if steps:
        now = snapshot.take(seen, phases.entered(now.ledger, steps, seen.now), wants)
    made = children(now)
    now = with_reason(snapshot.with_created(now, made.created), made)
    written = changed(seen, now)
    pause = hold_back(seen, now, made, written)
    refused = made.obstacle is not None and made.obstacle.reason == FAILED_CREATE
    if made.obstacle and refused and written and not pause and seen.job.status.state.reason != FAILED_CREATE:
        notes = (*notes, Note(FAILED_CREATE, made.obstacle.message, "Warning"))
    return Decision(
        actions=made.actions,
        status=None if pause else written,
        cleanup=(*commands, *made.cleanup),
        notes=notes,
        requeue_after=_again(seen, now, made, pause),
    )


def _first(seen: JobSeen, ledger: Ledger) -> Ledger:
    """A Job that has no phase yet enters Pending."""
    if seen.job.status.state.phase is not None:
        return ledger
    return phases.entered(ledger, (Step(ledger.phase),), seen.now)


def _foreign(
    seen: JobSeen, ledger: Ledger, wants: Wanted, commands: tuple[Delete, ...], notes: tuple[Note, ...]
) -> Decision:
    """Another controller finished this Job: its status stands, and only what it left behind is removed."""
    now = Situation(seen, ledger, wants, view(seen.pods, ledger, wants), {})
    return Decision(cleanup=(*commands, *children(now).cleanup), notes=notes)


def _again(seen: JobSeen, now: Situation, made: Children, pause: float) -> float | None:
    times = [made.wake, timers.next_due(seen, now.view, now.ledger, now.wanted)]
    if now.ledger.phase in STOPPED:
        times = []
    waits = [max(0.0, at - seen.now) for at in times if at is not None] + ([pause] if pause else [])
    return min(waits, default=None)
