"""From stored bodies to models. A body that does not fit should have been refused at admission; it is logged."""

import logging
from typing import Final, TypeVar

import msgspec

from shared.model.job import Job
from shared.model.job_status import JobStatus
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
M = TypeVar("M")


def converted(body: Body | None, model: type[M]) -> M | None:
    """The model of a stored object, or None when there is none or it cannot be read."""
    if body is None:
        return None
    try:
        return msgspec.convert(body, model)
    except msgspec.ValidationError as fault:
        LOG.warning("an object that cannot be read is ignored", extra={"kind": model.__name__, "error": str(fault)})
        return None


def parsed_job(body: Body) -> Job:
    """The model of a stored Job. A status that cannot be read counts as empty. Raises ValidationError."""
    try:
        return msgspec.convert(body, Job)
    except msgspec.ValidationError:
        job = msgspec.convert({**body, "status": {}}, Job)
        return msgspec.structs.replace(job, status=JobStatus())
