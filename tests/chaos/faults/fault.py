"""The definition of a fault, and faults that are rules of the embedded API server."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

FaultParameters = dict[str, Any]
FaultRule = dict[str, Any]
WRITES: Final = ("create", "update", "patch", "delete")
FAULT_TARGETS: Final = ("first", "second", "webhook")  # users; the nodes and the phase recorder are never faulted


class ScheduledFaultView(Protocol):
    """What a fault's actions read of its entry in the plan."""

    @property
    def key(self) -> str: ...
    @property
    def parameters(self) -> FaultParameters: ...


ClusterAction = Callable[
    [Any, ScheduledFaultView], None
]  # the first argument is the ChaosCluster, which imports this module


def _nothing(cluster: Any, scheduled: ScheduledFaultView) -> None:
    return None


@dataclass(frozen=True)
class ChaosFault:
    """`draw`: chooses the parameters at random; `inject` runs first, `recover` some seconds later, bounded by `lasts`.

    Each adds to `cluster.injected[scheduled.key]` how often it took effect. A fault that never takes effect is an error
    of the suite.
    """

    name: str
    draw: Callable[[Random], FaultParameters]
    inject: ClusterAction
    recover: ClusterAction = _nothing
    lasts: tuple[float, float] = (0.3, 2.5)


def by_rules(
    name: str, draw: Callable[[Random], list[FaultRule]], lasts: tuple[float, float] = (0.3, 2.5)
) -> ChaosFault:
    """A fault that the API server injects by rules (see InjectedFault) into our processes' requests."""

    def inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
        cluster.fault_rules[scheduled.key] = [
            rule | {"users": list(FAULT_TARGETS)} for rule in scheduled.parameters["rules"]
        ]
        cluster.apply_fault_rules()

    def recover(cluster: Any, scheduled: ScheduledFaultView) -> None:
        cluster.fault_rules.pop(scheduled.key, None)
        cluster.apply_fault_rules()

    return ChaosFault(name, lambda chance: {"rules": draw(chance)}, inject, recover, lasts)
