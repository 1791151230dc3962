"""Objects that version 0.1.0 has stored are valid in this one: applying them unchanged is never refused."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from shared.crd.definitions import DEFINITIONS, crd
from shared.crd.unknown import unknown_fields
from shared.model.types import Body
from tests.webhook.make import defaulted, faults, known

STORED: Final[list[Body]] = json.loads(Path("tests/corpus/stored-0.1.0.json").read_text())
NAMES: Final = [f"{body['kind']} {body['metadata']['name']}" for body in STORED]
PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
IN_SPEC: Final = ("JobFlow", "JobTemplate", "Job", "Queue", "JobFlowPolicy")


@cache
def schema(kind: str) -> Any:
    found = next(made for made in map(crd, DEFINITIONS) if made["spec"]["names"]["kind"] == kind)
    whole = found["spec"]["versions"][-1]["schema"]["openAPIV3Schema"]
    return {**whole, "properties": whole["properties"] | {"metadata": {"type": "object", PRESERVE: True}}}


def test_the_corpus_has_every_kind_and_final_phase() -> None:
    assert {body["kind"] for body in STORED} >= set(IN_SPEC)
    phases = {
        body["status"]["state"]["phase"] for body in STORED if body["kind"] in ("JobFlow", "Job") and "status" in body
    }
    assert phases >= {"Succeed", "Failed", "Suspended", "Completed", "Terminated", "Aborted"}


@pytest.mark.parametrize("body", STORED, ids=NAMES)
def test_no_field_of_a_stored_object_is_unknown_or_invalid(body: Body) -> None:
    jsonschema.validate(body, schema(body["kind"]))
    assert list(unknown_fields(body, schema(body["kind"]))) == []


def test_an_unknown_field_would_be_found() -> None:
    body = {**STORED[0], "status": {"phaze": "x"}}
    assert [path for path, _, _ in unknown_fields(body, schema(body["kind"]))] == ["status.phaze"]


@pytest.mark.parametrize("body", STORED, ids=NAMES)
def test_a_stored_object_can_be_applied_again(body: Body) -> None:
    lookups = known(*(each for each in STORED if each["kind"] in ("JobTemplate", "Queue")))
    assert faults(body, body, lookups) == []
    assert faults(defaulted(body, lookups), body, lookups) == []
