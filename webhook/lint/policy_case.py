"""A PolicyTest: which policies do what to which objects, in a file beside the policies. Parsed and judged; pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from shared import kinds
from shared.kinds import Kind
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.timestamp import epoch_or_none
from webhook.envelope.patch import applied, value_at
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, GroupKind, Operation, RequestUser
from webhook.lint.check import OURS
from webhook.policies.deletions import GUARDED
from webhook.subject.lookups import InMemoryLookups
from webhook.verdict.admit import mutate, validate
from webhook.verdict.kind_admission import AdmissionOptions

KIND: Final = "PolicyTest"
_PART: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
_OPEN: Final = {"status": {"state": "Open"}}


class Expect(StrEnum):
    ALLOWED = "allowed"
    WARNED = "warned"
    DENIED = "denied"


class CaseUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who applies the object."""

    name: str = "somebody"
    groups: tuple[str, ...] = ("system:authenticated",)


class CaseNamespace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the object is applied."""

    name: str = ""
    labels: dict[str, str] = {}


class PolicyCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One request and what is expected of it.

    `resource`, `old`: `KIND/NAME` of an object of the test; `old` is the stored object of an UPDATE. `messages`: each is
    part of a refusal or warning. `patched`: values of the object after defaults, by path; null for an absent field. `now`:
    the time of the request, RFC 3339, for exceptions and `validity`; by default the present.
    """

    resource: str
    expect: Expect = Expect.ALLOWED
    name: str = ""
    operation: Operation = Operation.CREATE
    old: str = ""
    user: CaseUser = CaseUser()
    namespace: CaseNamespace = CaseNamespace()
    messages: tuple[str, ...] = ()
    patched: dict[str, Any] = {}
    now: str = ""

    @property
    def title(self) -> str:
        return self.name or f"{self.operation} {self.resource} is {self.expect}"


class PolicyTest(msgspec.Struct, frozen=True, rename="camel"):
    """`policies`, `resources`, `exceptions`: paths relative to the file, or objects."""

    policies: tuple[str | Body, ...]
    cases: tuple[PolicyCase, ...]
    resources: tuple[str | Body, ...] = ()
    exceptions: tuple[str | Body, ...] = ()
    kind: str = KIND
    api_version: str = ""
    metadata: Body = {}


class CaseResult(msgspec.Struct, frozen=True):
    """`faults`: how the outcome differs from what is expected; none: the case passed. `messages`: refusals and
    warnings."""

    title: str
    outcome: Expect
    faults: tuple[str, ...]
    messages: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.faults


class BadCase(ValueError):
    """A case that cannot be judged; the text is for its author."""


def judge_case(
    case: PolicyCase,
    policies: Sequence[Body],
    resources: Sequence[Body],
    exceptions: Sequence[Body] = (),
    now: float | None = None,
) -> CaseResult:
    """Send the case's request through the webhook's defaults, rules and policies. Raises BadCase.

    Queues that the object names exist; other objects exist if they are among `resources`. `now`: epoch seconds, unless the
    case names a time; exceptions without namespace are in that of the case, and are created at the time of the request.
    """
    if case.now and (now := epoch_or_none(case.now)) is None:
        raise BadCase(f'now: "{case.now}" is not an RFC 3339 time such as 2026-01-31T12:00:00Z')
    body = _resource(case.resource, resources)
    if case.operation is Operation.DELETE and _kind_of(body) not in GUARDED:
        judged = ", ".join(kind.kind for kind in GUARDED)
        raise BadCase(f"operation: policies judge the deletion of {judged} only")
    old = _resource(case.old or case.resource, resources) if case.operation is Operation.UPDATE else None
    others = [*(each for each in resources if each not in (body, old)), *exceptions]
    lookups = _lookups(case, policies, others, body)
    review, options = _review(case, body, old), AdmissionOptions(now=now)
    defaulted = body
    if case.operation is not Operation.DELETE:
        defaulted = applied(body, mutate(review, lookups, options).patch)
        review = msgspec.structs.replace(review, object=defaulted)
    verdict = validate(review, lookups, options)
    outcome, messages = _outcome(verdict)
    return CaseResult(case.title, outcome, tuple(_faults(case, outcome, messages, verdict, defaulted)), messages)


