"""Volcano's CronJob controller beside a cluster: the real program, or one that writes the same."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from local.client.binaries import find
from local.client.blocking import BlockingClient, path
from local.client.rest import RestError
from local.cluster import LocalCluster
from shared.kinds import CRONJOB, JOB
from shared.model.types import Body
from shared.timestamp import epoch
from tests.e2e.support.background import BackgroundThread
from tests.volcano_cron_jobs import VolcanoPass, recorded, volcano_pass

PROGRAM: Final = "vc-controller-manager"
_LOOK_SECONDS: Final = 0.2


def program() -> Path | None:
    """Volcano's controller manager, if it is installed here."""
    return find(PROGRAM, download=False)


class RealVolcano:
    """A context manager: inside it, vc-controller-manager runs CronJobs and nothing else."""

    def __init__(self, cluster: LocalCluster, binary: Path) -> None:
        self._cluster = cluster
        self._binary = str(binary)

    def __enter__(self) -> Self:
        arguments = [f"--kubeconfig={self._cluster.kubeconfig}", "--leader-elect=false"]
        self._cluster.processes.start("volcano", [self._binary, *arguments, "--controllers=cronjob-controller"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cluster.processes.stop("volcano")


class StandInForVolcano(BackgroundThread):
    """Does what Volcano's controller does with the CronJobs of a namespace.

    `clock`: the time that a CronJob sees, epoch seconds.
    """

    def __init__(self, kube: BlockingClient, namespace: str, clock: Callable[[Body], float]) -> None:
        super().__init__()
        self._kube = kube
        self._namespace = namespace
        self._clock = clock

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            for cron_job in self._kube.list(CRONJOB, self._namespace):
                uid = cron_job["metadata"]["uid"]
                owned = [job for job in self._kube.list(JOB, self._namespace) if _controller(job) == uid]
                self._carry_out(cron_job, volcano_pass(cron_job, owned, self._clock(cron_job)))

    def _carry_out(self, cron_job: Body, plan: VolcanoPass) -> None:
        for name in plan.delete:
            self._kube.delete(JOB, self._namespace, name)
        status = plan.status
        if plan.create is not None:
            made = self._kube.create(JOB, plan.create)
            status = recorded(status, cron_job, {**plan.create, **made})
        if status is None:
            return
        where = path(CRONJOB, self._namespace, cron_job["metadata"]["name"])
        kind = {"apiVersion": CRONJOB.api_version, "kind": CRONJOB.kind}
        try:
            self._kube.request("PUT", f"{where}/status", {**kind, **cron_job, "status": status})
        except RestError as error:
            if error.code != 409:  # changed meanwhile: the next pass sees it
                raise


def sped_up(speed: float) -> Callable[[Body], float]:
    """The clock that our controller's `--schedule-speed` gives a CronJob."""

    def clock(cron_job: Body) -> float:
        created = epoch(cron_job["metadata"]["creationTimestamp"])
        return created + (time.time() - created) * speed

    return clock


def _controller(job: Body) -> str:
    owners = job["metadata"].get("ownerReferences", ())
    return next((str(each["uid"]) for each in owners if each.get("controller")), "")
