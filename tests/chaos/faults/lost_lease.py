"""The lease is taken over by another holder, or deleted, while a controller leads."""

from random import Random
from typing import Any, Final

from local.client.blocking import path
from local.client.rest import RestError
from local.cluster import SYSTEM
from shared.kinds import LEASE
from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView

NAME: Final = "chaos"


def _draw(chance: Random) -> FaultParameters:
    return {"how": chance.choice(("taken", "deleted"))}


def _inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
    try:
        if scheduled.parameters["how"] == "deleted":
            cluster.kube.request("DELETE", path(LEASE, SYSTEM, NAME))
        else:
            change = {"spec": {"holderIdentity": "a-stranger", "leaseDurationSeconds": 1}}
            cluster.kube.patch(LEASE, SYSTEM, NAME, change)
    except RestError as error:
        if error.code != 404:  # no controller leads at the moment
            raise
    else:
        cluster.injected[scheduled.key] += 1


FAULT: Final = ChaosFault("lost-lease", _draw, _inject, lasts=(0, 0))
