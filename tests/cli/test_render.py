"""`render`: the Jobs that the controller would create, without a cluster."""

from pathlib import Path

import pytest
import yaml

from shared import kinds
from shared.model.types import Body
from tests.cli.make import CliCommand, write
from tests.webhook.make import body, flow, pod_template, step, task, template


def echo(text: str) -> Body:
    container = {"name": "main", "image": "busybox", "command": ["echo", text]}
    return task(replicas=1, template=pod_template(containers=[container]))


TEMPLATES = (
    template(echo("$(params.day) $(step.name)"), name="plain"),
    template(echo("$(index):$(item.k)"), name="each"),
)
FLOW = flow(
    step("a", template="plain", outputs=[{"name": "n"}]),
    step(
        "b",
        "a",
        template="plain",
        patch={
            "jobSpec": {"queue": "q-$(steps.a.outputs.n)"},
            "jsonPatch": [{"op": "replace", "path": "/tasks/0/replicas", "expression": "int(steps.a.outputs.n)"}],
        },
    ),
    step("c", template="each", **{"for": {"items": [{"k": "x"}, {"k": "y"}]}}),
    step("d", "a", template="each", **{"for": {"expression": "parseJSON(steps.a.outputs.n)"}}),
    step("s", switch={"value": "1", "default": ["e"]}),
    step("e", template="gone"),
    step("w", template="plain", **{"for": {"while": "index < 3"}}),
    params=[{"name": "day", "value": "mon"}],
)


@pytest.fixture
def files(tmp_path: Path) -> str:
    return write(tmp_path / "flow.yaml", FLOW, *TEMPLATES)


def jobs(text: str) -> list[Body]:
    return list(yaml.safe_load_all(text))


