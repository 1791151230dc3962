"""JobFlowPolicies under admission: every field in every mode, who is exempt, what is set, and the policies themselves."""

import copy
from typing import Any

import msgspec
import pytest

from shared import kinds
from shared.policy import Finding
from shared.violation import Violation
from tests.webhook.make import (
    Body,
    body,
    defaulted,
    faults,
    flow,
    job,
    known,
    pod_template,
    review,
    step,
    task,
    template,
)
from webhook.admissions import Options
from webhook.admit import absences, mutate, validate
from webhook.admitted import SECONDS, Admitted
from webhook.lookups import Absence, Known, NothingKnown
from webhook.patch import applied
from webhook.policies import rests_on_absence, running_flows, unknown_namespace
from webhook.review import ALLOWED, UserInfo, Verdict, answer


def policy(name: str = "house", **spec: Any) -> Body:
    return body(kinds.JOBFLOWPOLICY, name, spec)


def namespace(name: str = "ns1", **labels: str) -> Body:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pods(**spec: Any) -> Body:
    """A Job of one task whose pods say this."""
    return job(task(template=pod_template(**spec)))


def container(**more: Any) -> Body:
    return {"name": "main", "image": "registry.corp/app:1", **more}


def labelled(manifest: Body, **labels: str) -> Body:
    return {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}


def judged(new: Body, *others: Body, old: Body | None = None, user: str = "", groups: tuple[str, ...] = ()) -> Verdict:
    of = msgspec.structs.replace(review(new, old), user_info=UserInfo(user, groups=groups))
    return validate(of, known(*others))


def patched_job(**spec: Any) -> Body:
    return flow(step("a", patch={"jobSpec": spec}))


