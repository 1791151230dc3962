"""Decides the reports: one for each namespace that has violations, as openreports.io serves them, or wgpolicyk8s.io before.

Both have the same results. A result keeps the time at which it was first found.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from controller.decision import Action, Create, Delete, Patch
from controller.policy.scan_result import REPORTED, ScanResult, StoredViolation
from shared.kinds import POLICYREPORT, REPORT, Kind
from shared.model.phases import PolicyMode
from shared.model.types import Body

NAME: Final = "jobflow-policies"
LABEL: Final = "app.kubernetes.io/managed-by"
OWNER: Final = "jobflow"
CONTENT: Final = ("results", "summary")
RESULTS: Final = {PolicyMode.ENFORCE: "fail", PolicyMode.WARN: "warn", PolicyMode.AUDIT: "fail"}
_EXCEPTED: Final = "skip"


def report_actions(
    scan_result: ScanResult, stored: Mapping[Kind, Sequence[Body]], severities: Mapping[str, str], now: float
) -> tuple[Action, ...]:
    """The actions that make the stored reports show the result of a scan.

    `stored`: our reports by each kind that the cluster serves; `severities`: by policy. Where both kinds are served, Reports
    are written and PolicyReports, which an earlier version wrote, are deleted.
    """
    kind = next((each for each in (REPORT, POLICYREPORT) if each in stored), None)
    if kind is None:
        return ()
    old = _named(stored[kind])
    namespaces = sorted({*scan_result.by_namespace, *scan_result.excepted})
    written = [
        action
        for namespace in namespaces
        for action in written_report(
            kind, _report(kind, scan_result, namespace, severities), old.pop(namespace, None), now
        )
    ]
    left = [(kind, body) for body in old.values()]
    if kind is not POLICYREPORT:
        left += [(POLICYREPORT, body) for body in _named(stored.get(POLICYREPORT, ())).values()]
    return (*written, *(deletion(of, body) for of, body in left))


def written_report(kind: Kind, wanted: Body, old: Body | None, now: float) -> tuple[Action, ...]:
    """Creates the report, or patches the stored one `old` where it differs. Results get the time `now`, or that in `old`."""
    stamp = {"seconds": int(now), "nanos": 0}
    times = {_key(result): result.get("timestamp") for result in (old or {}).get("results") or ()}
    results = [{**result, "timestamp": times.get(_key(result)) or stamp} for result in wanted["results"]]
    wanted = {**wanted, "results": results}
    if old is None:
        return (Create(kind, wanted),)
    if all(old.get(key) == wanted[key] for key in CONTENT):
        return ()
    metadata = old["metadata"]
    content = {key: wanted[key] for key in CONTENT}
    change = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, **content}
    return (Patch(kind, metadata.get("namespace", ""), NAME, change, uid=metadata.get("uid", "")),)


def deletion(kind: Kind, body: Body) -> Delete:
    metadata = body["metadata"]
    return Delete(kind, metadata.get("namespace", ""), NAME, metadata.get("uid", ""))


def base_of(kind: Kind, results: Sequence[Body], summary: Mapping[str, int], namespace: str = "") -> Body:
    """A report with its results and counts."""
    where = {"namespace": namespace} if namespace else {}
    source = {} if kind is POLICYREPORT else {"source": OWNER}
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": NAME, **where, "labels": {LABEL: OWNER}},
        **source,
        "results": list(results),
        "summary": dict(summary),
    }


def result_of(policy: str, result: str, message: str, resource: Body, properties: Body, **more: Any) -> Body:
    """One result. Values that are empty are left out."""
    return {
        "policy": policy,
        "result": result,
        "source": OWNER,
        "scored": result in ("pass", "fail"),
        "message": message,
        "resources": [{key: value for key, value in resource.items() if value}],
        "properties": properties,
    } | {key: value for key, value in more.items() if value}


def _named(bodies: Iterable[Body]) -> dict[str, Body]:
    """Our reports by namespace."""
    return {body["metadata"]["namespace"]: body for body in bodies if body["metadata"]["name"] == NAME}


def _report(kind: Kind, scan_result: ScanResult, namespace: str, severities: Mapping[str, str]) -> Body:
    """Violations first, then as many excepted ones as there is room for."""
    violations = scan_result.by_namespace[namespace].items if namespace in scan_result.by_namespace else []
    excepted = scan_result.excepted[namespace].items if namespace in scan_result.excepted else []
    shown = [*violations, *excepted][:REPORTED]
    results = [_result(violation, severities.get(violation.policy, "")) for violation in shown]
    return base_of(kind, results, _summary(scan_result, namespace), namespace)


def _summary(scan_result: ScanResult, namespace: str) -> Mapping[str, int]:
    excepted = scan_result.excepted[namespace].count if namespace in scan_result.excepted else 0
    counts = {"pass": scan_result.passed[namespace], "fail": 0, "warn": 0, "error": 0, "skip": excepted}
    for mode, count in scan_result.results.get(namespace, {}).items():
        counts[RESULTS[PolicyMode(mode)]] += count
    return counts


def _result(violation: StoredViolation, severity: str) -> Body:
    resource = {
        "apiVersion": violation.api_version,
        "kind": violation.kind,
        "namespace": violation.namespace,
        "name": violation.name,
        "uid": violation.uid,
    }
    properties, message = {"mode": violation.mode}, violation.message
    result = RESULTS[PolicyMode(violation.mode)]
    if violation.exception:
        properties["exception"] = violation.exception
        result, message = _EXCEPTED, f'excepted by "{violation.exception}": {message}'
    return result_of(violation.policy, result, message, resource, properties, rule=violation.rule, severity=severity)


def _key(result: Body) -> str:
    resources = result.get("resources") or [{}]
    parts = [resources[0].get(key, "") for key in ("kind", "name", "uid")]
    return "\n".join([*parts, *(str(result.get(key, "")) for key in ("policy", "rule", "message"))])
