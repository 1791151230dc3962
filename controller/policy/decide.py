"""Decides what a scan changes: the status of a JobFlowPolicy, and the reports of namespaces and cluster. Pure."""

from collections.abc import Mapping, Sequence

from controller.decision import Action, Decision
from controller.policy.cluster_report import cluster_report_actions, policy_results
from controller.policy.report import report_actions
from controller.policy.scan_result import FirstViolations, ScanResult
from controller.policy.status import policy_status
from shared.kinds import CLUSTERREPORT, Kind
from shared.model.types import Body
from shared.violation import Violation


def decide(policy: Body, faults: Sequence[Violation], found: FirstViolations | None, now: float) -> Decision:
    """The new status of a policy. A policy that is being deleted is left alone.

    `faults`: why the policy does not compile; `found`: what a scan that ended at `now` found, None before the scan.
    """
    if "deletionTimestamp" in policy["metadata"]:
        return Decision()
    status = policy_status(policy, faults, found, now)
    return Decision() if status == policy.get("status") else Decision(status=status)


def decide_reports(
    scan_result: ScanResult,
    stored: Mapping[Kind, Sequence[Body]],
    policies: Sequence[Body],
    broken: Mapping[str, Sequence[Violation]],
    now: float,
) -> tuple[Action, ...]:
    """The actions on reports. Each is applied by itself: one that fails does not hold up the others.

    `stored`: our reports by each kind that the cluster serves; `broken`: why policies do not compile, by name.
    """
    severities = {body["metadata"]["name"]: str((body.get("spec") or {}).get("severity") or "") for body in policies}
    return (
        *report_actions(scan_result, stored, severities, now),
        *cluster_report_actions(policy_results(policies, scan_result, broken), stored.get(CLUSTERREPORT), now),
    )
