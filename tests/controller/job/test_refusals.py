"""How long a refused create is not tried again."""

from types import SimpleNamespace

import pytest

from controller.decision import Create, Refusal
from controller.job.react.refusals import RETRY_FIRST, blocker, refusal_of
from shared.kinds import CONFIGMAP, POD, SERVICE, Kind
from tests.controller.job.make import NOW
from tests.controller.job.toy import toy

AT = 1000.0
MOMENTS = {"at once": (AT, True), "later": (AT + RETRY_FIRST, False), "the clock was set back": (AT - 3600, False)}


@pytest.mark.parametrize(("now", "waits"), MOMENTS.values(), ids=MOMENTS)
def test_a_refused_pod_is_retried_after_its_back_off(now: float, waits: bool) -> None:
    create = Create(POD, {"metadata": {"name": "p"}})
    observed = SimpleNamespace(now=now, refusals={(POD, "p"): Refusal(403, "quota", AT)})
    assert (refusal_of(create, observed) is not None) is waits


def taken(kind: Kind, name: str, leaving: bool = False) -> tuple[Kind, str, Refusal]:
    message = f"{kind.kind} {name} {'is being deleted' if leaving else 'is taken'}"
    return kind, name, Refusal(409, message, NOW, leaving=leaving)


CONFLICTS: dict[str, tuple[list[tuple[Kind, str, Refusal]], str, str]] = {
    "an old object on its way out": (
        [taken(CONFIGMAP, "demo-svc", leaving=True)],
        "WaitingForDeletion",
        "ConfigMap demo-svc is being deleted",
    ),
    "objects of other owners": (
        [taken(CONFIGMAP, "demo-svc"), taken(SERVICE, "demo")],
        "PluginConflict",
        "ConfigMap demo-svc is taken; Service demo is taken",
    ),
    "both": (
        [taken(CONFIGMAP, "demo-svc", leaving=True), taken(SERVICE, "demo")],
        "PluginConflict",
        "Service demo is taken; ConfigMap demo-svc is being deleted",
    ),
    "a quota": (
        [taken(CONFIGMAP, "demo-svc"), (SERVICE, "demo", Refusal(403, "exceeded quota", NOW))],
        "FailedCreate",
        "exceeded quota",
    ),
}


@pytest.mark.parametrize("case", CONFLICTS)
def test_all_names_that_are_taken_are_reported(case: str) -> None:
    refusals, reason, message = CONFLICTS[case]
    cluster = toy(plugins={"svc": []})
    cluster.refusals = {(kind, name): refusal for kind, name, refusal in refusals}
    decision = cluster.decide()
    assert decision.status is not None
    assert (decision.status["state"]["reason"], decision.status["state"]["message"]) == (reason, message)
    assert [(note.reason, note.message) for note in decision.notes] == [(reason, message)]
    assert decision.requeue_after is not None
    assert decision.requeue_after <= 0.5


def test_a_long_message_of_the_api_server_is_cut_and_shows_it() -> None:
    assert blocker(Refusal(403, "x" * 500, NOW), "; rest").message == "x" * 399 + "…; rest"
