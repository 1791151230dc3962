"""Decides the ClusterReport (openreports.io): a result for each policy, and the policies that do not work. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from controller.decision import Action
from controller.policy.report import NAME, RESULTS, base_of, deletion, result_of, written_report
from controller.policy.scan_result import REPORTED, ScanResult
from shared.kinds import CLUSTERREPORT, JOBFLOWPOLICY, Kind
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.violation import Violation

_OUTCOMES: Final = ("pass", "fail", "warn", "error", "skip")


def cluster_report_actions(
    scan_result: ScanResult,
    stored: Mapping[Kind, Sequence[Body]],
    policies: Sequence[Body],
    broken: Mapping[str, Sequence[Violation]],
    now: float,
) -> tuple[Action, ...]:
    """The actions on the one ClusterReport. `broken`: why policies do not compile, by name."""
    if CLUSTERREPORT not in stored:
        return ()
    old = next((body for body in stored[CLUSTERREPORT] if body["metadata"]["name"] == NAME), None)
    results = [_result(body, scan_result, broken) for body in sorted(policies, key=_name)]
    if not results:
        return () if old is None else (deletion(CLUSTERREPORT, old),)
    summary = {outcome: sum(each["result"] == outcome for each in results) for outcome in _OUTCOMES}
    return written_report(CLUSTERREPORT, base_of(CLUSTERREPORT, results[:REPORTED], summary), old, now)


def _name(policy: Body) -> str:
    return str(policy["metadata"]["name"])


def _result(policy: Body, scan_result: ScanResult, broken: Mapping[str, Sequence[Violation]]) -> Body:
    name, spec = _name(policy), policy.get("spec") or {}
    mode = PolicyMode(spec.get("mode") or PolicyMode.ENFORCE) if name not in broken else PolicyMode.ENFORCE
    found = scan_result.violations_of(name)
    if name in broken:
        result, message = "error", "not enforced: " + "; ".join(str(fault) for fault in broken[name])
    elif found.count:
        result, message = RESULTS[mode], f"{found.count} violations by stored objects"
    else:
        result, message = "pass", "no stored object violates it"
    properties = {"mode": mode.value, "violations": str(found.count)}
    if found.excepted:
        properties["excepted"] = str(found.excepted)
    resource = {
        "apiVersion": JOBFLOWPOLICY.api_version,
        "kind": JOBFLOWPOLICY.kind,
        "name": name,
        "uid": policy["metadata"].get("uid", ""),
    }
    return result_of(name, result, message[:1024], resource, properties, severity=str(spec.get("severity") or ""))
