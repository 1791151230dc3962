"""Objects that are not in the caches yet, and objects that were admitted a moment ago."""

import msgspec
import pytest

from shared import kinds
from shared.model.types import Body
from shared.violation import Violation
from tests.webhook.make import body, flow, job, known, review, step, template
from tests.webhook.policies.make import (
    DENY,
    RUNNING,
    judged,
    namespace,
    policy,
)
from webhook.envelope.review import ALLOWED, AdmissionVerdict, Operation
from webhook.policies.missing import depends_on_missing_objects, unknown_namespace
from webhook.policies.quotas import SECONDS, RecentObjects
from webhook.subject.lookups import InMemoryLookups, MissingObject, OfflineLookups, ReplacedLookups
from webhook.verdict.admit import validate
from webhook.verdict.missing import missing_objects


def test_the_namespace_is_looked_up_when_a_policy_asks_about_it() -> None:
    by_label = policy(match={"namespaceSelector": {"matchLabels": {"a": "b"}}}, **DENY)
    by_rule = policy(rules=[{"name": "r", "expression": "namespaceObject.metadata.name == 'x'"}])
    wanted = (MissingObject(kinds.NAMESPACE, "", "ns1"),)
    assert unknown_namespace(review(job()), known(by_label)) == wanted
    assert unknown_namespace(review(job()), known(by_rule)) == wanted
    assert unknown_namespace(review(job()), known(by_label, namespace())) == ()
    assert unknown_namespace(review(job()), known(policy(**DENY))) == ()
    assert unknown_namespace(review(body(kinds.QUEUE, "q", {})), known(by_label)) == ()


def test_missing_templates_are_looked_up_live_before_a_refusal() -> None:
    manifest = flow(step("a"), step("b", template="c"), step("s", switch={"value": "'x'", "default": ["a"]}))
    strict = policy(required={"existingTemplates": True})
    assert missing_objects(review(manifest), known(strict, template(name="a"))) == (
        MissingObject(kinds.JOBTEMPLATE, "ns1", "c"),
    )
    assert missing_objects(review(manifest), known(template(name="a"))) == ()


def test_without_a_cluster_rules_about_user_and_namespace_are_skipped() -> None:
    texts = ("request.userInfo.username == 'x'", "namespaceObject.metadata.name == 'x'", "object.spec.queue == 'x'")
    rules = [{"name": name, "expression": text} for name, text in zip("abc", texts, strict=True)]
    alone = InMemoryLookups([(kinds.JOBFLOWPOLICY, policy(rules=rules))], below=OfflineLookups())
    assert [each.rule for each in validate(review(job()), alone).policies] == ["rules.c"]


def test_without_a_cluster_templates_are_not_missing() -> None:
    strict = policy(required={"existingTemplates": True}, limits={"maxSteps": 0})
    alone = InMemoryLookups([(kinds.JOBFLOWPOLICY, strict)], below=OfflineLookups())
    assert [each.rule for each in validate(review(flow(step("a"))), alone).policies] == ["limits.maxSteps"]


COUNTING = policy(limits={"maxRunningFlows": 1})


class FakeMonotonic:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def noted(
    manifest: Body, *others: Body, dry_run: bool = False, verdict: AdmissionVerdict = ALLOWED
) -> tuple[RecentObjects, FakeMonotonic]:
    clock = FakeMonotonic()
    made = RecentObjects(clock)
    made.note(msgspec.structs.replace(review(manifest), dry_run=dry_run), verdict, known(*others))
    return made, clock


def test_a_flow_counts_before_the_cache_has_seen_it() -> None:
    admitted, clock = noted(RUNNING, COUNTING)
    assert not validate(review(flow(step("a"))), admitted.over(known(COUNTING), "ns1")).allowed
    clock.now += SECONDS
    assert validate(review(flow(step("a"))), admitted.over(known(COUNTING), "ns1")).allowed


def test_a_flow_that_was_deleted_does_not_count() -> None:
    admitted, _ = noted(RUNNING, COUNTING)
    deletion = msgspec.structs.replace(review(RUNNING), operation=Operation.DELETE, object=None, name="other")
    admitted.note(msgspec.structs.replace(deletion, dry_run=True), ALLOWED, known(COUNTING))
    assert not validate(review(flow(step("a"))), admitted.over(known(COUNTING), "ns1")).allowed
    admitted.note(deletion, ALLOWED, known(COUNTING))
    assert validate(review(flow(step("a"))), admitted.over(known(COUNTING), "ns1")).allowed


def test_a_live_list_replaces_the_flows_of_its_namespace() -> None:
    elsewhere = {**RUNNING, "metadata": {"name": "there", "namespace": "ns2"}}
    live = ReplacedLookups(kinds.JOBFLOW, "ns1", [], below=known(COUNTING, RUNNING, elsewhere))
    assert validate(review(flow(step("a"))), live).allowed
    assert live.get(kinds.JOBFLOW, "ns1", "other") is None
    assert live.get(kinds.JOBFLOW, "ns2", "there") == elsewhere
    assert list(live.all(kinds.JOBFLOWPOLICY)) == [COUNTING]
    assert live.complete


def test_a_flow_of_another_namespace_does_not_count() -> None:
    elsewhere = {**RUNNING, "metadata": {"name": "other", "namespace": "ns2"}}
    admitted, _ = noted(elsewhere, COUNTING)
    assert validate(review(flow(step("a"))), admitted.over(known(COUNTING), "ns1")).allowed


def test_a_flow_in_the_cache_is_not_counted_twice() -> None:
    admitted, _ = noted(RUNNING, COUNTING)
    ended = {**RUNNING, "status": {"state": {"phase": "Succeed"}}}
    assert validate(review(flow(step("a"))), admitted.over(known(COUNTING, ended), "ns1")).allowed


NOT_NOTED: dict[str, tuple[RecentObjects, FakeMonotonic]] = {
    "a dry run": noted(RUNNING, COUNTING, dry_run=True),
    "one that is suspended": noted(flow(step("a"), name="other", suspend=True), COUNTING),
    "one that was refused": noted(RUNNING, COUNTING, verdict=AdmissionVerdict((Violation("spec", "no"),))),
    "without a policy that counts": noted(RUNNING, policy(limits={"maxSteps": 1})),
    "a Job": noted(job(name="other"), COUNTING),
    "a name yet to be made": noted({**RUNNING, "metadata": {"generateName": "x-", "namespace": "ns1"}}, COUNTING),
}


@pytest.mark.parametrize("admitted", NOT_NOTED.values(), ids=NOT_NOTED)
def test_refused_dry_run_and_suspended_flows_are_not_counted(admitted: tuple[RecentObjects, FakeMonotonic]) -> None:
    assert validate(review(flow(step("a"))), admitted[0].over(known(COUNTING), "ns1")).allowed


def test_a_warning_about_a_missing_template_is_confirmed_live() -> None:
    warned = judged(flow(step("x")), policy(mode="Warn", required={"existingTemplates": True}))
    assert warned.allowed
    assert depends_on_missing_objects(warned)
    assert not depends_on_missing_objects(judged(flow(step("x"))))
