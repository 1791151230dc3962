"""The JobFlowPolicyException controller: what its status says, what is reported, and when it looks again."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.context import ControllerContext
from controller.exception import reconciler
from controller.exception.decide import ExceptionDecision, decide
from controller.exception.metrics import EXPIRED
from shared.model.types import Body
from shared.policy import CompiledPolicy, compile_policy
from shared.timestamp import rfc3339
from tests.controller.support import NOW, SetClock, running
from tests.purity import pure
from tests.shared.kube.fake import FakeServer, until

POLICIES = "/apis/policy.jobflow.dev/v1alpha1/jobflowpolicies"
EXCEPTIONS = "/apis/policy.jobflow.dev/v1alpha1/jobflowpolicyexceptions"
HOUR = 3600.0
ALLOWED = {"allowedNamespaces": ["ns"], "maxDuration": "24h"}


def policy(name: str = "p", **spec: Any) -> Body:
    return {
        "metadata": {"name": name, "generation": 1},
        "spec": {"exceptions": ALLOWED, "limits": {"maxSteps": 1}} | spec,
    }


def exception(*rules: str, policies: tuple[str, ...] = ("p",), hours: float = 1, **metadata: Any) -> Body:
    named = [{"name": name, "rules": list(rules)} for name in policies]
    spec = {"policies": named, "expiresAt": rfc3339(NOW + hours * HOUR), "reason": "a test"}
    where = {"name": "x", "namespace": "ns", "generation": 1, "creationTimestamp": rfc3339(NOW - HOUR), **metadata}
    return {"metadata": where, "spec": spec}


def compiled(*policies: Body) -> dict[str, CompiledPolicy]:
    made = [compile_policy(each) for each in policies]
    return {each.name: each for each in made if isinstance(each, CompiledPolicy)}


def decided(body: Body, *policies: Body, at: float = NOW) -> ExceptionDecision:
    found: ExceptionDecision = pure(decide)(body, compiled(*policies), at)
    return found


STATES: dict[str, tuple[Body, tuple[Body, ...], str, str, str]] = {
    # exception, policies, state, reason, message
    "allowed": (exception("limits.maxSteps"), (policy(),), "Active", "Active", "has effect until 2026-01-02T04:04:05Z"),
    "every rule": (exception(), (policy(),), "Active", "Active", "has effect until 2026-01-02T04:04:05Z"),
    "allowed by one of two policies": (
        exception(policies=("p", "q")),
        (policy(), policy("q", exceptions=None)),
        "Active",
        "Active",
        'has effect until 2026-01-02T04:04:05Z; except: policy "q" allows no exceptions',
    ),
    "one of two rules": (
        exception("limits.maxSteps", "rules.gone"),
        (policy(),),
        "Active",
        "Active",
        'has effect until 2026-01-02T04:04:05Z; except: policy "p" has no rule rules.gone',
    ),
    "no rule that exists": (
        exception("rules.gone"),
        (policy(),),
        "Ineffective",
        "NotAllowed",
        'policy "p" has no rule rules.gone',
    ),
    "no policy": (exception(), (), "Ineffective", "NotAllowed", 'policy "p" does not exist or is invalid'),
    "another namespace": (
        exception(namespace="other"),
        (policy(),),
        "Ineffective",
        "NotAllowed",
        'policy "p" allows no exceptions in namespace "other"',
    ),
    "too long": (
        exception(hours=24),
        (policy(),),
        "Ineffective",
        "NotAllowed",
        'policy "p" allows at most 24h0m0s from the creation to expiresAt',
    ),
    "changed": (
        exception(generation=2),
        (policy(),),
        "Ineffective",
        "Changed",
        "its spec was changed after its creation: create another exception",
    ),
    "expired": (
        exception(hours=0),
        (policy(),),
        "Expired",
        "Expired",
        "expired at 2026-01-02T03:04:05Z: p may not be violated any more",
    ),
    "unreadable": (
        {**exception(), "spec": {}},
        (policy(),),
        "Ineffective",
        "Invalid",
        "its spec cannot be read: create it again",
    ),
}


@pytest.mark.parametrize("case", STATES)
def test_the_status_says_whether_it_has_effect_and_why_not(case: str) -> None:
    body, policies, state, reason, message = STATES[case]
    decision = decided(body, *policies)
    assert decision.status is not None
    (condition,) = decision.status["conditions"]
    assert (decision.status["state"], condition["reason"], condition["message"]) == (state, reason, message)
    assert condition["status"] == ("True" if state == "Active" else "False")
    assert [note.reason for note in decision.notes] == ([] if state == "Active" else [state])
    named = [each["name"] for each in body["spec"].get("policies", ())] if reason not in ("Invalid",) else []
    assert decision.status["policies"] == sorted(named)  # for kubectl's column
    assert decision.expired is (state == "Expired")
    again = decided({**body, "status": decision.status}, *policies, at=NOW + 0.5)
    assert (again.status, again.notes, again.expired) == (None, (), False)


def test_it_looks_again_exactly_at_the_end() -> None:
    assert decided(exception(), policy()).requeue_after == HOUR
    assert decided(exception(), policy(), at=NOW + HOUR - 0.25).requeue_after == 0.25
    assert decided(exception(), policy(), at=NOW + HOUR).requeue_after is None


def test_an_exception_that_is_being_deleted_is_left_alone() -> None:
    assert decided(exception(deletionTimestamp=rfc3339(NOW)), policy()) == ExceptionDecision()


@given(
    st.sampled_from([exception(), exception("rules.a"), exception(hours=0), exception(generation=3)]),
    st.sampled_from([(), (policy(),), (policy(exceptions=None),)]),
    st.sampled_from(["", "Active", "Expired", "Ineffective"]),
    st.floats(0, 2 * HOUR),
)
def test_deciding_is_pure_and_settles(body: Body, policies: tuple[Body, ...], before: str, after: float) -> None:
    stored = {**body, "status": {"state": before}} if before else body
    decision = decided(stored, *policies, at=NOW + after)
    assert decision.status is not None
    settled = decided({**body, "status": decision.status}, *policies, at=NOW + after)
    assert msgspec.structs.replace(settled, requeue_after=None) == ExceptionDecision()


EDITS = st.lists(
    st.tuples(
        st.none() | st.integers(1, 4),  # hours of maxDuration; None: the policy allows no exceptions
        st.booleans(),  # whether the namespace is allowed
        st.floats(0, HOUR),  # seconds until the edit
    ),
    min_size=1,
    max_size=8,
)


@given(st.integers(0, 3), EDITS)
def test_in_any_order_of_edits_it_lasts_no_longer_than_the_policy_allows_now(
    hours: int, edits: list[tuple[int | None, bool, float]]
) -> None:
    body, now = exception(hours=hours), NOW  # it was created an hour before NOW
    for longest, here, later in edits:
        now += later
        allowed = {"allowedNamespaces": ["ns" if here else "other"], "maxDuration": f"{longest}h"}
        decision = decided(body, policy(exceptions=allowed if longest is not None else None), at=now)
        body = body if decision.status is None else {**body, "status": decision.status}
        expired = now >= NOW + hours * HOUR
        fits = here and longest is not None and hours + 1 <= longest
        assert body["status"]["state"] == ("Expired" if expired else "Active" if fits else "Ineffective")


async def test_the_end_is_recorded_with_an_event_and_counted(fake: FakeServer, context: ControllerContext) -> None:
    counted = EXPIRED.labels("ns")._value.get()
    fake.put(POLICIES, policy())
    fake.put(EXCEPTIONS, exception(hours=1 / HOUR))
    recording = context.recorder.run()
    async with running(context, reconciler.build(context)):
        await until(lambda: state_of(fake) == "Active")
        assert isinstance(context.clock, SetClock)
        context.clock.now = NOW + 1
        await until(lambda: state_of(fake) == "Expired")
    recording.close()
    assert EXPIRED.labels("ns")._value.get() == counted + 1


async def test_a_change_of_its_policy_is_followed(fake: FakeServer, context: ControllerContext) -> None:
    fake.put(POLICIES, policy())
    fake.put(EXCEPTIONS, exception())
    async with running(context, reconciler.build(context)):
        await until(lambda: state_of(fake) == "Active")
        closed = policy(exceptions=None)
        fake.put(POLICIES, {**closed, "metadata": {**closed["metadata"], "generation": 2}})
        await until(lambda: state_of(fake) == "Ineffective")


def state_of(fake: FakeServer) -> str:
    return str((fake.objects[EXCEPTIONS]["ns", "x"].get("status") or {}).get("state") or "")
