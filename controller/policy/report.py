"""PolicyReports (wgpolicyk8s.io/v1alpha2), one for each namespace with violations, for the tools that show them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from controller.policy.census import Census, Seen
from shared.kinds import POLICYREPORT
from shared.model.phases import PolicyMode

Body = dict[str, Any]
NAME: Final = "jobflow-policies"
LABEL: Final = "app.kubernetes.io/managed-by"
OWNER: Final = "jobflow"
_RESULTS: Final = {PolicyMode.ENFORCE: "fail", PolicyMode.WARN: "warn", PolicyMode.AUDIT: "fail"}


class Change(msgspec.Struct, frozen=True):
    """A report to create, to replace (then `body` has the stored resourceVersion), or to delete (`body` is as stored)."""

    verb: str
    body: Body


def changes(census: Census, stored: Iterable[Body], now: float) -> tuple[Change, ...]:
    """What makes the stored reports say what the scan has found. A result keeps the time it was first seen at."""
    known = {body["metadata"]["namespace"]: body for body in stored if body["metadata"]["name"] == NAME}
    found: list[Change] = []
    for namespace in sorted(census.by_namespace):
        old = known.pop(namespace, None)
        wanted = _report(census, namespace, old, now)
        if old is None:
            found.append(Change("create", wanted))
        elif any(old.get(key) != wanted[key] for key in ("results", "summary")):
            metadata = {**wanted["metadata"], "resourceVersion": old["metadata"]["resourceVersion"]}
            found.append(Change("replace", {**wanted, "metadata": metadata}))
    return (*found, *(Change("delete", body) for body in known.values()))


def _report(census: Census, namespace: str, old: Body | None, now: float) -> Body:
    times = {_key(result): result.get("timestamp") for result in (old or {}).get("results") or ()}
    results = [_result(seen) for seen in census.by_namespace[namespace].items]
    stamp = {"seconds": int(now), "nanos": 0}
    return {
        "apiVersion": POLICYREPORT.api_version,
        "kind": POLICYREPORT.kind,
        "metadata": {"name": NAME, "namespace": namespace, "labels": {LABEL: OWNER}},
        "results": [{**result, "timestamp": times.get(_key(result)) or stamp} for result in results],
        "summary": _summary(census, namespace),
    }


def _summary(census: Census, namespace: str) -> Mapping[str, int]:
    counts = {"pass": census.passed[namespace], "fail": 0, "warn": 0, "error": 0, "skip": 0}
    for mode, count in census.results[namespace].items():
        counts[_RESULTS[PolicyMode(mode)]] += count
    return counts


def _result(seen: Seen) -> Body:
    resource = {
        "apiVersion": seen.api_version,
        "kind": seen.kind,
        "namespace": seen.namespace,
        "name": seen.name,
        "uid": seen.uid,
    }
    return {
        "policy": seen.policy,
        "rule": seen.rule,
        "result": _RESULTS[PolicyMode(seen.mode)],
        "source": OWNER,
        "scored": seen.mode != PolicyMode.WARN,
        "message": seen.message,
        "resources": [{key: value for key, value in resource.items() if value}],
        "properties": {"mode": seen.mode},
    }


def _key(result: Body) -> str:
    resources = result.get("resources") or [{}]
    parts = [resources[0].get(key, "") for key in ("kind", "name", "uid")]
    return "\n".join([*parts, *(str(result.get(key, "")) for key in ("policy", "rule", "message"))])
