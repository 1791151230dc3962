"""The certificates that replicas serve stay trusted whatever happens to the Secret, in many orders of events."""

import contextlib
import random
from datetime import timedelta
from typing import Final

import pytest

from certs.keeper import CertificateKeeper
from certs.material import Material
from certs.plan import SETTLE
from shared.kinds import SECRET
from shared.kube.client.api import Api
from shared.kube.client.errors import NotFound
from tests.certs.test_keeper import (
    DAMAGE,
    NAME,
    NAMESPACE,
    PLACE,
    SteppedClock,
    api,
    bundles,
    clock,
    register,
    replaced,
    server,
    settled,
    trusts_all,
)

__all__ = ["api", "clock", "server"]  # fixtures
ROUNDS: Final = 10
EVENTS: Final = ("rotate", "rotate", "restore", "restore", "restart", "restart", "delete", "damage")


class Replica:
    """A webhook process: it serves the certificate that it found at its last look."""

    def __init__(self, api: Api, clock: SteppedClock) -> None:
        self._api, self._clock = api, clock
        self.served: Material | None = None
        self.restart()

    def restart(self) -> None:
        """A new process serves nothing until its first look."""
        self._keeper, self.served = CertificateKeeper(self._api, PLACE, self._clock), None

    async def look(self) -> Material:
        """Serve what the Secret now contains."""
        self.served = (await self._keeper.look()).material
        return self.served


async def happens(event: str, api: Api, clock: SteppedClock, backups: list[Material], rng: random.Random) -> None:
    """What somebody does to the Secret."""
    if event == "rotate":
        await CertificateKeeper(api, PLACE, clock).look(rotate=True)
    elif event == "delete":
        with contextlib.suppress(NotFound):
            await api.delete(SECRET, NAMESPACE, NAME)
    elif event == "damage":
        with contextlib.suppress(NotFound):
            await api.patch(SECRET, NAMESPACE, NAME, {"data": rng.choice([*DAMAGE.values()])})
    elif event == "restore":
        with contextlib.suppress(NotFound):
            await replaced(api, rng.choice(backups))


@pytest.mark.parametrize("seed", range(20, 32))
async def test_served_certificates_stay_trusted_in_any_order_of_events(
    api: Api, clock: SteppedClock, seed: int
) -> None:
    rng = random.Random(seed)
    await register(api)
    replicas = [Replica(api, clock) for _ in range(2)]
    backups, done = list[Material](), list[str]()

    async def check() -> None:
        assert await trusts_all(api, [each.served for each in replicas if each.served]), done

    for _ in range(ROUNDS):
        for each in rng.sample(replicas, 2):  # every replica looks within the time that a rotation waits
            done.append(f"look {replicas.index(each)}")
            backups.append(await each.look())
            await check()
        clock.now += rng.choice([SETTLE / 2, SETTLE])
        for event in rng.choices(EVENTS, k=rng.choice([0, 0, 1, 2, 3])):
            done.append(event)
            if event == "restart":
                rng.choice(replicas).restart()
            await happens(event, api, clock, backups, rng)
            await check()
            clock.now += timedelta(seconds=1)
    last = await settled(CertificateKeeper(api, PLACE, clock), clock)
    assert len(last.material.authorities) == 1
    assert await bundles(api) == {last.material.bundle}
