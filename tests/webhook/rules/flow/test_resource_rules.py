"""Rules of steps with `resource`: a table of manifests and the expected messages."""

from typing import Any

import pytest

from shared import kinds
from shared.model.types import Body
from shared.podtemplate.expansion import OPEN_REFERENCE
from shared.resource_steps.allowed import InvalidKinds, parse_kinds
from tests.webhook.make import body, faults, flow, known, review, step
from webhook.verdict.admit import validate
from webhook.verdict.kind_admission import AdmissionOptions

ALLOWED = parse_kinds(
    '[{"apiVersion": "batch/v1", "kind": "Job", "resource": "jobs"},'
    ' {"apiVersion": "x.dev/v1", "kind": "Thing", "resource": "things",'
    '  "namespaceSelector": {"matchLabels": {"team": "a"}}}]'
)
JOB: Body = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {}}}
THING: Body = {"apiVersion": "x.dev/v1", "kind": "Thing"}
ENDS = {"success": "object.ok", "failure": "object.bad"}
AT = "spec.flows[0].resource"


def of(manifest: Body, **fields: Any) -> Body:
    return flow(step("a", resource={"manifest": manifest, **fields}))


def said(manifest: Body, *existing: Body) -> list[str]:
    options = AdmissionOptions(resource_kinds=ALLOWED)
    return [str(each) for each in validate(review(manifest), known(*existing), options).violations]


