"""A namespace goes away under a flow at work: nothing of it may stay, and nobody else may suffer."""

from random import Random
from typing import Any, Final

from shared.kinds import NAMESPACE
from tests.chaos import workloads
from tests.chaos.faults.fault import ChaosFault, InjectFault, Said


def _draw(chance: Random) -> Said:
    return {"workload": chance.choice(sorted(workloads.WORKLOADS)), "seed": chance.randrange(1000)}


def _inflict(world: Any, strike: InjectFault) -> None:
    name = world.extra_namespace(strike.key)
    made = workloads.WORKLOADS[strike.said["workload"]](name, "doomed", Random(strike.said["seed"]))
    world.submit_at(0.0, made.objects)


def _mend(world: Any, strike: InjectFault) -> None:
    name = world.doomed[strike.key]
    world.struck[strike.key] += world.unfinished(name)
    world.kube.delete(NAMESPACE, "", name)


HARM: Final = ChaosFault("namespace-deletion", _draw, _inflict, _mend)
