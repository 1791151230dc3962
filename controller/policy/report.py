"""Decides the PolicyReports (wgpolicyk8s.io/v1alpha2): one for each namespace that has violations."""

from collections.abc import Iterable, Mapping
from typing import Final

from controller.decision import Action, Create, Delete, Patch
from controller.policy.scan_result import ScanResult, StoredViolation
from shared.kinds import POLICYREPORT
from shared.model.phases import PolicyMode
from shared.model.types import Body

NAME: Final = "jobflow-policies"
LABEL: Final = "app.kubernetes.io/managed-by"
OWNER: Final = "jobflow"
CONTENT: Final = ("results", "summary")
_RESULTS: Final = {PolicyMode.ENFORCE: "fail", PolicyMode.WARN: "warn", PolicyMode.AUDIT: "fail"}


def report_actions(scan_result: ScanResult, stored: Iterable[Body], now: float) -> tuple[Action, ...]:
    """The actions that make the stored reports show the result of a scan. A result keeps the time it was first found."""
    known = {body["metadata"]["namespace"]: body for body in stored if body["metadata"]["name"] == NAME}
    actions: list[Action] = []
    for namespace in sorted(scan_result.by_namespace):
        old = known.pop(namespace, None)
        wanted = _report(scan_result, namespace, old, now)
        if old is None:
            actions.append(Create(POLICYREPORT, wanted))
        elif any(old.get(key) != wanted[key] for key in CONTENT):
            actions.append(_patch(namespace, old["metadata"], wanted))
    return (*actions, *(_delete(namespace, body["metadata"]) for namespace, body in known.items()))


def _patch(namespace: str, metadata: Body, wanted: Body) -> Patch:
    content = {key: wanted[key] for key in CONTENT}
    change = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, **content}
    return Patch(POLICYREPORT, namespace, NAME, change, uid=metadata.get("uid", ""))


def _delete(namespace: str, metadata: Body) -> Delete:
    return Delete(POLICYREPORT, namespace, NAME, metadata.get("uid", ""))


def _report(scan_result: ScanResult, namespace: str, old: Body | None, now: float) -> Body:
    times = {_key(result): result.get("timestamp") for result in (old or {}).get("results") or ()}
    results = [_result(violation) for violation in scan_result.by_namespace[namespace].items]
    stamp = {"seconds": int(now), "nanos": 0}
    return {
        "apiVersion": POLICYREPORT.api_version,
        "kind": POLICYREPORT.kind,
        "metadata": {"name": NAME, "namespace": namespace, "labels": {LABEL: OWNER}},
        "results": [{**result, "timestamp": times.get(_key(result)) or stamp} for result in results],
        "summary": _summary(scan_result, namespace),
    }


def _summary(scan_result: ScanResult, namespace: str) -> Mapping[str, int]:
    counts = {"pass": scan_result.passed[namespace], "fail": 0, "warn": 0, "error": 0, "skip": 0}
    for mode, count in scan_result.results[namespace].items():
        counts[_RESULTS[PolicyMode(mode)]] += count
    return counts


def _result(violation: StoredViolation) -> Body:
    resource = {
        "apiVersion": violation.api_version,
        "kind": violation.kind,
        "namespace": violation.namespace,
        "name": violation.name,
        "uid": violation.uid,
    }
    return {
        "policy": violation.policy,
        "rule": violation.rule,
        "result": _RESULTS[PolicyMode(violation.mode)],
        "source": OWNER,
        "scored": violation.mode != PolicyMode.WARN,
        "message": violation.message,
        "resources": [{key: value for key, value in resource.items() if value}],
        "properties": {"mode": violation.mode},
    }


def _key(result: Body) -> str:
    resources = result.get("resources") or [{}]
    parts = [resources[0].get(key, "") for key in ("kind", "name", "uid")]
    return "\n".join([*parts, *(str(result.get(key, "")) for key in ("policy", "rule", "message"))])
