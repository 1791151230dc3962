"""Deciding code is pure: CHECKED lists every deciding function of the controllers and the test that checks it.

The queue, template and TTL controllers are checked here, on random input. The job and jobflow controllers are checked
in simulated clusters, at every decision of random histories.
"""

import ast
import math

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from controller.queue.decide import decide as decide_queue
from controller.queue.observed import QueueObservation
from controller.template.decide import decide as decide_template
from controller.ttl.decide import decide as decide_ttl
from shared import names
from shared.model.command import Command
from shared.model.phases import JobPhase, PodGroupPhase, QueueState
from shared.model.queue import Queue
from shared.model.types import Body
from shared.timestamp import rfc3339
from tests.purity import pure
from tests.structure.project import ROOT, product

ENTRY_POINTS = ("decide", "run_cycle", "place_new_pods")
"""Deciding functions begin with one of these."""
CHECKED = {
    "controller.backfill.decide.decide": "tests/controller/backfill/test_decide.py",
    "controller.cronjob.decide.decide": "tests/controller/cronjob/test_decide.py",
    "controller.cronjobflow.decide.decide": "tests/controller/cronjobflow/test_decide.py",
    "controller.exception.decide.decide": "tests/controller/exception/test_exceptions.py",
    "controller.flowtemplate.decide.decide": "tests/controller/flowtemplate/test_decide.py",
    "controller.gang.backends.workload.decide": "tests/controller/gang/test_native.py",
    "controller.gang.cycle.scheduling_cycle.place_new_pods": "tests/controller/gang/test_purity.py",
    "controller.gang.cycle.scheduling_cycle.run_cycle": "tests/controller/gang/test_purity.py",
    "controller.gang.podgroup.decide.decide": "tests/controller/gang/make.py",
    "controller.inprocess.decide.decide": "tests/controller/inprocess/test_inprocess.py",
    "controller.job.decide.decide": "tests/controller/job/toy.py",
    "controller.jobflow.decide.flow.decide": "tests/controller/jobflow/test_any_flow.py",
    "controller.policy.decide.decide": "tests/controller/policy/test_decide_is_pure.py",
    "controller.policy.decide.decide_reports": "tests/controller/policy/test_decide_is_pure.py",
    "controller.queue.decide.decide": "tests/controller/test_decide_is_pure.py",
    "controller.schedule.decide.decide": "tests/controller/schedule/make.py",
    "controller.template.decide.decide": "tests/controller/test_decide_is_pure.py",
    "controller.ttl.decide.decide": "tests/controller/test_decide_is_pure.py",
}
NOW = 1_767_323_045.0
NAMES = st.sampled_from(["a", "b", "c"])
TIMES = st.sampled_from([0.0, 1.0, NOW - 3600, NOW, NOW + 60, math.inf])
DELETED = st.sampled_from([{}, {"deletionTimestamp": rfc3339(NOW)}])


@st.composite
def queues(draw: st.DrawFn) -> QueueObservation:
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
    return QueueObservation(
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
def test_queue(seen: QueueObservation) -> None:
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


def test_every_decide_is_checked() -> None:
    found = {
        f"{module.name}.{node.name}"
        for module in product()
        if module.name.startswith("controller.")
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith(ENTRY_POINTS)
    }
    assert found == set(CHECKED)
    for name, checker in CHECKED.items():
        text = (ROOT / checker).read_text()
        assert f"from {name.rpartition('.')[0]} import" in text
        function = name.rpartition(".")[2]
        assert f"pure({function}" in text or "pure(decide" in text or "snapshot(second)" in text
