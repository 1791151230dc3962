"""The envelope: what is answered with 400, and how verdicts look on the wire."""

import base64
import json
from typing import Any

import pytest

from shared.violation import Violation
from tests.webhook.make import envelope, flow, review
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, BadReview, Operation, answer, parse_review

GOOD = json.loads(envelope(review(flow())))


def changed(**fields: Any) -> bytes:
    return json.dumps({**GOOD, "request": {**GOOD["request"], **fields}}).encode()


BAD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "half of it": json.dumps(GOOD).encode()[:-10],
    "not UTF-8": b'{"apiVersion": "\xff"}',
    "a list": b"[]",
    "another kind": json.dumps({**GOOD, "kind": "Pod"}).encode(),
    "another version": json.dumps({**GOOD, "apiVersion": "admission.k8s.io/v1beta1"}).encode(),
    "no request": json.dumps({**GOOD, "request": None}).encode(),
    "no uid": changed(uid=""),
    "an unknown operation": changed(operation="CRATE"),
    "an object that is none": changed(object=[1]),
    "no object": changed(object=None),
    "a number that is none": changed(object={"spec": {}}).replace(b'"spec": {}', b'"spec": NaN'),
    "nested without end": changed(object={"x": 1}).replace(b'"x": 1', b'"x": ' + b"[" * 100_000 + b"]" * 100_000),
}


@pytest.mark.parametrize("case", BAD)
def test_a_malformed_review_is_rejected(case: str) -> None:
    with pytest.raises(BadReview):
        parse_review(BAD[case])


def test_a_review_is_read_as_the_api_server_sends_it() -> None:
    found = parse_review(envelope(review(flow(), flow())))
    assert (found.uid, found.operation, found.kind.kind, found.name) == ("u1", Operation.UPDATE, "JobFlow", "f")
    assert found.user_info.groups == ("system:masters",)
    assert found.object == found.old_object == flow()


def test_of_a_duplicate_key_the_last_value_counts() -> None:
    data = changed(object={"x": 1}).replace(b'"x": 1', b'"x": 1, "x": 2')
    assert parse_review(data).object == {"x": 2}


def response(verdict: AdmissionVerdict, of: AdmissionReview | None = None) -> Any:
    whole = json.loads(answer(of or review(flow()), verdict))
    assert (whole["apiVersion"], whole["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    return whole["response"]


def test_an_allowed_response_has_no_other_fields() -> None:
    assert response(AdmissionVerdict()) == {"uid": "u1", "allowed": True}


def test_a_patch_is_base64_of_json() -> None:
    found = response(AdmissionVerdict(patch=({"op": "add", "path": "/a", "value": 1},)))
    assert found["patchType"] == "JSONPatch"
    assert json.loads(base64.b64decode(found["patch"])) == [{"op": "add", "path": "/a", "value": 1}]


def test_a_refusal_is_a_status_like_the_api_servers() -> None:
    faults = (Violation("spec.a", "is wrong", "x"), Violation("spec.b", "is wrong too", 2))
    status = response(AdmissionVerdict(faults))["status"]
    assert (status["code"], status["reason"], status["status"]) == (422, "Invalid", "Failure")
    assert status["message"] == (
        'JobFlow.flow.volcano.sh "f" is invalid: [spec.a: Invalid value: "x": is wrong, '
        "spec.b: Invalid value: 2: is wrong too]"
    )
    assert status["details"] == {
        "name": "f",
        "group": "flow.volcano.sh",
        "kind": "JobFlow",
        "causes": [
            {"reason": "FieldValueInvalid", "message": 'Invalid value: "x": is wrong', "field": "spec.a"},
            {"reason": "FieldValueInvalid", "message": "Invalid value: 2: is wrong too", "field": "spec.b"},
        ],
    }


def test_an_object_that_may_be_accepted_later_is_forbidden_not_invalid() -> None:
    closed = Violation("spec.queue", "queue q is closed", "q", passing=True)
    status = response(AdmissionVerdict((closed,)))["status"]
    assert (status["code"], status["reason"]) == (403, "Forbidden")
    assert status["message"].startswith('JobFlow.flow.volcano.sh "f" is forbidden: spec.queue: ')
    both = response(AdmissionVerdict((closed, Violation("spec.a", "is wrong", "x"))))["status"]
    assert (both["code"], both["reason"]) == (422, "Invalid")


def test_a_single_violation_has_no_brackets() -> None:
    status = response(AdmissionVerdict((Violation("spec.a", "is wrong", "x"),)))["status"]
    assert status["message"] == 'JobFlow.flow.volcano.sh "f" is invalid: spec.a: Invalid value: "x": is wrong'


def test_a_refusal_carries_no_patch() -> None:
    found = response(AdmissionVerdict((Violation("spec.a", "is wrong", "x"),), patch=({"op": "add"},)))
    assert "patch" not in found


def test_surplus_violations_are_counted() -> None:
    status = response(AdmissionVerdict(tuple(Violation(f"spec[{n}]", "is wrong") for n in range(1000))))["status"]
    assert len(status["details"]["causes"]) == 200
    assert status["message"].endswith("and 800 more]")


def test_long_warnings_are_cut() -> None:
    found = response(AdmissionVerdict(warnings=("short", "x" * 300)))["warnings"]
    assert found == ["short", "x" * 253 + "..."]


def test_audit_annotations_are_passed_on() -> None:
    assert response(AdmissionVerdict(audit={"policy": "p"}))["auditAnnotations"] == {"policy": "p"}
