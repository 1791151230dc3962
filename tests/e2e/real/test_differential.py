"""Random objects and the test corpus, judged by the chart's policies on a real API server and by the webhook."""

import os
import random
from pathlib import Path

import orjson

from tests.e2e.real.differential import compare
from tests.e2e.real.judging_server import judging_server
from tests.webhook.inprocess.corpus import corpus

ROUNDS, OBJECTS, SEED = (
    int(os.environ.get(f"IN_PROCESS_{name}", default))
    for name, default in (("ROUNDS", 1), ("OBJECTS", 60), ("SEED", 1))
)
"""Of the full comparison: ROUNDS=100 and OBJECTS=60, which makes 6000 random objects and about 1000 policies."""
DIFFERENCES = os.environ.get("IN_PROCESS_LIST", "")
"""File for all differences, as JSON lines; also those that are known."""


def test_the_api_server_refuses_what_the_webhook_refuses_and_nothing_else(tmp_path: Path) -> None:
    with judging_server(tmp_path) as kube:
        tally = compare(kube, random.Random(SEED), corpus(), ROUNDS, OBJECTS)
    if DIFFERENCES:
        lines = [orjson.dumps(each.as_json()) for each in tally.differences]
        Path(DIFFERENCES).write_bytes(b"\n".join([orjson.dumps({**tally_of(tally)}), *lines]))
    assert [each for each in tally.differences if not each.known] == []
    assert min(tally.found, tally.refused) > tally.judged / 4


def tally_of(tally: object) -> dict[str, int]:
    return {name: value for name in ("judged", "refused", "found", "not_stored") if (value := getattr(tally, name))}
