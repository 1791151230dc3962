"""Random objects and the test corpus, judged by the API server's policies and by the webhook."""

import os
import random
from pathlib import Path

import orjson
import pytest

from tests.e2e.real.differential import Judge, ParameterPolicies, compare
from tests.e2e.real.judging_server import judging_server
from tests.e2e.real.own_rules import OwnRules
from tests.webhook.inprocess.corpus import corpus

ROUNDS, OBJECTS, SEED = (
    int(os.environ.get(f"IN_PROCESS_{name}", default))
    for name, default in (("ROUNDS", 1), ("OBJECTS", 60), ("SEED", 1))
)
"""Of the full comparison: ROUNDS=100 and OBJECTS=60, which makes 6000 random objects and about 1000 policies."""
DIFFERENCES = os.environ.get("IN_PROCESS_LIST", "")
"""File for all differences, as JSON lines; also those that are known."""


@pytest.mark.parametrize("judge", [ParameterPolicies(), OwnRules()], ids=["parameters", "own rules"])
def test_the_api_server_refuses_what_the_webhook_refuses_and_nothing_else(judge: Judge, tmp_path: Path) -> None:
    with judging_server(tmp_path) as kube:
        tally = compare(kube, judge, random.Random(SEED), corpus(), ROUNDS, OBJECTS)
    if DIFFERENCES:
        with Path(DIFFERENCES).open("ab") as file:
            file.writelines(orjson.dumps(each.as_json()) + b"\n" for each in tally.differences)
    assert [each for each in tally.differences if not each.known] == []
    assert min(tally.found, tally.refused) > tally.judged / 4
