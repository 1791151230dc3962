"""What stops a Job from having children, and only a user can change."""

from controller.job.model import volumes
from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import JobObservation
from controller.job.react.refusals import Blocker
from shared import names
from shared.model.phases import QueueState


def find_blocker(observed: JobObservation, wanted: EffectiveSpec) -> Blocker | None:
    """The first that is found. The queue `default` may be missing: it then has no limits."""
    if observed.queue is None and wanted.queue != names.DEFAULT_QUEUE:
        return Blocker("QueueNotFound", f"queue {wanted.queue} does not exist; the Job waits for it")
    if observed.group is None and observed.queue is not None and observed.queue.status.state is QueueState.CLOSED:
        return Blocker("QueueClosed", f"queue {wanted.queue} is closed; the Job waits until it is opened")
    if missing := volumes.missing_claims(observed.job, observed.claims):
        message = f"PersistentVolumeClaim {', '.join(missing)} does not exist; the Job waits for it"
        return Blocker("VolumeClaimNotFound", message)
    return None
