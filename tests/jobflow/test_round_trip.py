"""YAML -> Python -> the same YAML, for every example and for random flows; and YAML -> flow objects."""

import contextlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jobflow import Flow
from jobflow.source.convert import python_source
from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from shared.yaml_text import as_yaml
from tests.controller.jobflow.test_any_flow import CALM, FLOWS
from webhook.envelope.patch import applied
from webhook.envelope.review import AdmissionReview, GroupKind, Operation
from webhook.lint.check import admit
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


def pods() -> st.SearchStrategy[Body]:
    container = st.fixed_dictionaries(
        {"name": st.sampled_from(["main", "other"]), "image": st.sampled_from(["busybox", "a/b:1", "$(params.image)"])},
        optional={
            "command": st.lists(TEXTS, min_size=1, max_size=3) | st.builds(lambda text: ["sh", "-c", text], TEXTS),
            "args": st.lists(TEXTS, max_size=2),
            "env": st.lists(
                st.fixed_dictionaries({"name": st.sampled_from("AB"), "value": TEXTS})
                | st.just({"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
                max_size=3,
            ),
            "resources": st.sampled_from(
                [
                    {"requests": {"cpu": "1", "memory": "1Gi"}},
                    {"requests": {"cpu": 1}},
                    {"limits": {"nvidia.com/gpu": "2"}},
                    {"limits": {"nvidia.com/gpu": 2, "cpu": "1"}},
                ]
            ),
            "imagePullPolicy": st.just("Always"),
        },
    )
    spec = st.fixed_dictionaries(
        {"containers": st.lists(container, min_size=1, max_size=2, unique_by=lambda each: each["name"])},
        optional={
            "restartPolicy": st.sampled_from(["Never", "OnFailure"]),
            "nodeSelector": st.just({"disk": "ssd"}),
            "serviceAccountName": st.just("runner"),
            "tolerations": st.just([{"key": "gpu", "operator": "Exists"}]),
            "imagePullSecrets": st.just([{"name": "registry"}]),
            "volumes": st.just([{"name": "v", "emptyDir": {}}]),
        },
    )
    return st.fixed_dictionaries({"spec": spec}, optional={"metadata": st.just({"labels": {"role": "worker"}})})


TEXTS: Final = st.sampled_from(
    ["work", "a b", "$(params.image)", "echo $HOME; exit 1", 'say "hi"\nand more', "it's", "a\\b", "é"]
)
POLICIES: Final = st.sampled_from(
    [
        [{"event": "PodFailed", "action": "RestartJob"}],
        [{"events": ["PodFailed", "PodEvicted"], "action": "RestartJob"}, {"exitCode": 3, "action": "AbortJob"}],
        [{"event": "PodFailed", "action": "RestartTask", "timeout": "10s"}],
    ]
)


@st.composite
def specs(draw: st.DrawFn) -> Body:
    names = draw(st.sampled_from([["main"], ["worker"], ["master", "worker"]]))
    optional = {"policies": POLICIES, "minAvailable": st.just(1), "maxRetry": st.integers(0, 3)}
    tasks = []
    for place, name in enumerate(names):
        more = draw(st.fixed_dictionaries({"template": pods()}, optional={**optional, "replicas": st.integers(1, 3)}))
        depends = {"dependsOn": {"name": ["master"], "condition": "Ready"}} if place and draw(st.booleans()) else {}
        tasks.append({"name": name, **more, **depends})
    fields = st.fixed_dictionaries(
        {},
        optional={
            **optional,
            "queue": st.just("q"),
            "plugins": st.sampled_from([{"svc": [], "env": []}, {"ssh": ["--ssh-port=22"]}, {"svc": None}]),
            "volumes": st.sampled_from(
                [
                    [{"mountPath": "/a", "volumeClaimName": "c"}],
                    [{"mountPath": "/b", "volumeClaim": {"storageClassName": "s"}}],
                    [{"mountPath": "/a", "volumeClaimName": "c"}, {"mountPath": "/a", "volumeClaimName": "d"}],
                ]
            ),
            "ttlSecondsAfterFinished": st.integers(0, 9),
            "priorityClassName": st.just("high"),
        },
    )
    return {"tasks": tasks, **draw(fields)}


APPROVALS: Final = st.fixed_dictionaries(
    {},
    optional={
        "message": TEXTS,
        "timeout": st.sampled_from(["24h", "90s", "1h30m"]),
        "onTimeout": st.sampled_from(["Reject", "Approve"]),
    },
)

RESOURCES: Final = st.fixed_dictionaries(
    {
        "manifest": st.just(
            {"apiVersion": "batch/v1", "kind": "Job", "spec": {"parallelism": 2, "image": "$(params.image)"}}
        )
    },
    optional={
        "success": st.just("object.status.succeeded > 1"),
        "failure": st.just("has(object.status.failed)"),
        "message": st.just('"it says \\"no\\""'),
        "running": st.just("true"),
        "terminate": st.just({"patch": [{"op": "replace", "path": "/spec/suspend", "value": True}]}),
    },
)
KINDS_OF_STEPS: Final = ("job", "job", "template", "flow", "flow template", "resource")
ASKING: Final = ("name", "dependsOn", "if", "allowFailure")
"""Fields that a step with `approve` may have besides."""
PARAMS: Final = (
    [{"name": "image", "value": "busybox"}],
    [{"name": "image"}],
    [{"name": "image"}, {"name": "day", "value": ""}],
)


@st.composite
def of_other_kinds(draw: st.DrawFn, spec: Body, level: int = 1) -> Body:
    """The flow with some steps that wait for people, and some that run flows, which can have both again."""
    return {
        **spec,
        **{
            listed: [draw(_of_any_kind(step, kinds_of_steps, level)) for step in spec[listed]]
            for listed, kinds_of_steps in (("flows", (*KINDS_OF_STEPS, "approve")), ("finally", KINDS_OF_STEPS))
            if listed in spec
        },
    }


@st.composite
def _of_any_kind(draw: st.DrawFn, step: Body, known: Sequence[str], level: int) -> Body:
    kind = draw(st.sampled_from(known))
    if "switch" in step or "daemon" in step or "probe" in step.get("dependsOn", {}) or kind == "job":
        return step
    if kind == "template":
        return {**step, "template": draw(st.sampled_from(["one", "two", "f-s0", "f-s1", "f-s2"]))}
    if kind == "approve":
        return {**{key: value for key, value in step.items() if key in ASKING}, "approve": draw(APPROVALS)}
    if kind == "resource":
        given = {"outputs": [{"name": "x", "expression": "object.metadata.name"}]} if draw(st.booleans()) else {}
        return {**step, "resource": draw(RESOURCES), **given}
    params = {"params": {"image": draw(TEXTS)}} if draw(st.booleans()) else {}
    outputs = {"outputs": draw(st.sampled_from([[{"name": "x"}], [{"name": "x", "key": "y"}]]))}
    if kind == "flow template" or level > 2:
        return {**step, "flow": {"template": "loading", **params}, **(outputs if draw(st.booleans()) else {})}
    inner = draw(FLOWS)
    spec = draw(of_other_kinds(raw(inner.spec), level + 1))
    own = {"params": draw(st.sampled_from(PARAMS)), "outputs": [{"name": "y", "expression": "flow.name"}]}
    return {**step, "flow": {"spec": {**spec, **own}, **params}}


def raw(spec: Any) -> Body:
    found: Body = msgspec.json.decode(msgspec.json.encode(spec))
    return found


def valid(body: Body) -> bool:
    """Whether the webhook takes the flow."""
    known = {**body, "metadata": {**body["metadata"], "namespace": "default"}}
    return admit(kinds.JOBFLOW, known, OfflineLookups(), "default").allowed


@pytest.mark.timeout(600)  # on a busy machine
@settings(CALM, max_examples=500)
@given(FLOWS, st.data())
def test_a_random_flow_comes_back(flow: Any, data: st.DataObject) -> None:
    spec = data.draw(of_other_kinds(raw(flow.spec)))
    body: Body = {
        "apiVersion": kinds.JOBFLOW.api_version,
        "kind": "JobFlow",
        "metadata": {"name": "f"},
        "spec": {**spec, "params": [{"name": "image", "value": "busybox"}]},
    }
    assume(valid(body))
    names = data.draw(st.lists(st.sampled_from(["one", "two", "f-s0", "f-s1"]), unique=True, max_size=3))
    templates = [
        {
            "apiVersion": kinds.JOBTEMPLATE.api_version,
            "kind": "JobTemplate",
            "metadata": {"name": name, **({"labels": {"team": "a"}} if data.draw(st.integers(0, 3)) == 0 else {})},
            "spec": data.draw(specs()),
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
        {"name": "ask", "approve": {"message": "go on?", "timeout": "1h"}},
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
        'ask = Approve("ask", "go on?", timeout="1h")',
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
