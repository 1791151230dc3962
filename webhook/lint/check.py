"""The checks of `jobflow lint`: the API server's schema and the webhook's rules, each finding with its line. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import msgspec

from shared import kinds
from shared.kinds import Kind
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.violation import Reason, Violation
from webhook.envelope.patch import applied
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, GroupKind, Operation, name_of
from webhook.lint.fields import texts_of_metadata, unknown_fields, without_dropped_nulls
from webhook.lint.places import Broken, Located
from webhook.policies.judging import checks_not_judged
from webhook.subject.lookups import InMemoryLookups, OfflineLookups
from webhook.subject.subjects import body_or_empty
from webhook.verdict.admissions import ADMISSIONS
from webhook.verdict.admit import mutate, validate
from webhook.verdict.kind_admission import DEFAULT_OPTIONS, AdmissionOptions
from webhook.verdict.schema_faults import schema_faults

ERROR: Final = "error"
WARNING: Final = "warning"
OURS: Final[dict[tuple[str, str], Kind]] = {
    (kind.api_version, kind.kind): kind
    for kind in (
        kinds.JOBFLOW,
        kinds.JOBTEMPLATE,
        kinds.JOB,
        kinds.CRONJOB,
        kinds.CRONJOBFLOW,
        kinds.CRONJOBFLOWBACKFILL,
        kinds.JOBFLOWTEMPLATE,
        kinds.QUEUE,
        kinds.PODGROUP,
        kinds.COMMAND,
        kinds.JOBFLOWPOLICY,
        kinds.JOBFLOWPOLICYEXCEPTION,
    )
}
_GROUPS: Final = frozenset(kind.group for kind in OURS.values())
_KUBERNETES_TOO: Final = frozenset({"Job", "CronJob"})  # kinds that the group batch of Kubernetes also has


class Finding(msgspec.Struct, frozen=True):
    """`severity`: error or warning; `source`: webhook, schema (the API server's), fields (unknown fields), files
    (objects that replace each other) or yaml.
    """

    file: str
    line: int
    column: int
    severity: str
    source: str
    path: str
    message: str
    reason: str = ""
    kind: str = ""
    name: str = ""

    @property
    def text(self) -> str:
        """`PATH: MESSAGE`, as the API server prints it."""
        return f"{self.path}: {self.message}" if self.path else self.message


class Report(msgspec.Struct, frozen=True):
    """`checked`: number of checked objects; `skipped`: number of objects of other kinds.

    `not_judged`: policies, rules and defaults that need a cluster, each once, with the reason.
    """

    findings: tuple[Finding, ...]
    checked: int
    skipped: int
    not_judged: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        return sum(1 for each in self.findings if each.severity == ERROR)


def check(
    given: Sequence[Located | Broken],
    policies: Iterable[Body] = (),
    namespace: str = "default",
    namespace_labels: Mapping[str, str] | None = None,
    *,
    exceptions: Iterable[Body] = (),
    now: float | None = None,
) -> Report:
    """Check every object as if all objects of `given` existed in the cluster.

    `namespace_labels`: labels of the namespaces that are not among the manifests; None if they are unknown. `exceptions`:
    JobFlowPolicyExceptions, which have effect only if `now`, in epoch seconds, is known.
    """
    manifests = [each for each in given if not isinstance(each, Broken)]
    known = [*((kinds.JOBFLOWPOLICYEXCEPTION, body) for body in exceptions), *_known(manifests, policies, namespace)]
    options = AdmissionOptions(now=now)
    if namespace_labels is not None:
        known = [*_namespaces(manifests, namespace, namespace_labels), *known]
    lookups = InMemoryLookups(known, below=OfflineLookups())
    not_judged: dict[str, None] = {}
    findings: list[Finding] = []
    checked = 0
    seen: dict[tuple[str, ...], Located] = {}
    for each in given:
        if isinstance(each, Broken):
            findings.append(_broken(each))
            continue
        kind = OURS.get(_type(each.body))
        found = list(_wrong_type(each) if kind is None else _judge(each, kind, lookups, namespace, options))
        if kind is not None:
            found += _repeated(each, kind, namespace, seen)
            not_judged |= dict.fromkeys(
                checks_not_judged(_review(kind, _received(kind, each.body), namespace), lookups)
            )
        checked += bool(kind or found)
        findings.extend(sorted(found, key=lambda one: (one.line, one.column)))
    return Report(tuple(findings), checked, len(manifests) - checked, tuple(not_judged))


def _namespaces(manifests: Iterable[Located], namespace: str, labels: Mapping[str, str]) -> Iterator[tuple[Kind, Body]]:
    named = (body_or_empty(each.body.get("metadata")).get("namespace") for each in manifests)
    for name in dict.fromkeys([namespace, *(each for each in named if isinstance(each, str) and each)]):
        yield kinds.NAMESPACE, {"metadata": {"name": name, "labels": dict(labels)}}


def _repeated(manifest: Located, kind: Kind, namespace: str, seen: dict[tuple[str, ...], Located]) -> Iterator[Finding]:
    """Warns about two objects with one name, because the second one replaces the first when they are applied."""
    metadata = body_or_empty(manifest.body.get("metadata"))
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        return
    key = (kind.group, kind.kind, str(metadata.get("namespace") or namespace) if kind.namespaced else "", name)
    first = seen.setdefault(key, manifest)
    if first is not manifest:
        where = _shown(first)
        said = f'metadata.name: {kind.kind} "{name}" is also defined at {where}; when both are applied, this one replaces it'
        yield _finding(manifest, "files", "metadata.name", said, severity=WARNING)


def _shown(manifest: Located) -> str:
    place = manifest.place("")
    return f"{place.file or manifest.file}:{place.line}"


def admit(
    kind: Kind, body: Body, lookups: InMemoryLookups, namespace: str, options: AdmissionOptions = DEFAULT_OPTIONS
) -> AdmissionVerdict:
    """The webhook's verdict on the creation of `body`: defaults first, then rules."""
    review = _review(kind, body, namespace)
    defaulted = applied(body, mutate(review, lookups, options).patch)
    return validate(_review(kind, defaulted, namespace), lookups, options)


def _review(kind: Kind, body: Body, namespace: str) -> AdmissionReview:
    given = body_or_empty(body.get("metadata")).get("namespace") or namespace
    return AdmissionReview(
        uid="lint",
        operation=Operation.CREATE,
        kind=GroupKind(kind.group, kind.version, kind.kind),
        name=name_of(body),
        namespace=str(given) if kind.namespaced else "",
        object=body,
    )


def _judge(
    manifest: Located, kind: Kind, lookups: InMemoryLookups, namespace: str, options: AdmissionOptions
) -> Iterator[Finding]:
    unknown = dict(unknown_fields(kind, manifest.body))
    body = _received(kind, manifest.body)
    for path, message in unknown.items():
        yield _finding(manifest, "fields", path, message, "FieldValueForbidden")
    if not body_or_empty(body.get("metadata")).get("name") and not body_or_empty(body.get("metadata")).get(
        "generateName"
    ):
        yield _fault(manifest, "schema", Violation("metadata.name", "name or generateName", reason=Reason.REQUIRED))
    for violation in texts_of_metadata(body):
        yield _fault(manifest, "schema", violation)
    verdict = AdmissionVerdict()
    if (kind.group, kind.kind) in ADMISSIONS:
        verdict = admit(kind, body, lookups, namespace, options)
    for at, violation in enumerate(verdict.violations):
        yield _fault(manifest, "schema" if at < verdict.schema_faults else "webhook", violation)
    if not verdict.schema_faults:
        said = {violation.path for violation in verdict.violations}
        for violation in schema_faults(kind, body):
            if violation.path not in said:
                yield _fault(manifest, "schema", violation)
    of_policies = [each for each in verdict.policies if each.mode is PolicyMode.WARN and each.counts]
    for each in of_policies:
        yield _finding(manifest, "webhook", each.path, str(each.violation), severity=WARNING)
    for warning in verdict.warnings[: len(verdict.warnings) - verdict.policy_warnings]:
        if warning.partition(": unknown field")[0] in unknown:
            continue  # reported as an error above
        yield _finding(manifest, "webhook", _path_in(warning), warning, severity=WARNING)


def _known(manifests: Iterable[Located], policies: Iterable[Body], namespace: str) -> Iterator[tuple[Kind, Body]]:
    """The objects that rules may look up. Objects without a name are left out, because nothing can refer to them."""
    for body in policies:
        yield kinds.JOBFLOWPOLICY, body
    for manifest in manifests:
        body = manifest.body
        kind = kinds.NAMESPACE if _type(body) == ("v1", "Namespace") else OURS.get(_type(body))
        metadata = body_or_empty(body.get("metadata"))
        if kind is None or kind is kinds.JOBFLOWPOLICY or not isinstance(metadata.get("name"), str):
            continue
        where = {"namespace": str(metadata.get("namespace") or namespace)} if kind.namespaced else {}
        yield kind, {**_received(kind, body), "metadata": {**metadata, **where}}


def _received(kind: Kind, body: Body) -> Body:
    """`body` as webhooks receive it."""
    return without_dropped_nulls(kind, body) if kind in OURS.values() else body


def _wrong_type(manifest: Located) -> Iterator[Finding]:
    """Reports a likely typing error in kind or apiVersion, which would otherwise be found only when the object is
    applied.
    """
    version, kind = _type(manifest.body)
    if not version or not kind:
        for field, value in (("apiVersion", version), ("kind", kind)):
            if not value:
                yield _fault(manifest, "schema", Violation(field, "", reason=Reason.REQUIRED))
        return
    named = [known for known in OURS if known[1] == kind]
    if version.partition("/")[0] in _GROUPS:
        if named:
            message = f'{version} does not have this kind; did you mean apiVersion "{named[0][0]}"?'
            yield _fault(manifest, "schema", Violation("apiVersion", message, version))
            return
        near = get_close_matches(kind.lower(), {known[1].lower(): known for known in OURS}, n=1)
        hint = next((f'; did you mean "{known[1]}"?' for known in OURS if near and known[1].lower() == near[0]), "")
        yield _fault(manifest, "schema", Violation("kind", f"{version} does not have this kind{hint}", kind))
    elif named and kind not in _KUBERNETES_TOO:
        message = f'did you mean "{named[0][0]}"?'
        yield _fault(manifest, "schema", Violation("apiVersion", message, version))


def _type(body: Body) -> tuple[str, str]:
    version, kind = body.get("apiVersion"), body.get("kind")
    return (version if isinstance(version, str) else "", kind if isinstance(kind, str) else "")


def _fault(manifest: Located, source: str, violation: Violation) -> Finding:
    return _finding(manifest, source, violation.path, violation.text, str(violation.reason))


def _finding(
    manifest: Located, source: str, path: str, message: str, reason: str = "", severity: str = ERROR
) -> Finding:
    place = manifest.place(path)
    return Finding(
        file=place.file or manifest.file,
        line=place.line,
        column=place.column,
        severity=severity,
        source=source,
        path="" if severity == WARNING else path,
        message=message,
        reason=reason,
        kind=_type(manifest.body)[1],
        name=name_of(manifest.body),
    )


def _broken(broken: Broken) -> Finding:
    place = broken.place
    return Finding(broken.file, place.line, place.column, ERROR, "yaml", "", broken.message)


def _path_in(warning: str) -> str:
    """The field path with which a warning begins; '' if it is not about a field."""
    head = warning.partition(":")[0]
    return head if head.startswith(("spec.", "metadata.")) and " " not in head else ""
