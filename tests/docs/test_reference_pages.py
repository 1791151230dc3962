"""docs/reference.md and docs/jobs.md: complete, with links that lead somewhere and expressions that compile."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import msgspec
import pytest

from cli.main import main
from controller.job import reasons as job_reasons
from controller.jobflow import reasons
from shared.expressions import Program, ResultType, compile_expression, flow_scope, retry_scope
from shared.model.flow import JobFlowSpec
from shared.model.phases import FlowAction, JobAction, JobEvent, JobPhase, StepPhase
from shared.model.step import Loop, Probe, Step
from shared.plugins.arguments import ARGUMENTS
from shared.substitution import Form

DOCS: Final = Path("docs")
REFERENCE: Final = DOCS / "reference.md"
JOBS: Final = DOCS / "jobs.md"
PAGES: Final = (REFERENCE, JOBS, Path("examples/README.md"))
STEPS: Final = frozenset({"count", "load-data", "train", "sweep", "list"})
OUTPUTS: Final = {"count": ("rows",), "list": ("files",)}


def _names(*models: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for model in models for field in msgspec.structs.fields(model)]


def _constants(module: ModuleType) -> list[str]:
    return [value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)]


WANTED: Final = {
    "reasons": (REFERENCE, _constants(reasons)),
    "fields of flow, step, loop and probe": (REFERENCE, _names(JobFlowSpec, Step, Loop, Probe)),
    "Commands": (REFERENCE, list(FlowAction)),
    "phases of a step": (REFERENCE, list(StepPhase)),
    "forms of substitution": (REFERENCE, [form for form in Form if form]),
    "reasons of Jobs": (JOBS, _constants(job_reasons)),
    "events of policies": (JOBS, list(JobEvent)),
    "actions": (JOBS, list(JobAction)),
    "phases of a Job": (JOBS, list(JobPhase)),
    "plugins": (JOBS, list(ARGUMENTS)),
    "arguments of plugins": (JOBS, _names(*ARGUMENTS.values())),
}  # fmt: skip


@pytest.mark.parametrize(("page", "words"), WANTED.values(), ids=WANTED)
def test_a_page_lists_all_values(page: Path, words: list[str]) -> None:
    text = page.read_text()
    assert [word for word in words if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        file, _, heading = target.partition("#")
        if file.startswith("https:"):
            continue
        there = (page.parent / file).resolve() if file else page.resolve()
        assert there.exists(), target
        assert not heading or heading in _headings(there), target


def test_every_example_is_linked_from_its_page() -> None:
    for page, folder in ((REFERENCE, "flows"), (JOBS, "jobs")):
        linked = set(re.findall(rf"examples/{folder}/([a-z-]+\.yaml)", page.read_text()))
        assert linked == {file.name for file in Path("examples", folder).glob("*.yaml")}


def _expressions() -> Iterator[str]:
    table = REFERENCE.read_text().partition("| Wanted | Expression |")[2].partition("\n\n")[0]
    for found in re.finditer(r"\| `(.*)` \|$", table, re.MULTILINE):
        yield found[1].replace("\\|", "|")


@pytest.mark.parametrize("text", list(_expressions()))
def test_expressions_in_the_table_compile(text: str) -> None:
    params = ("names", "shards", "size")
    scope = (
        retry_scope(STEPS, STEPS, OUTPUTS, params) if "attempt" in text else flow_scope(STEPS, STEPS, OUTPUTS, params)
    )
    assert isinstance(compiled := compile_expression(text, scope, ResultType.VALUE), Program), compiled


@pytest.mark.parametrize("page", [REFERENCE, JOBS], ids=str)
def test_manifests_on_a_page_are_valid(page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    whole = [block for block in blocks if block.startswith("apiVersion")]
    for block in whole:
        (tmp_path / "page.yaml").write_text(block)
        assert main(["lint", str(tmp_path / "page.yaml")]) == 0, capsys.readouterr()
    assert (len(whole) > 0) is (page is REFERENCE)


def _headings(page: Path) -> set[str]:
    lines = [line.lstrip("#").strip().lower() for line in page.read_text().splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", line).replace(" ", "-") for line in lines}
