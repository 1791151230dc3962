"""Decides the ClusterReport (openreports.io): a result for each policy, and the policies that do not work. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from controller.decision import Action
from controller.policy.report import NAME, RESULTS, base_of, deletion, result_of, written_report
from controller.policy.scan_result import REPORTED, ScanResult
from shared.kinds import CLUSTERREPORT, JOBFLOWPOLICY
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.violation import Violation

_OUTCOMES: Final = ("pass", "fail", "warn", "error", "skip")


def policy_results(
    policies: Sequence[Body], scan_result: ScanResult, broken: Mapping[str, Sequence[Violation]]
) -> list[Body]:
    """A result for each policy, sorted by name. `broken`: why policies do not compile, by name."""
    return [_result(body, scan_result, broken) for body in sorted(policies, key=_name)]


def cluster_report_actions(results: Sequence[Body], stored: Sequence[Body] | None, now: float) -> tuple[Action, ...]:
    """The actions on the one ClusterReport. `stored`: those of ours; None if the cluster does not serve the kind."""
    if stored is None:
        return ()
    old = next((body for body in stored if body["metadata"]["name"] == NAME), None)
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
