"""How long a refused create is not tried again."""

from types import SimpleNamespace

import pytest

from controller.decision import Create, Refusal
from controller.job.react.refusals import RETRY_FIRST, refusal_of
from shared.kinds import POD

AT = 1000.0
MOMENTS = {"at once": (AT, True), "later": (AT + RETRY_FIRST, False), "the clock was set back": (AT - 3600, False)}


@pytest.mark.parametrize(("now", "waits"), MOMENTS.values(), ids=MOMENTS)
def test_a_refused_pod_is_retried_after_its_back_off(now: float, waits: bool) -> None:
    create = Create(POD, {"metadata": {"name": "p"}})
    observed = SimpleNamespace(now=now, refusals={(POD, "p"): Refusal(403, "quota", AT)})
    assert (refusal_of(create, observed) is not None) is waits
