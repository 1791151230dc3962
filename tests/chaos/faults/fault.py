"""What a harm is, and those that are nothing but fault rules of the embedded API server."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

Said = dict[str, Any]
Rule = dict[str, Any]
WRITES: Final = ("create", "update", "patch", "delete")
HARMED: Final = ("first", "second", "webhook")  # users: our processes; nodes and the judge go unharmed


class InjectFault(Protocol):
    """A harm of a plan, as harms see it."""

    @property
    def key(self) -> str: ...
    @property
    def said(self) -> Said: ...


Do = Callable[[Any, InjectFault], None]  # the first is the World; harms know it, it does not know them


def _nothing(world: Any, strike: InjectFault) -> None:
    return None


@dataclass(frozen=True)
class ChaosFault:
    """`draw`: its details from the plan's chance; `inflict`, then `mend` after as many seconds as `lasts` bounds.

    Each adds to `world.struck[strike.key]` what harm it really did: one that never does any is a fault of the suite.
    """

    name: str
    draw: Callable[[Random], Said]
    inflict: Do
    mend: Do = _nothing
    lasts: tuple[float, float] = (0.3, 2.5)


def by_rules(name: str, draw: Callable[[Random], list[Rule]], lasts: tuple[float, float] = (0.3, 2.5)) -> ChaosFault:
    """A harm that the API server does by rules (local.apiserver.faults.Fault) to our processes' requests."""

    def inflict(world: Any, strike: InjectFault) -> None:
        world.faults[strike.key] = [rule | {"users": list(HARMED)} for rule in strike.said["rules"]]
        world.tell_faults()

    def mend(world: Any, strike: InjectFault) -> None:
        world.faults.pop(strike.key, None)
        world.tell_faults()

    return ChaosFault(name, lambda chance: {"rules": draw(chance)}, inflict, mend, lasts)
