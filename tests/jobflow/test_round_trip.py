"""YAML -> Python -> the same YAML, for every example and for random flows; and YAML -> flow objects."""

import contextlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jobflow import Flow
from jobflow.source.convert import python_source
from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from shared.yaml_text import as_yaml
from tests.controller.jobflow.checked_cluster import CALM
from tests.jobflow.any_flow import flows, job_specs
from webhook.envelope.patch import applied
from webhook.envelope.review import AdmissionReview, GroupKind, Operation
from webhook.subject.lookups import OfflineLookups
from webhook.verdict.admissions import ADMISSIONS
from webhook.verdict.admit import mutate

FILES: Final = sorted(
    path
    for path in (*Path("examples").rglob("*.yaml"), *Path("local/manifests").rglob("*.yaml"))
    if path.parent != Path("examples/policies/tests")  # they are read by `jobflow policy test`, not applied
)
KINDS: Final = {(kind.api_version, kind.kind): kind for kind in vars(kinds).values() if isinstance(kind, Kind)}


def bodies_in(text: str) -> list[Body]:
    return [body for body in yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if body]


def printed(source: str) -> list[Body]:
    """What the module prints when it is run as a script."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, "exported.py", "exec"), {"__name__": "__main__"})
    return bodies_in(out.getvalue())


def settled(bodies: Iterable[Body]) -> dict[tuple[str, str], Body]:
    """The objects by kind and name, with the defaults of the webhook."""
    return {(body["kind"], body["metadata"].get("name", "")): _settled(body) for body in bodies}


def _settled(body: Body) -> Body:
    kind = KINDS[body["apiVersion"], body["kind"]]
    if (kind.group, kind.kind) in ADMISSIONS:
        review = AdmissionReview("u", Operation.CREATE, GroupKind(kind.group, kind.version, kind.kind), object=body)
        body = applied(body, mutate(review, OfflineLookups()).patch)
    return _plain(body)


def _plain(value: Any) -> Any:
    """Without what means the same as its absence."""
    if isinstance(value, dict):
        found = {key: _plain(each) for key, each in value.items()}
        if "template" in found and found.get("template") == found.get("name"):
            del found["template"]  # the default of a step
        return {key: each for key, each in found.items() if each not in (None, {}, [], False)}
    return [_plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_example_comes_back(file: Path) -> None:
    bodies = bodies_in(file.read_text())
    assert settled(printed(python_source(bodies))) == settled(bodies)


@pytest.mark.parametrize("file", [each for each in FILES if "kind: JobFlow\n" in each.read_text()], ids=str)
def test_every_flow_is_read_from_yaml(file: Path) -> None:
    text = file.read_text()
    bodies = bodies_in(text)
    for body in bodies:
        if body["kind"] == "JobFlow":
            flow = Flow.from_yaml(text, body["metadata"]["name"])
            assert _settled(flow.manifest().body) == _settled(body)


@pytest.mark.timeout(600)  # on a busy machine
@settings(CALM, max_examples=500)
@given(flows(), st.data())
def test_a_random_flow_comes_back(body: Body, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(["one", "two", "f-s0", "f-s1"]), unique=True, max_size=3))
    templates = [
        {
            "apiVersion": kinds.JOBTEMPLATE.api_version,
            "kind": "JobTemplate",
            "metadata": {"name": name, **({"labels": {"team": "a"}} if data.draw(st.integers(0, 3)) == 0 else {})},
            "spec": data.draw(job_specs()),
        }
        for name in names
    ]
    bodies = [*templates, body]
    source = python_source(bodies)
    assert ".extra(" not in source
    assert settled(printed(source)) == settled(bodies), source
    assert _settled(Flow.from_yaml(as_yaml(bodies)).manifest().body) == _settled(body)


@pytest.mark.parametrize("kind", [{"approve": {"message": "go"}}, {"flow": {"template": "inner"}}], ids=str)
def test_a_step_that_makes_no_jobs_does_not_use_the_template_of_its_name(kind: Body) -> None:
    template = {"tasks": [{"name": "main", "template": {"spec": {"containers": [{"name": "main", "image": "i"}]}}}]}
    bodies: list[Body] = [
        {
            "apiVersion": kinds.JOBTEMPLATE.api_version,
            "kind": "JobTemplate",
            "metadata": {"name": "a"},
            "spec": template,
        },
        {
            "apiVersion": kinds.JOBFLOW.api_version,
            "kind": "JobFlow",
            "metadata": {"name": "f"},
            "spec": {"flows": [{"name": "a", **kind}]},
        },
    ]
    assert settled(printed(python_source(bodies))) == settled(bodies)
    assert Flow.from_yaml(as_yaml(bodies)).manifest().body["spec"]["flows"] == [{"name": "a", **kind}]


def test_steps_of_other_kinds_have_words_of_their_own() -> None:
    steps: list[Body] = [
        {"name": "ask", "approve": {"message": "continue?", "timeout": "1h"}},
        {"name": "load", "flow": {"template": "loading", "params": {"day": "1"}}, "outputs": [{"name": "rows"}]},
        {"name": "each", "for": {"items": ["a"]}, "flow": {"spec": {"flows": [{"name": "work"}]}}},
        {"name": "odd", "approve": {"message": ""}},
    ]
    body: Body = {
        "apiVersion": kinds.JOBFLOW.api_version,
        "kind": "JobFlow",
        "metadata": {"name": "f"},
        "spec": {"flows": steps},
    }
    lines = python_source([body]).splitlines()
    assert lines[:4] == [
        "from jobflow import Approve, Flow, SubFlow, Template",
        "",
        'with Flow("f") as flow:',
        lines[3],
    ]
    assert [line.strip() for line in lines[3:10] if line] == [
        'ask = Approve("ask", "continue?", timeout="1h")',
        'load = SubFlow("load", "loading", params={"day": "1"}, outputs="rows")',
        'with Flow("f-each") as each_flow:',
        'work = Template("work")',
        'each = SubFlow("each", each_flow).loop(["a"])',
        'odd = Template("odd").extra({"approve": {"message": ""}})',
    ]


def test_texts_of_a_manifest_never_become_code() -> None:
    evil = '"); __import__("os").abort(); ("'
    name = "a\nb'\"); raise SystemExit"
    bodies: list[Body] = [
        {
            "apiVersion": kinds.JOBTEMPLATE.api_version,
            "kind": "JobTemplate",
            "metadata": {"name": name, "labels": {evil: evil}},
            "spec": {"queue": evil, "tasks": [{"name": evil, "template": {"spec": {"containers": [{"name": evil}]}}}]},
        },
        {
            "apiVersion": kinds.JOBFLOW.api_version,
            "kind": "JobFlow",
            "metadata": {"name": evil, "annotations": {evil: evil}},
            "spec": {"flows": [{"name": evil, "template": name, "if": evil}, {"name": "import"}, {"name": "flow"}]},
        },
    ]
    assert settled(printed(python_source(bodies))) == settled(bodies)


def test_what_is_no_flow_is_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match="this is not YAML"):
        Flow.from_yaml("a: [")
    with pytest.raises(ValueError, match="the text has no JobFlow"):
        Flow.from_yaml("{}")
    with pytest.raises(ValueError, match="do not match their schema"):
        Flow.from_yaml(
            "apiVersion: flow.volcano.sh/v1alpha1\nkind: JobFlow\nmetadata: {name: f}\nspec: {flows: [{}]}\n"
        )
