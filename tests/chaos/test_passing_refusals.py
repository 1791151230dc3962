"""Objects that are refused because of a fault are applied again until it ends."""

import pytest

from tests.chaos.chaos_cluster import passes
from tests.webhook.make import faults, job, known, queue


@pytest.mark.parametrize("state", ["Closed", "Closing"])
def test_the_refusal_of_a_job_by_a_closed_queue_passes(state: str) -> None:
    """Seeds 1085 and 1191 submitted a Job while its queue was closed."""
    (refusal,) = faults(job(queue="shut"), lookups=known(queue("shut", state)))
    assert passes(refusal)


def test_other_refusals_do_not_pass() -> None:
    (refusal,) = faults(job(queue="shut"), lookups=known())
    assert not passes(refusal)
