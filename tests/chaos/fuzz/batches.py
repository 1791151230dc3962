"""Batches of hypothesis examples against a target, each batch by a seed of its own."""

import time
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.chaos.fuzz.bombs import bombs
from tests.chaos.fuzz.mutations import garbled, mutated
from tests.chaos.fuzz.target import Target, WrongAnswer
from webhook.server.routes import WebhookRoute


def batch(target: Target, number: int, examples: int) -> None:
    """So many mutated reviews. Raises Broken, after hypothesis has made the example smaller."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(mutated(), garbled()))
    def fire(sent: tuple[WebhookRoute, bytes]) -> None:
        target.fire(*sent)

    fire()


def every_bomb(target: Target, ends: float = float("inf")) -> Iterator[str]:
    """Send the bombs, one after the other; returns what went wrong."""
    for name, route, data in bombs():
        if time.monotonic() > ends:
            return
        try:
            target.fire(route, data, name)
        except WrongAnswer as error:
            yield str(error)[:3000]
