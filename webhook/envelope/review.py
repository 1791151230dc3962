"""Decode and encode AdmissionReview v1. A malformed review raises BadReview (HTTP 400); a bad object gets a verdict."""

from enum import StrEnum
from typing import Any, Final

import msgspec

from shared.model.types import Body
from shared.policy import PolicyFinding
from shared.violation import Violation

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
UNPROCESSABLE: Final = 422
FORBIDDEN: Final = 403
_CAUSES: Final = 200  # maximum number of faults listed in a response; the others are counted
_CUT: Final = "..."
_WARNING: Final = 256  # maximum length of a warning: kube-apiserver never cuts one that is not longer


class BadReview(ValueError):
    """The request is not an AdmissionReview that can be answered. The text is for the sender."""


class Operation(StrEnum):
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


class GroupKind(msgspec.Struct, frozen=True):
    group: str = ""
    version: str = ""
    kind: str = ""


class RequestUser(msgspec.Struct, frozen=True):
    """The user who sent the request."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Any = None


class AdmissionReview(msgspec.Struct, frozen=True, rename="camel"):
    """One admission request. `object` is None on DELETE, `old_object` on CREATE."""

    uid: str
    operation: Operation
    kind: GroupKind = GroupKind()
    name: str = ""
    namespace: str = ""
    sub_resource: str = ""
    user_info: RequestUser = RequestUser()
    object: Body | None = None
    old_object: Body | None = None
    dry_run: bool | None = None
    options: Body | None = None


class AdmissionVerdict(msgspec.Struct, frozen=True):
    """The response to a review. It refuses if there are violations; `patch` (RFC 6902) is sent only if there are none."""

    violations: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()
    notices: tuple[
        str, ...
    ] = ()  # sent as warnings too, but nothing is wrong, so that they are neither counted nor logged
    patch: tuple[Body, ...] = ()
    audit: dict[str, str] = {}
    rules: tuple[str, ...] = ()  # names of the rules that found the violations, for metrics
    policy_warnings: int = 0  # number of warnings of policies, which are the last ones
    warned_by: tuple[str, ...] = ()  # names of the rules that warned, for logs
    schema_faults: int = 0  # number of violations of the API server's schema, which are the first ones
    policies: tuple[PolicyFinding, ...] = ()  # what JobFlowPolicies found, for metrics

    @property
    def allowed(self) -> bool:
        return not self.violations


ALLOWED: Final = AdmissionVerdict()


class _Envelope(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    request: AdmissionReview


_DECODER: Final = msgspec.json.Decoder(_Envelope)
_ENCODER: Final = msgspec.json.Encoder()


def parse_review(data: bytes) -> AdmissionReview:
    """Decode an AdmissionReview. Raises BadReview with a text for the sender."""
    try:
        envelope = _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise BadReview(f"not an AdmissionReview: {error}") from error
    if (envelope.api_version, envelope.kind) != (API_VERSION, KIND):
        raise BadReview(f"must be {API_VERSION} {KIND}, is {envelope.api_version} {envelope.kind}")
    review = envelope.request
    if not review.uid:
        raise BadReview("request.uid is empty")
    if review.object is None and review.operation in (Operation.CREATE, Operation.UPDATE):
        raise BadReview(f"request.object is missing on {review.operation}")
    return review


def answer(review: AdmissionReview, verdict: AdmissionVerdict) -> bytes:
    """The AdmissionReview that answers `review`."""
    response: Body = {"uid": review.uid, "allowed": verdict.allowed}
    if texts := (*verdict.warnings, *(verdict.notices if verdict.allowed else ())):
        response["warnings"] = [_short(text) for text in texts]
    if verdict.audit:
        response["auditAnnotations"] = verdict.audit
    if not verdict.allowed:
        response["status"] = status(review, verdict.violations)
    elif verdict.patch:
        response["patchType"] = "JSONPatch"
        response["patch"] = _ENCODER.encode(verdict.patch)  # msgspec encodes bytes as base64, as the API requires
    return _ENCODER.encode({"apiVersion": API_VERSION, "kind": KIND, "response": response})


def status(review: AdmissionReview, violations: tuple[Violation, ...]) -> Body:
    """A metav1.Status like the one of the API server's own field errors, so that kubectl prints both the same way.

    Invalid (422) where the object must change, as clients do not retry it; Forbidden (403) where it may be accepted later.
    """
    name = review.name or name_of(review.object)
    kind = f"{review.kind.kind}.{review.kind.group}" if review.kind.group else review.kind.kind
    shown = [str(violation) for violation in violations[:_CAUSES]]
    if len(violations) > _CAUSES:
        shown.append(f"and {len(violations) - _CAUSES} more")
    listed = shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"
    passing = all(violation.passing for violation in violations)
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "reason": "Forbidden" if passing else "Invalid",
        "code": FORBIDDEN if passing else UNPROCESSABLE,
        "message": f'{kind} "{name}" is {"forbidden" if passing else "invalid"}: {listed}',
        "details": {
            "name": name,
            "group": review.kind.group,
            "kind": review.kind.kind,
            "causes": [
                {"reason": violation.reason, "message": violation.text, "field": violation.path}
                for violation in violations[:_CAUSES]
            ],
        },
    }


def name_of(body: Body | None) -> str:
    """`metadata.name`, or `metadata.generateName`; '' if both are absent."""
    metadata = (body or {}).get("metadata")
    if not isinstance(metadata, dict):
        return ""
    name = metadata.get("name") or metadata.get("generateName")
    return name if isinstance(name, str) else ""


def _short(warning: str) -> str:
    return warning if len(warning) <= _WARNING else warning[: _WARNING - len(_CUT)] + _CUT
