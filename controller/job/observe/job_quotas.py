"""What the book of quotas must know of Jobs."""

from collections.abc import Callable
from typing import Final

import msgspec

from controller.job.observe.models import parsed_job
from controller.quota.book import QuotaBook, QuotaKind
from shared.kinds import JOB
from shared.kube.cache.cache import Cache, Caches
from shared.model.types import Body
from shared.policy.quota.counted import COUNTED
from shared.policy.quota.job_standing import job_part, job_standing
from shared.policy.quota.standing import Standing


def _part(job: Body) -> Body:
    """As `job_part`. A Job that cannot be read is never run here, so it must not wait in front of others."""
    part = job_part(job)
    if job_standing(job) is Standing.WAITS and not _is_readable(job):
        part["spec"] = {"managedBy": "nobody"}
    return part


def _is_readable(job: Body) -> bool:
    try:
        parsed_job(job)
    except msgspec.ValidationError:
        return False
    return True


_JOBS: Final = QuotaKind(COUNTED[JOB], _part)


def job_quotas(caches: Caches, jobs: Cache, clock: Callable[[], float]) -> QuotaBook:
    """The book of the quotas of Jobs. `jobs`: the cache of all of them; `clock`: epoch seconds."""
    return QuotaBook(caches, jobs, _JOBS, clock)