REQUESTS = {"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
POD = "spec.tasks[0].template.spec"
RUNNING = flow(step("a"), name="other")

# field -> the rest of the policy, what breaks it, what does not, and where the violation lies
FIELDS: dict[str, tuple[dict[str, Any], Body, Body, str]] = {
    "limits.maxSteps": (
        {"limits": {"maxSteps": 2}},
        flow(step("a"), step("b"), **{"finally": [step("c")]}),
        flow(step("a"), step("b")),
        "spec.flows",
    ),
    "limits.maxDepth": (
        {"limits": {"maxDepth": 2}},
        flow(step("a"), step("b", "a"), step("c", "b")),
        flow(step("a"), step("b", "a"), step("c", "a"), step("d")),
        "spec.flows",
    ),
    "limits.maxParallelism": (
        {"limits": {"maxParallelism": 2}},
        flow(step("a"), step("b"), parallelism=3),
        flow(step("a"), step("b"), step("c"), parallelism=2),
        "spec.parallelism",
    ),
    "limits.maxReplicas": (
        {"limits": {"maxReplicas": 3}},
        job(task(replicas=2), task("v", replicas=2)),
        job(task(replicas=2), task("v", replicas=1)),
        "spec.tasks",
    ),
    "limits.maxRetry": (
        {"limits": {"maxRetry": 1}},
        job(task(maxRetry=1), maxRetry=2),
        job(task(maxRetry=1), maxRetry=1),
        "spec.maxRetry",
    ),
    "limits.maxActiveDeadlineSeconds": (
        {"limits": {"maxActiveDeadlineSeconds": 60}},
        flow(step("a"), activeDeadlineSeconds=61),
        flow(step("a"), activeDeadlineSeconds=60),
        "spec.activeDeadlineSeconds",
    ),
    "limits.maxTtlSecondsAfterFinished": (
        {"limits": {"maxTtlSecondsAfterFinished": 60}},
        job(ttlSecondsAfterFinished=61),
        job(ttlSecondsAfterFinished=0),
        "spec.ttlSecondsAfterFinished",
    ),
    "limits.maxRunningFlows": (
        {"limits": {"maxRunningFlows": 1}},
        flow(step("a")),
        flow(step("a"), suspend=True),
        "spec.suspend",
    ),
    "allowed.queues": ({"allowed": {"queues": ["q1"]}}, job(queue="default"), job(queue="q1"), "spec.queue"),
    "allowed.images": (
        {"allowed": {"images": ["registry.corp/*"]}},
        pods(containers=[container()], initContainers=[container(name="i", image="evil.io/app")]),
        pods(containers=[container()]),
        f"{POD}.initContainers[0].image",
    ),
    "allowed.schedulerNames": (
        {"allowed": {"schedulerNames": ["volcano"]}},
        pods(schedulerName="mine"),
        pods(schedulerName="volcano"),
        f"{POD}.schedulerName",
    ),
    "allowed.priorityClassNames": (
        {"allowed": {"priorityClassNames": ["low", "normal-*"]}},
        job(priorityClassName="system-cluster-critical"),
        job(priorityClassName="normal-2"),
        "spec.priorityClassName",
    ),
    "allowed.plugins": (
        {"allowed": {"plugins": ["env", "svc"]}},
        job(plugins={"env": [], "ssh": []}),
        job(plugins={"env": [], "svc": []}),
        "spec.plugins[ssh]",
    ),
    "allowed.serviceAccounts": (
        {"allowed": {"serviceAccounts": ["batch"]}},
        job(),
        pods(serviceAccountName="batch"),
        f"{POD}.serviceAccountName",
    ),
    "required.resourceRequests": (
        {"required": {"resourceRequests": ["cpu", "memory"]}},
        pods(containers=[container(resources={"requests": {"cpu": "1"}})]),
        pods(containers=[container(**REQUESTS)]),
        f"{POD}.containers[0].resources.requests[memory]",
    ),
    "required.resourceLimits": (
        {"required": {"resourceLimits": ["memory"]}},
        pods(containers=[container(**REQUESTS)]),
        pods(containers=[container(resources={"limits": {"memory": "1Gi"}})]),
        f"{POD}.containers[0].resources.limits[memory]",
    ),
    "required.existingTemplates": (
        {"required": {"existingTemplates": True}},
        flow(step("x", template="nowhere")),
        flow(step("x", template="there")),
        "spec.flows[0].template",
    ),
    "required.labels": (
        {"required": {"labels": ["team"]}},
        labelled(flow(step("a")), team=""),
        labelled(flow(step("a")), team="vision"),
        "metadata.labels[team]",
    ),
    "rules.deadline": (
        {"rules": [{"name": "deadline", "expression": "has(object.spec.activeDeadlineSeconds)", "message": "set one"}]},
        flow(step("a")),
        flow(step("a"), activeDeadlineSeconds=5),
        "spec.activeDeadlineSeconds",
    ),
}
AROUND = (RUNNING, template(name="there"), namespace())


@pytest.mark.parametrize("rule", FIELDS)
def test_enforce_refuses_and_names_policy_rule_and_field(rule: str) -> None:
    spec, bad, good, path = FIELDS[rule]
    refused = judged(bad, *AROUND, policy(**spec))
    assert [each.path for each in refused.violations] == [path]
    assert f'(policy "house", {rule})' in refused.violations[0].message
    assert refused.audit["house"].startswith(f"Enforce {rule}: {path}: ")
    assert judged(good, *AROUND, policy(**spec)).policies == ()


@pytest.mark.parametrize("rule", FIELDS)
def test_warn_lets_pass_and_warns_in_one_short_line(rule: str) -> None:
    spec, bad, good, path = FIELDS[rule]
    allowed = judged(bad, *AROUND, policy(mode="Warn", **spec))
    assert allowed.allowed
    told = [warning for warning in allowed.warnings if warning.startswith(f"policy house ({rule}): {path}: ")]
    assert len(told) == 1
    assert len(told[0]) < 120
    assert allowed.audit["house"].startswith(f"Warn {rule}: ")
    assert judged(good, *AROUND, policy(mode="Warn", **spec)).policies == ()


@pytest.mark.parametrize("rule", FIELDS)
def test_audit_lets_pass_in_silence_and_records(rule: str) -> None:
    spec, bad, good, path = FIELDS[rule]
    without, allowed = judged(bad, *AROUND), judged(bad, *AROUND, policy(mode="Audit", **spec))
    assert (allowed.violations, allowed.warnings) == (without.violations, without.warnings)
    assert allowed.audit["house"].startswith(f"Audit {rule}: {path}: ")
    assert b'"auditAnnotations":{"house":"Audit ' in answer(review(bad), allowed)
    assert [(each.policy, each.mode, each.rule) for each in allowed.policies] == [("house", "Audit", rule)]
    assert judged(good, *AROUND, policy(mode="Audit", **spec)).audit == {}


def found(new: Body, **spec: Any) -> list[tuple[str, str]]:
    return [(each.rule, each.path) for each in judged(new, *AROUND, policy(**spec)).policies]


IMAGES = {"images": ["registry.corp/*"]}
FINER: dict[str, tuple[dict[str, Any], Body, list[str]]] = {
    "no parallelism means no limit": (
        {"limits": {"maxParallelism": 2}},
        flow(step("a"), step("b"), step("c")),
        ["spec.parallelism"],
    ),
    "a flow that cannot exceed the parallelism": ({"limits": {"maxParallelism": 2}}, flow(step("a"), step("b")), []),
    "a loop runs all at once": (
        {"limits": {"maxParallelism": 5}},
        flow(step("a", **{"for": {"matrix": {"x": ["1", "2"], "y": ["1", "2", "3"]}}})),
        ["spec.parallelism"],
    ),
    "a loop held back by itself": (
        {"limits": {"maxParallelism": 5}},
        flow(step("a", **{"for": {"range": {"end": 100}, "parallelism": 5}})),
        [],
    ),
    "a loop of unknown length": (
        {"limits": {"maxParallelism": 5}},
        flow(step("a", **{"for": {"expression": "['1']"}})),
        ["spec.parallelism"],
    ),
    "a while runs one by one": ({"limits": {"maxParallelism": 1}}, flow(step("a", **{"for": {"while": "false"}})), []),
    "switches and daemons do not count": (
        {"limits": {"maxParallelism": 1}},
        flow(step("a", switch={"value": "'x'", "default": ["b"]}), step("b"), step("d", daemon=True)),
        [],
    ),
    "what a switch chooses comes after it": (
        {"limits": {"maxDepth": 1}},
        flow(
            step("s", switch={"value": "'x'", "cases": [{"when": ["x"], "run": ["a"]}], "default": ["b"]}),
            step("a"),
            step("b"),
        ),
        ["spec.flows"],
    ),
    "no deadline is no limit": (
        {"limits": {"maxActiveDeadlineSeconds": 9}},
        flow(step("a")),
        ["spec.activeDeadlineSeconds"],
    ),
    "no time to live is for ever": (
        {"limits": {"maxTtlSecondsAfterFinished": 9}},
        flow(step("a")),
        ["spec.ttlSecondsAfterFinished"],
    ),
    "the flow's Jobs go with it": (
        {"limits": {"maxTtlSecondsAfterFinished": 9}},
        {**job(), "metadata": {"name": "f-a", "namespace": "ns1", "ownerReferences": [{"kind": "JobFlow"}]}},
        [],
    ),
    "a template need not say its time to live": ({"limits": {"maxTtlSecondsAfterFinished": 9}}, template(), []),
    "retries of steps": (
        {"limits": {"maxRetry": 1}},
        flow(step("a", retry={"limit": 2}), retry={"limit": 3}),
        ["spec.retry.limit", "spec.flows[0].retry.limit"],
    ),
    "retries of tasks": (
        {"limits": {"maxRetry": 1}},
        job(task(maxRetry=2), maxRetry=0),
        ["spec.tasks[0].maxRetry"],
    ),
    "replicas in a patch": (
        {"limits": {"maxReplicas": 4}},
        patched_job(tasks=[{"name": "w", "replicas": 5}]),
        ["spec.flows[0].patch.jobSpec.tasks"],
    ),
    "an image in a patch": (
        {"allowed": IMAGES},
        patched_job(tasks=[{"name": "w", "template": {"spec": {"containers": [{"name": "m", "image": "x"}]}}}]),
        ["spec.flows[0].patch.jobSpec.tasks[0].template.spec.containers[0].image"],
    ),
    "a queue in a patch": (
        {"allowed": {"queues": ["q"]}},
        patched_job(queue="p"),
        ["spec.flows[0].patch.jobSpec.queue"],
    ),
    "a placeholder in a patch waits": ({"allowed": {"queues": ["q"]}}, patched_job(queue="$(params.q)"), []),
    "a placeholder in a template waits": (
        {"allowed": IMAGES},
        template(task(template=pod_template(containers=[container(image="evil.io/$(params.tag)")]))),
        [],
    ),
    "a Job has no placeholders": (
        {"allowed": IMAGES},
        pods(containers=[container(image="evil.io/$(params.tag)")]),
        [f"{POD}.containers[0].image"],
    ),
    "a template's image": ({"allowed": IMAGES}, template(), [f"{POD}.containers[0].image"]),
    "a registry that only begins alike": (
        {"allowed": IMAGES},
        pods(containers=[container(image="registry.corp.evil.io/app")]),
        [f"{POD}.containers[0].image"],
    ),
    "a short name is docker.io's": ({"allowed": {"images": ["docker.io/library/*"]}}, job(), []),
    "a user's short name is docker.io's": (
        {"allowed": {"images": ["docker.io/library/*"]}},
        pods(containers=[container(image="someone/busybox")]),
        [f"{POD}.containers[0].image"],
    ),
    "an image volume": (
        {"allowed": IMAGES},
        pods(containers=[container()], volumes=[{"name": "v", "image": {"reference": "evil.io/data"}}]),
        [f"{POD}.volumes[0].image.reference"],
    ),
    "an account by its old name": (
        {"allowed": {"serviceAccounts": ["batch"]}},
        pods(serviceAccountName="batch", serviceAccount="root"),
        [f"{POD}.serviceAccount"],
    ),
    "a template's account may come by patch": ({"allowed": {"serviceAccounts": ["batch"]}}, template(), []),
    "a limit is a request": (
        {"required": {"resourceRequests": ["cpu"]}},
        pods(containers=[container(resources={"limits": {"cpu": "1"}})]),
        [],
    ),
    "resources of the whole pod": (
        {"required": {"resourceRequests": ["cpu"], "resourceLimits": ["cpu"]}},
        pods(containers=[container()], resources={"limits": {"cpu": "1"}}),
        [],
    ),
    "a patch need not say its requests": (
        {"required": {"resourceRequests": ["cpu"]}},
        patched_job(tasks=[{"name": "w", "template": {"spec": {"containers": [{"name": "m"}]}}}]),
        [],
    ),
    "a template named as its step": (
        {"required": {"existingTemplates": True}},
        flow(step("there"), step("gone")),
        ["spec.flows[1].name"],
    ),
    "a rule over two fields points at what they share": (
        {"rules": [{"name": "r", "expression": "object.spec.a == 1 || object.spec.b == 'object.x.y'"}]},
        flow(step("a")),
        ["spec"],
    ),
    "a rule over a macro points at the list": (
        {"rules": [{"name": "r", "expression": "object.spec.flows.all(f, size(f.name) > 9)"}]},
        flow(step("a")),
        ["spec.flows"],
    ),
}


@pytest.mark.parametrize(("spec", "manifest", "paths"), FINER.values(), ids=FINER)
def test_finer_points_of_the_fields(spec: dict[str, Any], manifest: Body, paths: list[str]) -> None:
    assert [path for _, path in found(manifest, **spec)] == paths


# --- rules ------------------------------------------------------------------------------------------------------------


def told(expression: str, manifest: Body, *, old: Body | None = None, user: str = "", message: str = "") -> list[str]:
    rules = [{"name": "r", "expression": expression, "message": message}]
    verdict = judged(manifest, *AROUND, policy(rules=rules), old=old, user=user)
    return [each.message for each in verdict.policies]


def test_a_rule_says_its_message_or_its_text() -> None:
    assert told("object.spec.queue == 'x'", job(), message="use x") == ["use x"]
    assert told("object.spec.queue ==\n 'x'", job()) == ["must hold: object.spec.queue == 'x'"]


def test_a_rule_that_errs_counts_as_violated_with_the_error() -> None:
    assert told("object.spec.nosuch == 1", job(), message="unused") == ['could not be evaluated: no such key: "nosuch"']


def test_a_rule_sees_old_object_request_and_namespace() -> None:
    assert told("oldObject == null", job()) == []
    assert told("oldObject.spec.minAvailable == 1", job(minAvailable=2), old=job(minAvailable=1)) == []
    assert told("request.operation == 'CREATE' && request.userInfo.username == 'ann'", job(), user="ann") == []
    assert told("namespaceObject.metadata.name == request.namespace", job()) == []


# --- match and exempt -------------------------------------------------------------------------------------------------

DENY = {"rules": [{"name": "never", "expression": "false"}]}
MATCHES: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing said": ({}, True),
    "its kind": ({"kinds": ["Job"]}, True),
    "another kind": ({"kinds": ["JobFlow", "JobTemplate"]}, False),
    "its namespace's label": ({"namespaceSelector": {"matchLabels": {"env": "prod"}}}, True),
    "another label": ({"namespaceSelector": {"matchLabels": {"env": "test"}}}, False),
    "its namespace by name": ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ns1"}}}, True),
    "In": ({"objectSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}}, True),
    "NotIn": ({"objectSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}}, False),
    "NotIn of an absent label": (
        {"objectSelector": {"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["a"]}]}},
        True,
    ),
    "Exists": ({"objectSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}, True),
    "DoesNotExist": ({"objectSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}, False),
    "both must fit": ({"kinds": ["Job"], "objectSelector": {"matchLabels": {"team": "b"}}}, False),
}


@pytest.mark.parametrize(("match", "wanted"), MATCHES.values(), ids=MATCHES)
def test_a_policy_is_about_what_it_matches(match: dict[str, Any], wanted: bool) -> None:
    manifest = labelled(job(), team="a")
    verdict = judged(manifest, namespace(env="prod"), policy(match=match, **DENY))
    assert bool(verdict.policies) is wanted


def test_an_object_matches_by_its_labels_before_or_after_the_change() -> None:
    team = {"match": {"objectSelector": {"matchLabels": {"team": "a"}}}, **DENY}
    old = labelled(job(minAvailable=1), team="a")
    assert judged(job(minAvailable=2), policy(**team), old=old).policies
    assert not judged(job(minAvailable=2), policy(**team), old=job(minAvailable=1)).policies


EXEMPT: dict[str, tuple[dict[str, Any], bool]] = {
    "nobody": ({}, False),
    "the user": ({"usernames": ["ann"]}, True),
    "another user": ({"usernames": ["bob"]}, False),
    "users by pattern": ({"usernames": ["a*"]}, True),
    "a group": ({"groups": ["ops"]}, True),
    "another group": ({"groups": ["dev"]}, False),
    "the namespace": ({"namespaces": ["ns1"]}, True),
    "another namespace": ({"namespaces": ["ns"]}, False),
}


@pytest.mark.parametrize(("exempt", "wanted"), EXEMPT.values(), ids=EXEMPT)
def test_the_exempt_are_left_alone(exempt: dict[str, Any], wanted: bool) -> None:
    verdict = judged(job(), policy(exempt=exempt, **DENY), user="ann", groups=("ops", "system:authenticated"))
    assert verdict.allowed is wanted


# --- several policies -------------------------------------------------------------------------------------------------


def test_the_strictest_mode_wins_and_all_are_counted() -> None:
    steps = flow(step("a"), step("b"), step("c"))
    policies = [policy(name, mode=mode, limits={"maxSteps": 2}) for name, mode in zip("abc", MODES, strict=True)]
    verdict = judged(steps, template(name="a"), template(name="b"), template(name="c"), *policies)
    assert [each.message for each in verdict.violations] == [
        'has 3 steps, at most 2 are allowed (policy "c", limits.maxSteps)'
    ]
    assert verdict.warnings == ()
    assert sorted(verdict.audit) == ["a", "b", "c"]
    assert [(each.policy, each.outdone) for each in verdict.policies] == [("a", True), ("b", True), ("c", False)]


MODES = ("Audit", "Warn", "Enforce")


def test_different_violations_keep_their_modes() -> None:
    verdict = judged(
        flow(step("a"), step("b")),
        template(name="a"),
        template(name="b"),
        policy("a", mode="Warn", limits={"maxSteps": 1}),
        policy("b", required={"labels": ["team"]}),
    )
    assert len(verdict.violations) == len(verdict.warnings) == 1


def test_a_long_name_makes_an_audit_key_that_the_api_server_takes() -> None:
    (key,) = judged(job(), policy("x" * 200, mode="Audit", **DENY)).audit
    assert len(key) <= 63
    assert key.startswith("x" * 52)


def test_warnings_are_bounded() -> None:
    containers = [container(name=f"c{number}") for number in range(40)]
    verdict = judged(pods(containers=containers), policy(mode="Warn", required={"resourceRequests": ["cpu"]}))
    assert len(verdict.warnings) == 21
    assert verdict.warnings[-1] == "20 more violations of policies"
    assert verdict.audit["house"].endswith("; and 30 more")


def test_a_policy_that_does_not_compile_is_passed_over() -> None:
    broken = policy("broken", rules=[{"name": "r", "expression": "nonsense("}])
    assert judged(job(), broken).allowed
    assert not judged(job(), broken, policy(**DENY)).allowed


# --- updates ----------------------------------------------------------------------------------------------------------


def test_an_update_is_judged_when_the_spec_changes() -> None:
    old = flow(step("a"), step("b"), step("c"))
    longer = policy(limits={"maxSteps": 2})
    changed = {**old, "spec": {**old["spec"], "failureStrategy": "Continue"}}
    assert judged(labelled(old, a="b"), longer, old=old).allowed
    assert not judged(changed, longer, old=old).allowed
    deleting = {**changed, "metadata": {**changed["metadata"], "deletionTimestamp": "2026-01-02T03:04:05Z"}}
    assert judged(deleting, longer, old=old).allowed


def test_suspending_is_never_refused() -> None:
    old = flow(step("a"), step("b"))
    suspended = {**old, "spec": {**old["spec"], "suspend": True}}
    assert judged(suspended, policy(**DENY), old=old).allowed
    more = {**old, "spec": {**old["spec"], "suspend": True, "parallelism": 3}}
    assert not judged(more, policy(**DENY), old=old).allowed


def test_resuming_counts_as_one_more_running_flow() -> None:
    one = policy(limits={"maxRunningFlows": 1})
    suspended, resumed = flow(step("a"), suspend=True), flow(step("a"))
    assert not judged(resumed, RUNNING, one, old=suspended).allowed
    assert judged(resumed, one, old=suspended).allowed
    edited = flow(step("a"), parallelism=2)
    assert judged(edited, RUNNING, one, old=resumed).allowed, "an edit starts nothing"


COUNTED: dict[str, tuple[Body, int]] = {
    "new": (RUNNING, 1),
    "running": ({**RUNNING, "status": {"state": {"phase": "Running"}}}, 1),
    "ended": ({**RUNNING, "status": {"state": {"phase": "Failed"}}}, 0),
    "succeeded": ({**RUNNING, "status": {"state": {"phase": "Succeed"}}}, 0),
    "suspended": (flow(step("a"), name="other", suspend=True), 0),
    "going": ({**RUNNING, "metadata": {"name": "other", "deletionTimestamp": "2026-01-02T03:04:05Z"}}, 0),
    "itself": (flow(step("a"), name="f"), 0),
}


@pytest.mark.parametrize(("manifest", "count"), COUNTED.values(), ids=COUNTED)
def test_running_flows_are_those_that_have_neither_ended_nor_are_held(manifest: Body, count: int) -> None:
    assert running_flows([manifest], "f") == count


# --- defaults ---------------------------------------------------------------------------------------------------------

TOLERATIONS = [{"key": "gpu", "operator": "Exists"}]
BARE_JOB = {**job(), "spec": {"tasks": [task()]}}
SET: dict[str, tuple[dict[str, Any], Body, Body, tuple[str | int, ...], Any]] = {
    # field: defaults, absent there, present there, path, value that is set
    "queue": ({"queue": "research"}, BARE_JOB, job(queue="q1"), ("spec", "queue"), "research"),
    "schedulerName": (
        {"schedulerName": "mine"},
        BARE_JOB,
        job(schedulerName="volcano"),
        ("spec", "schedulerName"),
        "mine",
    ),
    "priorityClassName": (
        {"priorityClassName": "low"},
        BARE_JOB,
        job(priorityClassName="high"),
        ("spec", "priorityClassName"),
        "low",
    ),
    "jobRetainPolicy": (
        {"jobRetainPolicy": "delete"},
        flow(step("a")),
        flow(step("a"), jobRetainPolicy="retain"),
        ("spec", "jobRetainPolicy"),
        "delete",
    ),
    "ttlSecondsAfterFinished": (
        {"ttlSecondsAfterFinished": 0},
        BARE_JOB,
        job(ttlSecondsAfterFinished=7),
        ("spec", "ttlSecondsAfterFinished"),
        0,
    ),
    "activeDeadlineSeconds": (
        {"activeDeadlineSeconds": 60},
        flow(step("a")),
        flow(step("a"), activeDeadlineSeconds=7),
        ("spec", "activeDeadlineSeconds"),
        60,
    ),
    "labels": (
        {"labels": {"team": "a"}},
        flow(step("a")),
        labelled(flow(step("a")), team="b"),
        ("metadata", "labels", "team"),
        "a",
    ),
    "nodeSelector": (
        {"nodeSelector": {"disk": "ssd"}},
        pods(nodeSelector={"zone": "z"}),
        pods(nodeSelector={"disk": "hdd"}),
        ("spec", "tasks", 0, "template", "spec", "nodeSelector", "disk"),
        "ssd",
    ),
    "tolerations": (
        {"tolerations": TOLERATIONS},
        BARE_JOB,
        pods(tolerations=[{"key": "x", "operator": "Exists"}]),
        ("spec", "tasks", 0, "template", "spec", "tolerations"),
        TOLERATIONS,
    ),
    "a template's queue": ({"queue": "research"}, template(), template(queue="q1"), ("spec", "queue"), "research"),
}


def at(manifest: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        manifest = manifest[part]
    return manifest


@pytest.mark.parametrize("mode", ["Enforce", "Warn"])
@pytest.mark.parametrize("field", SET)
def test_a_default_is_set_where_absent_only(field: str, mode: str) -> None:
    wanted, absent, present, path, value = SET[field]
    around = known(policy(mode=mode, defaults=wanted))
    once = defaulted(absent, around)
    assert at(once, path) == value
    assert defaulted(once, around) == once, "running twice changes nothing"
    assert at(defaulted(present, around), path) == at(present, path)


@pytest.mark.parametrize("field", SET)
def test_audit_sets_nothing(field: str) -> None:
    wanted, absent, _, _, _ = SET[field]
    assert defaulted(absent, known(policy(mode="Audit", defaults=wanted))) == defaulted(absent)


def test_the_first_policy_by_name_sets_a_field_and_others_the_rest() -> None:
    policies = [
        policy("b", defaults={"queue": "second", "priorityClassName": "low"}),
        policy("a", defaults={"queue": "first", "labels": {"team": "a"}}),
    ]
    made = defaulted(BARE_JOB, known(*policies))
    assert (made["spec"]["queue"], made["spec"]["priorityClassName"]) == ("first", "low")
    assert made["metadata"]["labels"] == {"team": "a"}


def test_defaults_obey_match_and_exempt() -> None:
    research = {"defaults": {"queue": "research"}}
    assert defaulted(BARE_JOB, known(policy(match={"kinds": ["JobFlow"]}, **research)))["spec"]["queue"] == "default"
    assert defaulted(BARE_JOB, known(policy(exempt={"namespaces": ["ns1"]}, **research)))["spec"]["queue"] == "default"
    team = {"namespaceSelector": {"matchLabels": {"team": "vision"}}}
    made = defaulted(BARE_JOB, known(policy(match=team, **research), namespace(team="vision")))
    assert made["spec"]["queue"] == "research"


def test_jobs_of_a_flow_and_templates_get_no_time_to_live() -> None:
    around = known(policy(defaults={"ttlSecondsAfterFinished": 5}))
    owned = {**BARE_JOB, "metadata": {**BARE_JOB["metadata"], "ownerReferences": [{"kind": "JobFlow"}]}}
    assert "ttlSecondsAfterFinished" not in defaulted(owned, around)["spec"]
    assert "ttlSecondsAfterFinished" not in defaulted(template(), around)["spec"]
    assert defaulted(flow(step("a")), around)["spec"]["ttlSecondsAfterFinished"] == 5


def test_retries_that_nobody_asked_for_are_what_the_limit_allows() -> None:
    strict = policy(limits={"maxRetry": 1})
    made = defaulted(BARE_JOB, known(strict))
    assert (made["spec"]["maxRetry"], made["spec"]["tasks"][0]["maxRetry"]) == (1, 1)
    assert judged(made, strict).allowed


def test_a_queue_that_volcanos_crd_wrote_counts_as_absent() -> None:
    around = known(policy(defaults={"queue": "research"}))
    manifest = job(queue="default")

    def queue_of(options: Options) -> str:
        made = applied(manifest, mutate(review(manifest), around, options).patch)
        return str(made["spec"]["queue"])

    assert queue_of(Options()) == "default"
    assert queue_of(Options(volcano_crds=True)) == "research"
    manifest = job(queue="q1")
    assert queue_of(Options(volcano_crds=True)) == "q1"


def test_an_update_sets_nothing_new_but_gives_a_job_back_what_is_frozen() -> None:
    around = known(policy(defaults={"queue": "research", "priorityClassName": "low", "tolerations": TOLERATIONS}))
    stored = defaulted(BARE_JOB, around)
    again = {**BARE_JOB, "spec": {**BARE_JOB["spec"], "minAvailable": 1}}
    made = applied(again, mutate(review(again, stored), around).patch)
    assert (made["spec"]["queue"], "priorityClassName" in made["spec"]) == ("research", False)
    assert judged(made, old=stored).allowed
    before = copy.deepcopy(stored)
    del before["spec"]["tasks"][0]["template"]["spec"]["tolerations"]
    made = applied(again, mutate(review(again, before), around).patch)
    assert "tolerations" not in made["spec"]["tasks"][0]["template"]["spec"]
    flows = known(policy(defaults={"activeDeadlineSeconds": 5}))
    assert mutate(review(flow(step("a"), parallelism=1), flow(step("a"))), flows).patch == ()


@pytest.mark.parametrize("since", ["gone", "changed", "Audit"])
def test_an_update_keeps_what_a_policy_set_on_a_job_whatever_has_become_of_it(since: str) -> None:
    given = {"queue": "research", "ttlSecondsAfterFinished": 60, "tolerations": TOLERATIONS}
    given["nodeSelector"] = {"pool": "batch", "example.com/zone": "a"}
    stored = defaulted(BARE_JOB, known(policy(defaults=given)))
    assert stored["metadata"]["annotations"]["policy.jobflow.dev/defaulted"] == (
        "queue,ttlSecondsAfterFinished,nodeSelector[pool],nodeSelector[example.com/zone],tolerations"
    )
    around = {
        "gone": known(),
        "changed": known(policy(defaults={"queue": "other", "nodeSelector": {"pool": "new", "disk": "ssd"}})),
        "Audit": known(policy(mode="Audit", defaults=given)),
    }[since]
    again = {**BARE_JOB, "spec": {**BARE_JOB["spec"], "minAvailable": 1}}
    made = applied(again, mutate(review(again, stored), around).patch)
    assert judged(made, old=stored).allowed
    assert made["spec"]["tasks"][0]["template"] == stored["spec"]["tasks"][0]["template"]
    assert made["metadata"]["annotations"] == stored["metadata"]["annotations"]


def test_what_the_user_wrote_on_a_job_is_not_given_back() -> None:
    own = copy.deepcopy(BARE_JOB)
    own["spec"]["ttlSecondsAfterFinished"] = 5
    stored = defaulted(own, known(policy(defaults={"ttlSecondsAfterFinished": 60, "queue": "research"})))
    made = applied(BARE_JOB, mutate(review(BARE_JOB, stored), known()).patch)
    assert (made["spec"]["queue"], "ttlSecondsAfterFinished" in made["spec"]) == ("research", False)
    assert not judged(made, old=stored).allowed


# --- what is not in the caches yet ------------------------------------------------------------------------------------


def test_the_namespace_is_looked_up_when_a_policy_asks_about_it() -> None:
    by_label = policy(match={"namespaceSelector": {"matchLabels": {"a": "b"}}}, **DENY)
    by_rule = policy(rules=[{"name": "r", "expression": "namespaceObject.metadata.name == 'x'"}])
    wanted = (Absence(kinds.NAMESPACE, "", "ns1"),)
    assert unknown_namespace(review(job()), known(by_label)) == wanted
    assert unknown_namespace(review(job()), known(by_rule)) == wanted
    assert unknown_namespace(review(job()), known(by_label, namespace())) == ()
    assert unknown_namespace(review(job()), known(policy(**DENY))) == ()
    assert unknown_namespace(review(body(kinds.QUEUE, "q", {})), known(by_label)) == ()


def test_templates_are_looked_up_before_a_flow_is_refused_for_want_of_them() -> None:
    manifest = flow(step("a"), step("b", template="c"), step("s", switch={"value": "'x'", "default": ["a"]}))
    strict = policy(required={"existingTemplates": True})
    assert absences(review(manifest), known(strict, template(name="a"))) == (Absence(kinds.JOBTEMPLATE, "ns1", "c"),)
    assert absences(review(manifest), known(template(name="a"))) == ()


def test_a_linter_without_a_cluster_knows_neither_who_nor_where() -> None:
    texts = ("request.userInfo.username == 'x'", "namespaceObject.metadata.name == 'x'", "object.spec.queue == 'x'")
    rules = [{"name": name, "expression": text} for name, text in zip("abc", texts, strict=True)]
    alone = Known([(kinds.JOBFLOWPOLICY, policy(rules=rules))], below=NothingKnown())
    assert [each.rule for each in validate(review(job()), alone).policies] == ["rules.c"]


def test_a_linter_without_a_cluster_misses_no_templates() -> None:
    strict = policy(required={"existingTemplates": True}, limits={"maxSteps": 0})
    alone = Known([(kinds.JOBFLOWPOLICY, strict)], below=NothingKnown())
    assert [each.rule for each in validate(review(flow(step("a"))), alone).policies] == ["limits.maxSteps"]


# --- the policies themselves ------------------------------------------------------------------------------------------

ONE = {"name": "r", "expression": "true"}
REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an expression that does not parse": (
        {"rules": [{"name": "r", "expression": "object.spec ="}]},
        ["spec.rules[0].expression"],
    ),
    "a name that does not exist": (
        {"rules": [ONE, {"name": "s", "expression": "1 == 1 && objet.spec == 1"}]},
        ["spec.rules[1].expression"],
    ),
    "no bool": ({"rules": [{"name": "r", "expression": "size('x')"}]}, ["spec.rules[0].expression"]),
    "rules of one name": ({"rules": [ONE, ONE]}, ["spec.rules[1].name"]),
    "a rule without a name": ({"rules": [{"name": "", "expression": "true"}]}, ["spec.rules[0].name"]),
    "a pattern with brackets": ({"allowed": {"images": ["ok/*", "[ab]/*"]}}, ["spec.allowed.images[1]"]),
    "an empty pattern": ({"exempt": {"usernames": [""]}}, ["spec.exempt.usernames[0]"]),
    "a selector's operator": (
        {"match": {"objectSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}},
        ["spec.match.objectSelector.matchExpressions[0].operator"],
    ),
    "a selector's slip": (
        {"match": {"namespaceSelector": {"matchLabel": {"a": "b"}}}},
        ["spec.match.namespaceSelector.matchLabel"],
    ),
    "a default queue": ({"defaults": {"queue": "A_b"}}, ["spec.defaults.queue"]),
    "a default label": ({"defaults": {"labels": {"a": "b c"}}}, ["spec.defaults.labels"]),
    "a default toleration": (
        {"defaults": {"tolerations": [{"key": "a", "effect": "Never"}]}},
        ["spec.defaults.tolerations[0].effect"],
    ),
    "a default node selector": ({"defaults": {"nodeSelector": {"a b": "c"}}}, ["spec.defaults.nodeSelector"]),
    "a default that it refuses": (
        {"defaults": {"queue": "a"}, "allowed": {"queues": ["b*"]}},
        ["spec.defaults.queue"],
    ),
    "a default over its limit": (
        {"defaults": {"activeDeadlineSeconds": 9}, "limits": {"maxActiveDeadlineSeconds": 8}},
        ["spec.defaults.activeDeadlineSeconds"],
    ),
    "a required label": ({"required": {"labels": ["a b"]}}, ["spec.required.labels[0]"]),
    "a resource": ({"required": {"resourceRequests": [""]}}, ["spec.required.resourceRequests[0]"]),
    "a kind that policies are not about": ({"match": {"kinds": ["Pod"]}}, ["spec.match.kinds[0]"]),
    "a mode": ({"mode": "Deny"}, ["spec.mode"]),
}


@pytest.mark.parametrize(("spec", "paths"), REFUSED.values(), ids=REFUSED)
def test_a_policy_that_cannot_work_is_refused(spec: dict[str, Any], paths: list[str]) -> None:
    told_ = faults(policy(**spec))
    assert list(dict.fromkeys(text.partition(": ")[0] for text in told_)) == paths
    changed = policy(**spec)
    assert faults(changed, policy()) == told_
    assert faults(labelled(changed, a="b"), changed) == []


def test_an_expression_is_refused_with_its_position_and_a_hint() -> None:
    rules = [{"name": "r", "expression": "true &&\n  objet.spec.suspend"}]
    told_ = faults(policy(rules=rules))
    assert len(told_) == 1
    assert '2:3: undeclared name "objet"; did you mean "object"?' in told_[0]


def test_every_field_of_a_good_policy_passes() -> None:
    everything: dict[str, Any] = {"match": {"kinds": ["Job"], "namespaceSelector": {"matchLabels": {"a": "b"}}}}
    everything |= {"exempt": {"usernames": ["system:serviceaccount:ns:*"], "groups": ["ops"], "namespaces": ["x"]}}
    everything |= {"defaults": {"queue": "q", "labels": {"team": "a"}, "tolerations": TOLERATIONS}}
    for rule, (spec, _, _, _) in FIELDS.items():
        part, _, _ = rule.partition(".")
        everything[part] = (
            everything.get(part, []) + spec[part] if part == "rules" else everything.get(part, {}) | spec[part]
        )
    everything["allowed"]["queues"] = ["q*"]
    assert faults(policy(**everything)) == []


def test_findings_are_plain_data() -> None:
    verdict = judged(job(), policy(**DENY))
    assert isinstance(verdict.policies[0], Finding)
    assert str(verdict.policies[0]) == "rules.never: spec: Forbidden: must hold: false"


# --- what was let in a moment ago -------------------------------------------------------------------------------------

COUNTING = policy(limits={"maxRunningFlows": 1})


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def noted(manifest: Body, *others: Body, dry_run: bool = False, verdict: Verdict = ALLOWED) -> tuple[Admitted, Clock]:
    clock = Clock()
    made = Admitted(clock)
    made.note(msgspec.structs.replace(review(manifest), dry_run=dry_run), verdict, known(*others))
    return made, clock


def test_a_flow_counts_before_the_cache_has_seen_it() -> None:
    admitted, clock = noted(RUNNING, COUNTING)
    assert not validate(review(flow(step("a"))), admitted.over(known(COUNTING), "ns1")).allowed
    clock.now += SECONDS
    assert validate(review(flow(step("a"))), admitted.over(known(COUNTING), "ns1")).allowed


def test_a_flow_of_another_namespace_does_not_count() -> None:
    elsewhere = {**RUNNING, "metadata": {"name": "other", "namespace": "ns2"}}
    admitted, _ = noted(elsewhere, COUNTING)
    assert validate(review(flow(step("a"))), admitted.over(known(COUNTING), "ns1")).allowed


def test_what_the_cache_knows_better_does_not_count_twice() -> None:
    admitted, _ = noted(RUNNING, COUNTING)
    ended = {**RUNNING, "status": {"state": {"phase": "Succeed"}}}
    assert validate(review(flow(step("a"))), admitted.over(known(COUNTING, ended), "ns1")).allowed


NOT_NOTED: dict[str, tuple[Admitted, Clock]] = {
    "a dry run": noted(RUNNING, COUNTING, dry_run=True),
    "one that is suspended": noted(flow(step("a"), name="other", suspend=True), COUNTING),
    "one that was refused": noted(RUNNING, COUNTING, verdict=Verdict((Violation("spec", "no"),))),
    "without a policy that counts": noted(RUNNING, policy(limits={"maxSteps": 1})),
    "a Job": noted(job(name="other"), COUNTING),
    "a name yet to be made": noted({**RUNNING, "metadata": {"generateName": "x-", "namespace": "ns1"}}, COUNTING),
}


@pytest.mark.parametrize("admitted", NOT_NOTED.values(), ids=NOT_NOTED)
def test_what_will_not_run_is_not_counted(admitted: tuple[Admitted, Clock]) -> None:
    assert validate(review(flow(step("a"))), admitted[0].over(known(COUNTING), "ns1")).allowed


def test_a_warning_for_want_of_a_template_is_confirmed_too() -> None:
    warned = judged(flow(step("x")), policy(mode="Warn", required={"existingTemplates": True}))
    assert warned.allowed
    assert rests_on_absence(warned)
    assert not rests_on_absence(judged(flow(step("x"))))