def _outcome(verdict: AdmissionVerdict) -> tuple[Expect, tuple[str, ...]]:
    warned = tuple(str(each.violation) for each in verdict.policies if each.mode is PolicyMode.WARN and each.counts)
    excepted = (each.excepted_warning for each in verdict.policies if each.excepted_by)
    messages = (*(str(each) for each in verdict.violations), *warned, *dict.fromkeys(excepted))
    return Expect.DENIED if verdict.violations else Expect.WARNED if warned else Expect.ALLOWED, messages


def _faults(
    case: PolicyCase, outcome: Expect, messages: Sequence[str], verdict: AdmissionVerdict, defaulted: Body
) -> Iterator[str]:
    if outcome is not case.expect:
        yield f"expected: {case.expect}; it is {outcome}" + (f": {'; '.join(messages)}" if messages else "")
    own = [str(each) for each in verdict.violations if "(policy " not in str(each)]
    if own and case.expect is not Expect.DENIED:
        yield f"the webhook refuses the object without any policy: {'; '.join(own)}"
    for words in case.messages:
        if not any(words in each for each in messages):
            yield f'no message contains "{words}"'
    for path, wanted in case.patched.items():
        found = value_at(defaulted, _path(path))
        if found != wanted:
            yield f"{path}: expected {_json(wanted)}; it is {_json(found)}"


def _resource(reference: str, resources: Iterable[Body]) -> Body:
    kind, _, name = reference.partition("/")
    known = []
    for body in resources:
        own = f"{body.get('kind')}/{(body.get('metadata') or {}).get('name')}"
        if own == reference:
            return body
        known.append(own)
    raise BadCase(f'resource: no {kind} named "{name}" among the resources: {", ".join(known) or "there are none"}')


def _kind_of(body: Body) -> Kind:
    kind = OURS.get((str(body.get("apiVersion")), str(body.get("kind"))))
    if kind is None:
        raise BadCase(f"resource: policies do not judge {body.get('apiVersion')} {body.get('kind')}")
    return kind


def _namespace(case: PolicyCase, body: Body) -> str:
    return case.namespace.name or str((body.get("metadata") or {}).get("namespace") or "default")


def _review(case: PolicyCase, body: Body, old: Body | None) -> AdmissionReview:
    kind, deletion = _kind_of(body), case.operation is Operation.DELETE
    stored = body if deletion else old
    return AdmissionReview(
        uid="test",
        operation=case.operation,
        kind=GroupKind(kind.group, kind.version, kind.kind),
        name=str(body["metadata"]["name"]),
        namespace=_namespace(case, body),
        user_info=RequestUser(case.user.name, groups=case.user.groups),
        object=None if deletion else _placed(body, _namespace(case, body)),
        old_object=None if stored is None else _placed(stored, _namespace(case, body)),
    )


def _placed(body: Body, namespace: str) -> Body:
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


def _lookups(case: PolicyCase, policies: Sequence[Body], others: Sequence[Body], body: Body) -> InMemoryLookups:
    namespace = _namespace(case, body)
    there: list[tuple[Kind, Body]] = [(kinds.JOBFLOWPOLICY, policy) for policy in policies]
    there.append((kinds.NAMESPACE, {"metadata": {"name": namespace, "labels": case.namespace.labels}}))
    for each in others:
        kind = OURS.get((str(each.get("apiVersion")), str(each.get("kind"))))
        if kind is not None:
            own = each["metadata"].get("namespace") if kind is kinds.JOBFLOWPOLICYEXCEPTION else None
            there.append((kind, _placed(each, own or namespace) if kind.namespaced else each))
    return _WithQueues(there)


class _WithQueues(InMemoryLookups):
    """Lookups in which every queue exists and is open, since a test is about policies."""

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        found = super().get(kind, namespace, name)
        return {"metadata": {"name": name}, "spec": {}, **_OPEN} if found is None and kind is kinds.QUEUE else found


def _path(text: str) -> tuple[str | int, ...]:
    """`spec.tasks[0].name` and `metadata.labels['a.b/c']` as a path."""
    return tuple(int(match[2]) if match[2] else match[1] or match[3] for match in _PART.finditer(text))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
