"""A ResourceQuota refuses Jobs or pods for a while."""

from random import Random
from typing import Any, Final

from shared.kinds import RESOURCEQUOTA
from tests.chaos.faults.fault import ChaosFault, InjectFault, Said


def _draw(chance: Random) -> Said:
    return {"what": chance.choice(("count/jobs.batch.volcano.sh", "pods")), "hard": chance.randint(0, 2)}


def _inflict(world: Any, strike: InjectFault) -> None:
    meta = {"name": strike.key, "namespace": world.namespace_of_run}
    spec = {"hard": {strike.said["what"]: str(strike.said["hard"])}}
    world.kube.apply(RESOURCEQUOTA, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec})


def _mend(world: Any, strike: InjectFault) -> None:
    world.struck[strike.key] += world.refused()
    world.kube.delete(RESOURCEQUOTA, world.namespace_of_run, strike.key)


HARM: Final = ChaosFault("quota", _draw, _inflict, _mend)
