"""The lease is taken by force, or deleted, under the leader's feet."""

from random import Random
from typing import Any, Final

from local.client.blocking import path
from local.client.rest import RestError
from local.cluster import SYSTEM
from shared.kinds import LEASE
from tests.chaos.faults.fault import ChaosFault, InjectFault, Said

NAME: Final = "chaos"


def _draw(chance: Random) -> Said:
    return {"how": chance.choice(("taken", "deleted"))}


def _inflict(world: Any, strike: InjectFault) -> None:
    try:
        if strike.said["how"] == "deleted":
            world.kube.request("DELETE", path(LEASE, SYSTEM, NAME))
        else:
            change = {"spec": {"holderIdentity": "a-stranger", "leaseDurationSeconds": 1}}
            world.kube.patch(LEASE, SYSTEM, NAME, change)
    except RestError as error:
        if error.code != 404:  # nobody leads just now
            raise
    else:
        world.struck[strike.key] += 1


HARM: Final = ChaosFault("lost-lease", _draw, _inflict, lasts=(0, 0))
