"""Every object of the examples and the tests that policies judge, for comparisons."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from shared import kinds
from shared.model.types import Body
from tests.webhook.policies.bypasses import BYPASSES
from tests.webhook.policies.fields import FIELDS
from tests.webhook.structure.graphs import chain, orders, random_flows, random_jobs, rings

JUDGED: Final = frozenset(
    each.kind
    for each in (kinds.JOB, kinds.JOBTEMPLATE, kinds.JOBFLOW, kinds.CRONJOB, kinds.CRONJOBFLOW, kinds.JOBFLOWTEMPLATE)
)
FOLDERS: Final = ("examples", "tests/corpus", *filter(None, os.environ.get("IN_PROCESS_CORPUS", "").split(":")))
"""With more folders of YAML files in the environment variable."""


def corpus() -> list[Body]:
    """Jobs, flows and templates, each without its namespace and with a name of its own."""
    return [_placed(each, f"corpus-{number}") for number, each in enumerate(_all()) if each.get("kind") in JUDGED]


def _all() -> Iterator[Body]:
    for folder in FOLDERS:
        for file in sorted(Path(folder).rglob("*.yaml")):
            yield from _documents(file)
    for each in BYPASSES.values():
        yield from (body for body in (each.new, each.old) if body)
    for _, bad, good, _ in FIELDS.values():
        yield from (bad, good)
    yield from random_flows(20, 3)
    yield from random_jobs(20, 4)
    for nodes in (rings(3), rings(20), chain(200)):
        yield from orders(nodes).values()


def _documents(file: Path) -> Iterator[Body]:
    for found in yaml.safe_load_all(file.read_text()):
        given: Any = found or {}
        for each in given.get("items", [given]) if given.get("kind") == "List" else [given]:
            if isinstance(each, dict):
                yield each


def _placed(body: Body, name: str) -> Body:
    metadata = {key: value for key, value in body["metadata"].items() if key in ("labels", "annotations")}
    return {**body, "metadata": {**metadata, "name": name}}
