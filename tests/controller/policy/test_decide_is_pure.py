"""Deciding about policies and reports is pure, on random scans."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controller.policy.decide import decide, decide_reports
from controller.policy.scan_result import ScanResult
from shared.kinds import JOBFLOW
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
        result.add(stored, [PolicyFinding("p", mode, "rule", "spec.flows", "too long", 3) for mode in modes])
    return result


@given(scans(), st.none() | st.integers(0, 3), st.booleans(), DELETED, st.booleans())
def test_policy(scan: ScanResult, before: int | None, broken: bool, deleted: Body, scanned: bool) -> None:
    status: Body = {} if before is None else {"status": {"violations": before, "conditions": [{"type": "Ready"}]}}
    policy = {"metadata": {"name": "p", "generation": 2, **deleted}, **status}
    faults = (Violation("spec.mode", "no", "x"),) if broken else ()
    pure(decide)(policy, faults, scan.violations_of("p") if scanned else None, NOW)


@given(scans(), scans())
def test_policy_reports(old: ScanResult, new: ScanResult) -> None:
    actions: Any = decide_reports(old, [], NOW)
    stored = [{**each.body, "metadata": {**each.body["metadata"], "resourceVersion": "7"}} for each in actions]
    pure(decide_reports)(new, stored, NOW + 60)