REFUSED: dict[str, tuple[Body, str]] = {
    "a kind that is not allowed": (
        of({"apiVersion": "apps/v1", "kind": "Deployment"}, **ENDS),
        "apps/v1 Deployment: the operator does not allow steps to create it in this namespace; allowed: batch/v1 Job",
    ),
    "another version of an allowed kind": (of(JOB | {"apiVersion": "batch/v2"}), "batch/v2 Job: the operator does not"),
    "a kind of other namespaces": (of(THING, **ENDS), "x.dev/v1 Thing: the operator does not allow"),
    "a Secret": (of({"apiVersion": "v1", "kind": "Secret"}, **ENDS), "steps may never create this kind"),
    "a RoleBinding": (
        of({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding"}, **ENDS),
        "steps may never create this kind: it grants rights",
    ),
    "no kind": (of({"apiVersion": "batch/v1"}, **ENDS), f"{AT}.manifest.kind: Invalid value: say which object"),
    "a kind from a param": (of(JOB | {"kind": "$(params.k)"}, **ENDS), "must be written out, without a placeholder"),
    "a status": (of(JOB | {"status": {}}), f"{AT}.manifest.status: "),
    "an owner": (of(JOB | {"metadata": {"ownerReferences": []}}), "the flow owns the object: remove it"),
    "a finalizer": (of(JOB | {"metadata": {"finalizers": ["x"]}}), "the flow could not be deleted"),
    "a name": (of(JOB | {"metadata": {"name": "x"}}), "the controller names the object"),
    "another namespace": (of(JOB | {"metadata": {"namespace": "other"}}), 'the flow\'s namespace "ns1"'),
    "a namespace from a placeholder": (of(JOB | {"metadata": {"namespace": "$(flow.namespace)"}}), "must be absent or"),
    "labels that are no map": (of(JOB | {"metadata": {"labels": ["x"]}}), "must be a map of strings"),
    "metadata that is no map": (of(JOB | {"metadata": "x"}), f"{AT}.manifest.metadata: "),
    "a field of metadata that nobody sets": (of(JOB | {"metadata": {"uid": "x"}}), "may not be set; only labels"),
    "a service account from a placeholder": (
        of(JOB | {"spec": {"tasks": [{"pod": {"serviceAccountName": "$(flow.name)"}}]}}),
        f"{AT}.manifest.spec.tasks[0].pod.serviceAccountName: ",
    ),
    "the same, as Spark writes it": (
        of(JOB | {"spec": {"driver": {"serviceAccount": "x-$(flow.name)"}}}),
        "a service account must be written out",
    ),
    "a placeholder inside a reference that a container would read": (
        of(
            JOB
            | {
                "spec": {
                    "template": {"spec": {"containers": [{"image": "$(A$(flow.name))", "args": ["$(A$(flow.name))"]}]}}
                }
            }
        ),
        f'{AT}.manifest.spec.template.spec.containers[0].args[0]: Invalid value: "$(A$(flow.name))": {OPEN_REFERENCE}',
    ),
    "a placeholder of nothing": (of(JOB | {"spec": "$(params.no)"}), 'no param named "no"'),
    "no conditions of a kind that is not known": (of(THING), f"{AT}.success: Required value: give a CEL bool"),
    "a condition that does not compile": (of(JOB, success="object."), f"{AT}.success: "),
    "a condition that is no bool": (of(JOB, failure="'x'"), f"{AT}.failure: "),
    "a message that is no text": (of(JOB, message="1"), f"{AT}.message: "),
    "a condition over steps": (of(JOB, success="steps.a.phase == 'x'"), f"{AT}.success: "),
    "a condition over the request": (of(JOB, success="request.x == 1"), 'undeclared name "request"'),
    "a condition that costs too much": (
        of(JOB, success="object.a.all(x, object.a.all(y, object.a.all(z, object.a.all(v, x + y + z + v == 's'))))"),
        f"{AT}.success: ",
    ),
    "a patch of metadata": (
        of(JOB, terminate={"patch": [{"op": "remove", "path": "/metadata/labels"}]}),
        f"{AT}.terminate.patch[0].path: ",
    ),
    "no patch": (of(JOB, terminate={}), "give at least one operation, or remove terminate"),
    "an expression in the patch": (
        of(JOB, terminate={"patch": [{"op": "add", "path": "/spec/x", "expression": "1"}]}),
        "is not evaluated here: give value",
    ),
    "a template beside it": (flow(step("a", template="t", resource={"manifest": JOB})), "spec.flows[0].template: "),
    "a flow beside it": (
        flow(step("a", flow={"template": "t"}, resource={"manifest": JOB})),
        "spec.flows[0].flow: Forbidden: may not be set beside resource",
    ),
    "an output without an expression": (
        flow(step("a", resource={"manifest": JOB}, outputs=[{"name": "o"}])),
        "spec.flows[0].outputs[0].expression: Required value",
    ),
    "an output of a container": (
        flow(step("a", resource={"manifest": JOB}, outputs=[{"name": "o", "task": "t", "expression": "1"}])),
        "spec.flows[0].outputs[0].task: Forbidden",
    ),
    "an expression of a Job's output": (
        flow(step("a", outputs=[{"name": "o", "expression": "object.x"}])),
        "spec.flows[0].outputs[0].expression: Forbidden",
    ),
    "a kind that is not allowed in a flow within": (
        flow(step("a", flow={"spec": {"flows": [step("b", resource={"manifest": THING, **ENDS})]}})),
        "spec.flows[0].flow.spec.flows[0].resource.manifest.kind: Forbidden",
    ),
    "a name that is too long": (
        flow(step("a" * 40, resource={"manifest": JOB}), name="f" * 25),
        "spec.flows[0].name: ",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    manifest, wanted = REFUSED[case]
    assert any(wanted in line for line in said(manifest)), said(manifest)


ACCEPTED: dict[str, Body] = {
    "a known kind without conditions": of(JOB),
    "labels, annotations and the flow's own namespace": of(
        JOB | {"metadata": {"labels": {"x": "$(flow.name)"}, "annotations": {"y": "z"}, "namespace": "ns1"}}
    ),
    "a service account that is written out": of(JOB | {"spec": {"serviceAccountName": "builder"}}),
    "values of items, and a patch that stops it": flow(
        step(
            "a",
            resource={
                "manifest": JOB | {"spec": {"x": "$(item)"}},
                "terminate": {"patch": [{"op": "replace", "path": "/spec/suspend", "value": True}]},
            },
            outputs=[{"name": "o", "expression": "object.status.succeeded"}],
            **{"for": {"items": ["1", "2"]}},
        ),
        step("b", "a", **{"if": "steps.a.outputs.o == '1'"}),
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case: str) -> None:
    assert said(ACCEPTED[case]) == []


def test_a_kind_is_accepted_in_the_namespaces_that_its_selector_selects() -> None:
    chosen = body(kinds.NAMESPACE, "ns1")
    chosen["metadata"]["labels"] = {"team": "a"}
    assert said(of(THING, **ENDS), chosen) == []


def test_without_a_cluster_only_kinds_that_are_never_allowed_are_refused() -> None:
    assert faults(of(THING, **ENDS)) == []
    (secret,) = faults(of({"apiVersion": "v1", "kind": "Secret"}, **ENDS))
    assert "steps may never create this kind" in secret


SETTINGS = {
    "no JSON": ("{", "not a list of"),
    "an unknown field": ('[{"apiVersion": "a/v1", "kind": "A", "resource": "as", "verbs": []}]', "verbs"),
    "a subresource": ('[{"apiVersion": "a/v1", "kind": "A", "resource": "as/status"}]', "resource"),
    "Secrets": ('[{"apiVersion": "v1", "kind": "Secret", "resource": "secrets"}]', "core group"),
    "roles": (
        '[{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "resource": "roles"}]',
        "it grants rights",
    ),
    "a kind twice": (
        '[{"apiVersion": "a/v1", "kind": "A", "resource": "as"}, {"apiVersion": "a/v1", "kind": "A", "resource": "bs"}]',
        "a/v1 A is given twice",
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_setting_that_is_refused(case: str) -> None:
    text, wanted = SETTINGS[case]
    with pytest.raises(InvalidKinds) as refused:
        parse_kinds(text)
    assert wanted in str(refused.value)