def words(job: Body) -> str:
    return str(job["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["command"][1])


def test_a_step_with_params(files: str, command: CliCommand) -> None:
    ran = command("render", files, "--step", "a", "-p", "day=tue")
    (job,) = jobs(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert (job["kind"], job["metadata"]["name"], job["metadata"]["namespace"], words(job)) == (
        "Job",
        "f-a",
        "ns1",
        "tue a",
    )
    assert "ownerReferences" not in job["metadata"]


def test_patches_use_the_given_outputs(files: str, command: CliCommand) -> None:
    (job,) = jobs(command("render", files, "--step", "b", "--output-of", "a.n=3").out)
    assert (job["spec"]["queue"], job["spec"]["tasks"][0]["replicas"]) == ("q-3", 3)


def test_a_loop_creates_a_job_for_each_item(files: str, command: CliCommand) -> None:
    found = jobs(command("render", files, "--step", "c").out)
    assert [(job["metadata"]["name"], words(job)) for job in found] == [("f-c-0", "0:x"), ("f-c-1", "1:y")]
    (one,) = jobs(command("render", files, "--step", "c", "--index", "1").out)
    assert one == found[1]
    listed = command("render", files, "--step", "c", "-o", "json").json
    assert [job["metadata"]["name"] for job in listed["items"]] == ["f-c-0", "f-c-1"]


def test_a_loop_over_an_expression(files: str, command: CliCommand) -> None:
    found = jobs(command("render", files, "--step", "d", "--output-of", 'a.n=[{"k": "p"}]').out)
    assert [words(job) for job in found] == ["0:p"]


def test_a_while_loop_renders_the_requested_iteration(files: str, command: CliCommand) -> None:
    assert command("render", files, "--step", "w", "-o", "name").out == "job.batch.volcano.sh/f-w-0\n"
    assert command("render", files, "--step", "w", "--index", "2", "-o", "name").out == "job.batch.volcano.sh/f-w-2\n"


FAULTS = {
    "no such step": (("--step", "bb"), 3, 'no step named "bb"; did you mean "b"?'),
    "a switch": (("--step", "s"), 1, "step s is a switch: it creates nothing"),
    "a template that is not there": (("--step", "e"), 3, 'step e: no JobTemplate named "gone" in the files'),
    "an iteration that is not there": (("--step", "c", "--index", "2"), 3, "step c has 2 iterations, 0 to 1"),
    "an iteration of a step without any": (
        ("--step", "a", "--index", "0"),
        1,
        "step a has no `for`, so no iteration 0",
    ),
    "an expression without a value": (("--step", "b", "--output-of", "a.n=x"), 1, "step b: InvalidExpression"),
    "an output of nobody": (("--step", "b", "--output-of", "a.m=x"), 3, '--output-of: step a has no output "m"'),
    "an output of no step": (("--step", "b", "--output-of", "x.n=x"), 3, '--output-of: no step named "x"'),
    "an output that is none": (("--output-of", "a=3"), 2, "--output-of a=3: must be STEP.NAME=VALUE"),
    "a param that is none": (("-p", "day"), 2, "-p day: must be NAME=VALUE"),
    "a param that is not declared": (("-p", "dax=1"), 2, 'no param named "dax"; did you mean "day"?'),
    "no such flow": (("--flow", "g"), 3, 'no JobFlow named "g"'),
}


@pytest.mark.parametrize("case", FAULTS)
def test_errors_of_rendering_are_printed(case: str, files: str, command: CliCommand) -> None:
    arguments, code, wanted = FAULTS[case]
    ran = command("render", files, *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert wanted in ran.err


def test_a_job_that_the_webhook_would_refuse_is_printed_with_its_violations(
    command: CliCommand, tmp_path: Path
) -> None:
    broken = flow(
        step("a", template="plain", patch={"jobSpec": {"minAvailable": 9}}), params=[{"name": "day", "value": "x"}]
    )
    ran = command("render", write(tmp_path / "f.yaml", broken, *TEMPLATES))
    assert ran.code == 1
    assert jobs(ran.out)[0]["spec"]["minAvailable"] == 9
    assert "f-a: spec.minAvailable: Invalid value: 9" in ran.err


def test_files_without_a_flow_or_with_several(command: CliCommand, tmp_path: Path) -> None:
    none = command("render", write(tmp_path / "t.yaml", *TEMPLATES))
    assert (none.code, none.err.count("no JobFlow")) == (3, 1)
    two = command("render", write(tmp_path / "two.yaml", FLOW, flow(step("a"), name="g")))
    assert two.code == 2
    assert "2 JobFlows: f, g" in two.err


THING = {"apiVersion": "x.dev/v1", "kind": "Thing", "spec": {"day": "$(params.day)"}}
RESOURCE = {"manifest": THING, "success": "true", "failure": "false"}
INLINE = {"params": [{"name": "day"}], "flows": [step("x", template="plain"), step("y", resource=RESOURCE)]}
NESTED = flow(
    step("sub", flow={"spec": INLINE, "params": {"day": "$(item)"}}, **{"for": {"items": ["sat", "sun"]}}),
    step("own", resource=RESOURCE),
    step("ask", approve={}),
    step("tmpl", flow={"template": "t"}),
    params=[{"name": "day", "value": "mon"}],
)
FLOW_TEMPLATE = body(
    kinds.JOBFLOWTEMPLATE, "t", {"flow": {"flows": [step("z", template="plain")], "params": [{"name": "day"}]}}
)
CYCLE = body(kinds.JOBFLOWTEMPLATE, "t", {"flow": {"flows": [step("z", flow={"template": "t"})]}})


def names(text: str) -> list[str]:
    return [f"{one['kind']}/{one['metadata']['name']}" for one in jobs(text)]


def test_flows_of_steps_and_objects_of_other_kinds_are_rendered_too(tmp_path: Path, command: CliCommand) -> None:
    file = write(tmp_path / "nested.yaml", NESTED, FLOW_TEMPLATE, *TEMPLATES)
    ran = command("render", file)
    wanted = [
        f"{kind}/f-sub-{index}{tail}"
        for index in (0, 1)
        for kind, tail in (("JobFlow", ""), ("Job", "-x"), ("Thing", "-y"))
    ]
    assert names(ran.out) == [*wanted, "Thing/f-own", "JobFlow/f-tmpl", "Job/f-tmpl-z"]
    assert [one["spec"]["day"] for one in jobs(ran.out) if one["kind"] == "Thing"] == ["sat", "sun", "mon"]
    assert "ownerReferences" not in ran.out


def test_a_step_of_the_flow_of_a_step_is_named_by_its_path(tmp_path: Path, command: CliCommand) -> None:
    file = write(tmp_path / "nested.yaml", NESTED, FLOW_TEMPLATE, *TEMPLATES)
    assert names(command("render", file, "--step", "sub/y", "--index", "1").out) == ["Thing/f-sub-1-y"]
    assert names(command("render", file, "--step", "tmpl/z").out) == ["Job/f-tmpl-z"]


@pytest.mark.parametrize(
    ("name", "template_", "code", "words"),
    [
        ("ask", FLOW_TEMPLATE, 1, "step ask waits for a person: it creates nothing"),
        ("own/x", FLOW_TEMPLATE, 1, 'step own runs no flow, so it has no step "x"'),
        ("sub/nope", FLOW_TEMPLATE, 3, 'no step named "nope"'),
        ("tmpl", CYCLE, 1, "TemplateCycle: JobFlowTemplates run each other in a cycle: t -> t"),
        ("tmpl", None, 3, 'step tmpl: no JobFlowTemplate named "t" in the files'),
    ],
)
def test_a_step_below_that_cannot_be_rendered_says_why(
    name: str, template_: Body | None, code: int, words: str, tmp_path: Path, command: CliCommand
) -> None:
    more = () if template_ is None else (template_,)
    ran = command("render", write(tmp_path / "nested.yaml", NESTED, *more, *TEMPLATES), "--step", name)
    assert ran.code == code
    assert words in ran.err
