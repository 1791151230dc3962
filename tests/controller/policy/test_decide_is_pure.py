"""Deciding about policies and reports is pure, on random scans."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from controller.policy.decide import decide, decide_reports
from controller.policy.scan_result import ScanResult
from shared.kinds import CLUSTERREPORT, JOBFLOW, POLICYREPORT, REPORT, Kind
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.policy import PolicyContext, PolicyFinding
from shared.timestamp import rfc3339
from shared.violation import Violation
from tests.purity import pure

NOW = 1_767_323_045.0
NAMES = st.sampled_from(["a", "b", "c"])
DELETED = st.sampled_from([{}, {"deletionTimestamp": rfc3339(NOW)}])


@st.composite
def scans(draw: st.DrawFn) -> ScanResult:
    result = ScanResult()
    for name, namespace in draw(st.lists(st.tuples(NAMES, st.sampled_from(["ns", "other"])), unique=True)):
        stored = PolicyContext(kind=JOBFLOW, body={"metadata": {"name": name, "uid": name}}, namespace=namespace)
        modes = draw(st.lists(st.sampled_from(PolicyMode), max_size=3))
        by = draw(st.sampled_from(["", "x"]))
        found = PolicyFinding("p", PolicyMode.AUDIT, "rule", "spec.flows", "too long", 3, excepted_by=by)
        result.add(stored, [msgspec.structs.replace(found, mode=mode) for mode in modes])
    return result


@given(scans(), st.none() | st.integers(0, 3), st.booleans(), DELETED, st.booleans())
def test_policy(scan: ScanResult, before: int | None, broken: bool, deleted: Body, scanned: bool) -> None:
    status: Body = {} if before is None else {"status": {"violations": before, "conditions": [{"type": "Ready"}]}}
    policy = {"metadata": {"name": "p", "generation": 2, **deleted}, **status}
    faults = (Violation("spec.mode", "no", "x"),) if broken else ()
    pure(decide)(policy, faults, scan.violations_of("p") if scanned else None, NOW)


@given(scans(), scans(), st.sampled_from([REPORT, POLICYREPORT]), st.booleans())
def test_policy_reports(old: ScanResult, new: ScanResult, kind: Kind, broken: bool) -> None:
    policies = [{"metadata": {"name": "p", "uid": "u"}, "spec": {"severity": "high"}}]
    faults = {"p": (Violation("spec.mode", "no", "x"),)} if broken else {}
    nothing: dict[Kind, list[Body]] = {kind: [], CLUSTERREPORT: []}
    actions: Any = decide_reports(old, nothing, policies, faults, NOW)
    stored: dict[Kind, list[Body]] = {kind: [], CLUSTERREPORT: [], POLICYREPORT: []}
    for each in actions:
        stored[each.kind].append({**each.body, "metadata": {**each.body["metadata"], "resourceVersion": "7"}})
    pure(decide_reports)(new, stored, policies, faults, NOW + 60)
