"""Every `decide` of the queue, template, TTL and policy controllers is pure, on random input.

Those of the jobflow, job and gang controllers are checked the same way, with `tests.purity.pure`, in their own tests.
"""

import math
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from controller.policy.decide import decide as decide_policy
from controller.policy.decide import decide_reports
from controller.policy.scan_result import ScanResult
from controller.queue.decide import decide as decide_queue
from controller.queue.observed import QueueSeen
from controller.template.decide import decide as decide_template
from controller.ttl.decide import decide as decide_ttl
from shared import names
from shared.kinds import JOBFLOW
from shared.model.command import Command
from shared.model.phases import JobPhase, PodGroupPhase, PolicyMode, QueueState
from shared.model.queue import Queue
from shared.model.types import Body
from shared.policy import PolicyContext, PolicyFinding
from shared.timestamp import rfc3339
from shared.violation import Violation
from tests.purity import pure

NOW = 1_767_323_045.0
NAMES = st.sampled_from(["a", "b", "c"])
TIMES = st.sampled_from([0.0, 1.0, NOW - 3600, NOW, NOW + 60, math.inf])
DELETED = st.sampled_from([{}, {"deletionTimestamp": rfc3339(NOW)}])


@st.composite
def queues(draw: st.DrawFn) -> QueueSeen:
    mark = draw(st.sampled_from(["", "true", "false"]))
    metadata = {"name": draw(st.sampled_from(["q", "root", "default"])), "uid": "u"} | draw(DELETED)
    body: Body = {
        "metadata": metadata | {"annotations": {names.CLOSED_BY_PARENT: mark} if mark else {}},
        "spec": draw(st.sampled_from([{}, {"parent": "p"}, {"weight": 2}])),
        "status": draw(st.sampled_from([{}, {"allocated": {"cpu": "1"}, "running": 3}])),
    }
    if state := draw(st.sampled_from(["", *(each.value for each in QueueState)])):
        body["status"] = {**body["status"], "state": state}
    orders = draw(st.lists(st.tuples(st.sampled_from(["OpenQueue", "CloseQueue", "Nonsense"]), st.sampled_from("uv"))))
    return QueueSeen(
        queue=msgspec.convert(body, Queue),
        body=body,
        now=NOW,
        parent=draw(st.none() | st.sampled_from(QueueState)),
        children=draw(st.dictionaries(NAMES, st.sampled_from(QueueState))),
        groups=draw(st.dictionaries(st.sampled_from(PodGroupPhase), st.integers(0, 3))),
        allocated=draw(st.none() | st.dictionaries(st.sampled_from(["cpu", "memory"]), st.just("1"))),
        commands=tuple(_command(number, *order) for number, order in enumerate(orders)),
        cycle=draw(st.sampled_from([(), ("q", "p", "q")])),
        wrote_ago=draw(st.none() | st.floats(0, 10)),
    )


def _command(number: int, action: str, uid: str) -> Command:
    metadata = {"name": f"c{number}", "namespace": "ns", "uid": f"c{number}"}
    return msgspec.convert({"metadata": metadata, "action": action, "target": {"uid": uid}}, Command)


@given(queues())
def test_queue(seen: QueueSeen) -> None:
    pure(decide_queue)(seen)


@given(st.lists(NAMES, unique=True), st.none() | st.lists(NAMES), DELETED, st.floats(0, 3) | st.just(math.inf))
def test_template(jobs: list[str], listed: list[str] | None, deleted: Body, written_ago: float) -> None:
    status = {} if listed is None else {"status": {"jobDependsOnList": listed, "other": {"kept": 1}}}
    pure(decide_template)({"metadata": {"name": "t", "namespace": "ns", **deleted}, **status}, jobs, written_ago)


@given(st.sampled_from([None, *JobPhase]), st.none() | st.integers(0, 4000), DELETED, st.booleans())
def test_ttl(phase: JobPhase | None, ttl: int | None, deleted: Body, dated: bool) -> None:
    state: Body = {} if phase is None else {"phase": phase.value}
    job = {
        "metadata": {"name": "j", "namespace": "ns", "uid": "u", **deleted},
        "spec": {} if ttl is None else {"ttlSecondsAfterFinished": ttl},
        "status": {"state": state | ({"lastTransitionTime": rfc3339(NOW - 1800)} if dated else {})},
    }
    pure(decide_ttl)(job, NOW)


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
    pure(decide_policy)(policy, faults, scan.violations_of("p") if scanned else None, NOW)


@given(scans(), scans())
def test_policy_reports(old: ScanResult, new: ScanResult) -> None:
    actions: Any = decide_reports(old, [], NOW)
    stored = [{**each.body, "metadata": {**each.body["metadata"], "resourceVersion": "7"}} for each in actions]
    pure(decide_reports)(new, stored, NOW + 60)
