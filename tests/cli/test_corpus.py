"""`jobflow lint` and the webhook give the same verdict and messages for the same manifests. Each case is checked twice:
as a YAML file through the command, and as AdmissionReviews over HTTP through the webhook's
handler, mutating first, as the API server would send them.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp.test_utils import RawTestServer, TestClient

from shared.model.types import Body
from tests.cli.make import CliCommand, write
from tests.webhook import test_admit
from tests.webhook.make import KINDS, envelope, review
from tests.webhook.rules.tables import TABLES
from webhook.envelope.patch import applied
from webhook.envelope.review import _short
from webhook.lint.fields import without_dropped_nulls
from webhook.server.handler import AdmissionHandler
from webhook.server.routes import ROUTES
from webhook.subject.lookups import InMemoryLookups, OfflineLookups

CORPUS = Path(__file__).parent.parent / "corpus"
EXAMPLES = Path("examples")


def _tables() -> Iterator[tuple[str, tuple[Body, ...]]]:
    """The cases of the tests of the rules, valid and invalid."""
    for table, cases in {**TABLES, "schema": test_admit.SCHEMA}.items():
        for name, case in cases.items():
            yield f"{table}: {name}", _bodies(case)


def _bodies(case: Any) -> tuple[Body, ...]:
    """The bodies of a case. A case is a body, or begins with one; a list of bodies contains existing objects."""
    if isinstance(case, dict):
        return (case,)
    others = case[1] if isinstance(case[1], list) else []
    return (case[0], *(each for each in others if isinstance(each, dict)))


def _files() -> Iterator[tuple[str, tuple[Body, ...]]]:
    for path in (*sorted(CORPUS.glob("*.yaml")), *sorted(EXAMPLES.rglob("*.yaml"))):
        bodies = tuple(body for body in yaml.safe_load_all(path.read_text()) if body)
        if all(body.get("kind") in KINDS and body["kind"] != "JobFlowPolicy" for body in bodies):
            yield path.as_posix(), bodies


MANIFESTS = dict((*_tables(), *_files()))


def test_the_corpus_is_large_and_has_both_kinds() -> None:
    assert len(MANIFESTS) >= 150
    assert sum("accepted" in name for name in MANIFESTS) >= 20
    assert sum("refused" in name for name in MANIFESTS) >= 70


@pytest.mark.parametrize("case", MANIFESTS)
async def test_lint_and_the_webhook_report_the_same_findings(case: str, command: CliCommand, tmp_path: Path) -> None:
    bodies = MANIFESTS[case]
    ran = command("lint", "-o", "json", write(tmp_path / "case.yaml", *bodies))
    findings = ran.json["findings"]
    reported = [each for each in findings if each["source"] not in ("fields", "files")]
    webhook = await answers(bodies)

    refused = {text for texts, _ in webhook for text in texts}
    said = {each["text"] for each in reported if each["severity"] == "error"}
    extra = {each["text"] for each in reported if each["source"] in ("schema", "later")}
    assert refused <= said
    assert said - refused <= extra, "beyond the webhook, lint tells what the schema refuses and what is refused then"
    # The API limits the length of warnings; lint prints them in full.
    assert {_short(each["text"]) for each in reported if each["severity"] == "warning"} == {
        text
        for _, texts in webhook
        for text in texts
        if ": unknown field" not in text  # reported as errors by lint
    }
    assert ran.code == (1 if refused or any(each["severity"] == "error" for each in findings) else 0)


async def answers(bodies: Iterable[Body]) -> list[tuple[list[str], list[str]]]:
    """The webhook's (refusals, warnings) for each body, with all bodies in its caches."""
    bodies = [without_dropped_nulls(KINDS[body["kind"]], body) for body in bodies]
    known = [(KINDS[body["kind"]], body) for body in bodies if "name" in body["metadata"]]
    handler = AdmissionHandler(
        InMemoryLookups(known, below=OfflineLookups()), clock=lambda: 0.0
    )  # a busy machine takes its time
    async with TestClient(RawTestServer(handler)) as client:
        return [await _answer(client, body) for body in bodies]


async def _answer(client: TestClient[Any, Any], body: Body) -> tuple[list[str], list[str]]:
    group = body["apiVersion"].rpartition("/")[0]
    paths = {
        route.mutating: route.path for route in ROUTES if (route.kind.group, route.kind.kind) == (group, body["kind"])
    }
    if True in paths:
        mutated = await _post(client, paths[True], body)
        body = applied(body, _patch(mutated))
    response = await _post(client, paths[False], body)
    causes = response.get("status", {}).get("details", {}).get("causes", [])
    assert response["allowed"] is (not causes)
    return [f"{cause['field']}: {cause['message']}" for cause in causes], response.get("warnings", [])


async def _post(client: TestClient[Any, Any], path: str, body: Body) -> Body:
    async with client.post(path, data=envelope(review(body))) as answer:
        assert answer.status == 200, await answer.text()
        found: Body = (await answer.json())["response"]
        return found


def _patch(response: Body) -> list[Body]:
    operations: list[Body] = json.loads(base64.b64decode(response["patch"])) if "patch" in response else []
    return operations
