"""Gangs and ResourceQuotas: all pods of the minimum are created, or none stays; the oldest Job is tried first."""

import msgspec
import pytest

from controller.decision import Action, Create, Refusal
from controller.gang.backends.gate import GateBackend
from controller.job.decide import decide
from controller.job.model.observed import JobSettings
from controller.job.model.quota import exceeded_quota
from controller.job.observe.quota_order import QuotaOrder
from shared.key import Key
from shared.kinds import POD
from tests.controller.job.make import NOW, job, policy, task
from tests.controller.job.toy import Toy

EXCEEDED = (
    'pods "demo-w-1" is forbidden: exceeded quota: {quota}, requested: pods=1, used: pods={used}, limited: pods={hard}'
)


def gated(hard: int, used: int = 0, replicas: int = 2, **spec: object) -> Toy:
    """A Job whose pods get the gate, in a namespace whose quota allows `hard` pods; others use `used` of them."""
    made = Toy(job(task("w", replicas, policy("RestartJob", "PodEvicted")), **spec), settings())
    made.auto_inqueue = made.grace = False

    def refuse(action: Action) -> str:
        own = len(made.pods)
        full = isinstance(action, Create) and action.kind is POD and used + own >= hard
        return EXCEEDED.format(quota="q", used=used + own, hard=hard) if full else ""

    made.refuse = refuse
    return made


def settings() -> JobSettings:
    return JobSettings(backend=GateBackend("default-scheduler"), count_seconds=0)


@pytest.mark.parametrize(("hard", "used", "said"), [(1, 0, "never fits: "), (3, 2, "exceeded quota: q")])
def test_a_gang_that_a_quota_refuses_keeps_no_pod_and_says_why(hard: int, used: int, said: str) -> None:
    made = gated(hard, used)
    for _ in range(6):
        made.look()
    assert made.pods == {}
    assert made.job["status"]["state"]["reason"] == "FailedCreate"
    assert said in made.job["status"]["state"]["message"]
    assert made.job["status"]["state"]["phase"] == "Pending"
    assert made.job["status"].get("version", 0) == 0  # deleting its own pods is no PodEvicted


def test_all_pods_are_created_once_the_quota_allows_them() -> None:
    made = gated(hard=3, used=2)
    made.look()
    made.look()
    assert made.pods == {}
    made.refuse = lambda action: ""
    made.now += 3
    made.look()
    assert sorted(made.pods) == ["w-0", "w-1"]


def test_a_gang_that_a_quota_never_allows_tries_again_when_the_quota_changes() -> None:
    made = gated(hard=1)
    made.allowed = {"q": {"pods": "1"}}
    for _ in range(6):
        made.look()
    tries = len(made.created)
    for _ in range(8):
        made.now += 60
        made.look()
    assert (made.pods, len(made.created)) == ({}, tries)
    made.allowed = {"q": {"pods": "2"}}
    made.refuse = lambda action: ""
    made.look()
    assert sorted(made.pods) == ["w-0", "w-1"]


@pytest.mark.parametrize("allowed", [{}, {"q": {"pods": "much"}}, {"other": {"pods": "1"}}, {"q": {"pods": "5"}}])
def test_a_gang_that_a_quota_never_allows_tries_again_where_the_quota_is_not_known(
    allowed: dict[str, dict[str, str]],
) -> None:
    made = gated(hard=1)
    made.allowed = allowed
    for _ in range(4):
        made.look()
    made.refuse = lambda action: ""
    made.now += 15
    made.look()
    assert sorted(made.pods) == ["w-0", "w-1"]


def test_pods_beyond_the_minimum_may_be_refused() -> None:
    made = gated(hard=2, replicas=4, minAvailable=2)
    made.job["spec"]["tasks"][0]["minAvailable"] = 2
    for _ in range(4):
        made.look()
    assert len(made.pods) == 2


def test_a_started_gang_keeps_its_pods_when_a_quota_refuses_a_replacement() -> None:
    made = gated(hard=2)
    made.look()
    for name, pod in made.pods.items():
        pod["spec"].pop("schedulingGates")
        made.run(name)
    made.settle()
    made.job["spec"]["tasks"][0]["policies"] = []
    del made.objects[POD, "demo-w-1"]
    made.refuse = lambda action: EXCEEDED.format(quota="q", used=2, hard=2) if isinstance(action, Create) else ""
    for _ in range(4):
        made.look()
    assert sorted(made.pods) == ["w-0"]
    assert (POD, "demo-w-1") in made.refusals


def test_a_younger_job_creates_no_pods_while_an_older_one_waits_for_the_same_quota() -> None:
    made = gated(hard=9)
    observed = msgspec.structs.replace(made.observed(), quota_ahead="older")
    decision = decide(observed)
    assert not any(isinstance(action, Create) and action.kind is POD for action in decision.actions)
    assert decision.status is not None
    assert "behind Job older" in str(decision.status["state"])
    assert decision.requeue_after is not None


def test_the_order_is_by_age_and_only_among_jobs_that_lack_the_same() -> None:
    order = QuotaOrder()
    refusal = Refusal(403, EXCEEDED.format(quota="q", used=9, hard=9), NOW)
    gpus = "exceeded quota: q, requested: requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=2"
    young, old = (Toy(job(metadata={"creationTimestamp": f"2026-01-02T03:00:0{age}Z"}), settings()) for age in (5, 1))
    young.refusals[POD, "p"] = refusal
    assert order.update(Key("ns1", "young"), young.observed()) == ""
    old.refusals[POD, "p"] = refusal
    assert order.update(Key("ns1", "old"), old.observed()) == ""
    assert order.update(Key("ns1", "young"), young.observed()) == "old"
    assert order.update(Key("ns2", "young"), young.observed()) == ""
    old.refusals[POD, "p"] = msgspec.structs.replace(refusal, message=gpus)
    order.update(Key("ns1", "old"), old.observed())
    assert order.update(Key("ns1", "young"), young.observed()) == ""
    old.refusals[POD, "p"] = refusal
    order.update(Key("ns1", "old"), old.observed())
    old.refusals.clear()
    order.update(Key("ns1", "old"), old.observed())
    assert order.update(Key("ns1", "young"), young.observed()) == ""


def test_a_job_that_has_not_tried_for_long_holds_up_no_other() -> None:
    order = QuotaOrder()
    old, young = (Toy(job(metadata={"creationTimestamp": f"2026-01-02T03:00:0{age}Z"}), settings()) for age in (1, 5))
    old.refusals[POD, "p"] = Refusal(403, EXCEEDED.format(quota="q", used=9, hard=9), NOW)
    order.update(Key("ns1", "old"), old.observed())
    young.now += 61
    assert order.update(Key("ns1", "young"), young.observed()) == ""


@pytest.mark.parametrize(
    "message", ["pods is forbidden: not allowed", "exceeded", "failed quota: q: must specify cpu for: c"]
)
def test_other_refusals_name_no_quota(message: str) -> None:
    assert exceeded_quota(Refusal(403, message, NOW)) is None
