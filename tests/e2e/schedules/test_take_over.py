"""Take-overs of CronJobs: Volcano's controller ran them, ours takes them over, and Volcano's takes them back.

Every backend has a stand-in that writes what Volcano writes. Where vc-controller-manager is installed, a real API server has
the real one too, in real time; the stand-in is compared with it there.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest
import urllib3

from local.backends import Backend
from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import CRONJOB, JOB
from shared.model.types import Body
from shared.timestamp import epoch
from tests.e2e.schedules.test_schedules import children, cron_job, minute, status
from tests.e2e.support.job_phase_recorder import JobPhaseRecorder
from tests.e2e.support.scenario import Scenario
from tests.e2e.support.volcano_cron import RealVolcano, StandInForVolcano, program, sped_up
from tests.volcano_cron_jobs import volcano_pass

SPEED: Final = 4.0  # of the stand-in's schedules: a minute takes 15 s
PATIENCE: Final = 150.0
NAMES: Final = ("plain", "busy", "asleep")
OF_VOLCANO: Final = {"active", "lastScheduleTime", "lastSuccessfulTime"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    real = metafunc.config.getoption("--backend") == "real" and program() is not None
    metafunc.parametrize("binary", [False, *([True] if real else [])], ids=lambda each: "real" if each else "stand-in")


@pytest.fixture
def cluster(backend: Backend, binary: bool) -> Iterator[LocalCluster]:
    """Without a controller."""
    with LocalCluster(backend, ClusterOptions(nodes=1, controller=False, speed=1 if binary else SPEED)) as running:
        until(lambda: serves_jobs(running), PATIENCE, lambda: "Jobs are not served")
        yield running


def serves_jobs(cluster: LocalCluster) -> bool:
    """Just after a CRD is installed, a real API server answers 429 until its storage is ready."""
    try:
        return cluster.kube.list(JOB) is not None
    except (RestError, urllib3.exceptions.HTTPError):
        return False


class Hands:
    """Who runs CronJobs. Our controller always runs Jobs."""

    def __init__(self, scenario: Scenario, binary: bool) -> None:
        self._scenario = scenario
        self._binary = binary

    def volcano(self) -> AbstractContextManager[object]:
        self._start("--no-cron-controller")
        found = program()
        if self._binary and found is not None:
            return RealVolcano(self._scenario.cluster, found)
        return StandInForVolcano(self._scenario.kube, self._scenario.namespace, sped_up(SPEED))

    def ours(self) -> None:
        self._start()

    def _start(self, *more: str) -> None:
        self._scenario.cluster.start_controller(more=("--no-leader-elect", *more))
        self._scenario.cluster.await_ready("controller")


def runs(seen: JobPhaseRecorder, name: str) -> list[int]:
    """The due times, in minutes, for which a Job of the CronJob was ever created."""
    return sorted(minute(job) for job in seen.creations() if job.rpartition("-")[0] == name)


def await_run(scenario: Scenario, seen: JobPhaseRecorder, name: str, more: int) -> list[int]:
    """Until `more` further due times have a Job, and the status says so."""
    before = len(runs(seen, name))

    def look() -> list[int] | None:
        found = runs(seen, name)
        last = status(scenario, CRONJOB, name).get("lastScheduleTime")
        return found if len(found) >= before + more and last and epoch(last) == 60 * found[-1] else None

    return until(look, PATIENCE, lambda: f"{name}: {runs(seen, name)}, {status(scenario, CRONJOB, name)}")


def missed(scenario: Scenario, name: str) -> int:
    """Due times that our controller has reported as missed."""
    events = scenario.kube.request("GET", f"/api/v1/namespaces/{scenario.namespace}/events")["items"]
    reported = [each["message"] for each in events if each["involvedObject"]["name"] == name]
    return sum(int(found[1]) for each in reported if (found := re.match(r"(\d+) due times? passed", each)))


def test_a_cron_job_that_volcano_ran_is_taken_over_and_given_back(cluster: LocalCluster, binary: bool) -> None:
    with cluster.namespace("handed") as name, JobPhaseRecorder(cluster.kube, name) as seen:
        cluster.await_service_account(name)
        scenario = Scenario(cluster, name)
        hands = Hands(scenario, binary)
        with hands.volcano():
            cluster.apply(*schedules(name))
            first = await_run(scenario, seen, "plain", 1)
            until(lambda: children(scenario, JOB, "busy"), PATIENCE, lambda: "no Job of busy")
            assert_written_as_expected(scenario, name)
        hands.ours()
        taken = await_run(scenario, seen, "plain", 1)
        until(lambda: ready(scenario, "busy"), PATIENCE, lambda: f"{status(scenario, CRONJOB, 'busy')}")
        (busy,) = children(scenario, JOB, "busy")
        assert [each["uid"] for each in status(scenario, CRONJOB, "busy")["active"]] == [busy["metadata"]["uid"]]
        lost = set(range(first[0], taken[-1])) - set(taken)
        assert len(lost) <= missed(scenario, "plain")
        with hands.volcano():
            back = await_run(scenario, seen, "plain", 1)

        assert first[-1] < taken[-1] < back[-1]
        assert set(status(scenario, CRONJOB, "plain")) <= OF_VOLCANO
        assert set(seen.creations().values()) == {1}
        assert runs(seen, "asleep") == []
        assert len(runs(seen, "busy")) == 1  # Forbid: its Job never ends


def schedules(namespace: str) -> Sequence[Body]:
    long = cron_job(namespace, "busy", concurrencyPolicy="Forbid")
    (task,) = long["spec"]["jobTemplate"]["spec"]["tasks"]
    task["template"]["spec"]["containers"][0]["command"] = ["sh", "-c", "sleep 100000"]
    labelled: dict[str, Any] = {"metadata": {"labels": {"team": "a"}, "annotations": {"note": "x"}}}
    plain = cron_job(namespace, "plain", successfulJobsHistoryLimit=2, failedJobsHistoryLimit=1)
    plain["spec"]["jobTemplate"] |= labelled
    return plain, long, cron_job(namespace, "asleep", suspend=True)


def ready(scenario: Scenario, name: str) -> bool:
    return any(each["type"] == "Ready" for each in status(scenario, CRONJOB, name).get("conditions", ()))


def assert_written_as_expected(scenario: Scenario, namespace: str) -> None:
    """Status and Job are what the stand-in writes, so that a run without the real program says the same."""
    written, job = status(scenario, CRONJOB, "plain"), children(scenario, JOB, "plain")[-1]
    cron = {**scenario.kube.get(CRONJOB, namespace, "plain"), "status": {}}
    made = volcano_pass(cron, [], epoch(written["lastScheduleTime"]) + 1).create
    assert made is not None
    stored, expected = job["metadata"], made["metadata"]
    for key in ("labels", "annotations"):
        assert stored[key].items() >= expected[key].items()  # our webhook adds its own
    for key in ("name", "namespace", "ownerReferences"):
        assert stored[key] == expected[key]
    assert set(written) <= OF_VOLCANO
    for reference in status(scenario, CRONJOB, "busy")["active"]:
        assert set(reference) == {"apiVersion", "kind", "name", "namespace", "resourceVersion", "uid"}
