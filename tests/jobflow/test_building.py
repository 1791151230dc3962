"""Building flows: which errors Python raises at once, and at which line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from jobflow import Flow, FlowError, Job, JobTemplate, Output, Switch, Task, Template, attempt, index, item, secret
from jobflow.expressions.cel_value import CelValue
from tests.jobflow.python import flow_of, marked, program

READS: Final = {
    "an expression of a step that is not upstream": (
        'a = Job("a", image="i", outputs=["x"])\nb = Job("b", image="i")\nb.when(a.outputs["x"] == "1")  # !',
        'step "b" reads step "a", which does not end before it: write a >> b, directly or through others',
    ),
    "a text with an output of a step that is not upstream": (
        'a = Job("a", image="i", outputs=["x"])\nJob(\n    "b", image="i",\n    command=["x", a.outputs["x"]],  # !\n)',
        'step "a" does not end before this one starts; make it a target, directly or through other steps',
    ),
    "an f-string in a line": (
        'a = Job("a", image="i", outputs=["x"])\nJob("b", image="i", command=f"x {a.outputs[\'x\']}")  # !',
        'step "a" does not end before this one starts',
    ),
    "an item outside of a loop": (
        'Job("a", image="i", env={\n    "A": "1",\n    "B": item,  # !\n})',
        "it has a value only in a step with `for`",
    ),
    "a key that the items have not": (
        'Job("a", image="i", env={"B": item["lr"]}).loop([{"rate": "1"}])  # !',
        'the loop\'s items have no key "lr"',
    ),
    "a param that the text misspells": (
        'Job("a", image="i", args=["$(params.q)"])  # !',
        'no param named "q"; declare it in spec.params',
    ),
}


@pytest.mark.parametrize("case", READS)
def test_a_reference_to_what_is_not_there_fails_at_its_line(case: str, tmp_path: Path) -> None:
    text, wanted = READS[case]
    file = program(tmp_path, text)
    with pytest.raises(FlowError, match=re.escape(wanted)) as caught:
        flow_of(file)
    assert [(each.file, each.line) for each in caught.value.faults] == [(str(file), line) for line in marked(file)]


def job(**arguments: Any) -> Job:
    return Job("a", **{"image": "i", **arguments})


AT_ONCE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "an argument that does not exist": (lambda: job(imge="i"), "Job('a') has no argument imge=; did you mean image=?"),
    "a shell in a command": (lambda: job(command="a | b"), "command='a | b' needs a shell; write script='a | b'"),
    "a reference in a script": (
        lambda: job(script="echo $(params.p)"),
        "script= holds $(params.p), whose value the shell would read as commands; pass it as a variable",
    ),
    "command and script": (lambda: job(command="x", script="y"), "give command= or script=, not both"),
    "a task's argument beside tasks": (
        lambda: job(tasks=[Task("w", image="i")]),
        "Job('a') has tasks, so image belong to them: Task(..., image=...)",
    ),
    "gang and a minimum": (lambda: job(gang=True, min_available=1), "give gang= or min_available=, not both"),
    "a template and parts of one": (
        lambda: job(template={"spec": {}}),
        "template= is the whole pod template, so image cannot be given too",
    ),
    "an object in a manifest": (lambda: job(args=[object()]), "give a text or a number"),
    "half a second": (lambda: job().deadline(0.5), "deadline=0.5: give whole seconds"),
    "no duration": (
        lambda: job().deadline("soon"),
        'write seconds, a duration such as "1h30m" or "7d", or a timedelta',
    ),
    "a comparison that Python made": (
        lambda: job().when(bool("a")),
        "True is not an expression of the cluster",
    ),
    "a loop over nothing": (lambda: job().loop(), "a loop has one source"),
    "a loop over a text that is an output": (
        lambda: job().loop(job(outputs=["x"]).outputs["x"]),
        "is not a list; write .as_list() for a JSON list in a text",
    ),
    "a list that is no list of steps": (lambda: job() >> ["b"], "'b' is not a step: a >> b and a >> [b, c] join steps"),
    "an output that is not declared": (lambda: job(outputs=["loss"]).outputs["los"], 'did you mean "loss"?'),
    "a param that is not declared": (lambda: Flow("f", params={"day": "1"}).params.dya, 'did you mean "day"?'),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_what_python_can_know_it_says_at_once(case: str) -> None:
    make, wanted = AT_ONCE[case]
    with pytest.raises((TypeError, ValueError, KeyError, AttributeError), match=re.escape(wanted)):
        make()


def test_two_steps_of_one_name_are_refused_where_the_second_is_made() -> None:
    with Flow("f"):
        Template("a")
        with pytest.raises(ValueError, match=r'flow f has a step named "a" already, made at .*test_building.py:'):
            Template("a")


def test_steps_of_two_flows_cannot_be_joined() -> None:
    with Flow("f"):
        one = Template("a")
    with Flow("g"):
        other = Template("b")
        with pytest.raises(ValueError, match="belongs to flow f, "):
            one >> other


def test_steps_made_outside_are_added() -> None:
    step = job()
    assert Flow("f").add(step).manifest().body["spec"]["flows"][0]["name"] == "a"


def test_arrows_spread_out_and_gather() -> None:
    with Flow("f") as f:
        a, b, c, d = (Template(name) for name in "abcd")
        a >> [b, c] >> d
    targets = {
        step["name"]: step.get("dependsOn", {}).get("targets", []) for step in f.manifest().body["spec"]["flows"]
    }
    assert targets == {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


FIELDS: Final[dict[str, tuple[Callable[[], Job], dict[str, Any]]]] = {
    "outputs by key": (lambda: job(outputs={"n": "rows"}), {"outputs": [{"name": "n", "key": "rows"}]}),
    "the whole message": (lambda: job(outputs="loss"), {"outputs": [{"name": "loss"}]}),
    "an output in full": (
        lambda: job(outputs=[Output(name="n", task="w", container="c", key="k")]),
        {"outputs": [{"name": "n", "task": "w", "container": "c", "key": "k"}]},
    ),
    "items": (lambda: job().loop(["a", 1, 0.5]), {"for": {"items": ["a", "1", "0.5"]}}),
    "items with keys": (lambda: job().loop([{"lr": 0.1}]), {"for": {"items": [{"lr": "0.1"}]}}),
    "a matrix": (lambda: job().loop({"a": [1, 2]}), {"for": {"matrix": {"a": ["1", "2"]}}}),
    "a range": (lambda: job().loop(range(2, 8, 3)), {"for": {"range": {"start": 2, "end": 8, "step": 3}}}),
    "while": (lambda: job().loop(while_=index < 3), {"for": {"while": "index < 3"}}),
    "items that are skipped": (
        lambda: job().loop(["a"], when=item != "a"),
        {"for": {"items": ["a"], "if": 'item != "a"'}},
    ),
    "retry": (
        lambda: job().retry(2, backoff=30, factor=1.5, max_backoff="5m", when=attempt.exit_code.is_in([1, 2])),
        {
            "retry": {
                "limit": 2,
                "backoff": {"duration": "30s", "factor": 1.5, "maxDuration": "5m"},
                "if": "attempt.exitCode in [1, 2]",
            }
        },
    ),
    "a deadline": (lambda: job().deadline("1h30m"), {"activeDeadlineSeconds": 5400}),
    "a deadline of days": (lambda: job().deadline("1d12h"), {"activeDeadlineSeconds": 129_600}),
    "after a failure": (
        lambda: job().after("b", on="Failed", any=True),
        {"dependsOn": {"targets": ["b"], "strategy": "any", "condition": "Failed"}},
    ),
}


@pytest.mark.parametrize("case", FIELDS)
def test_fields_of_a_step(case: str) -> None:
    make, wanted = FIELDS[case]
    assert {key: value for key, value in make().body().items() if key != "name"} == wanted


def test_a_container_from_arguments() -> None:
    step = job(command="python train.py --name 'a b'", env={"A": 1, "B": True, "T": secret("s", "k")}, cpu=2, gpus=1)
    (container,) = step.spec["tasks"][0]["template"]["spec"]["containers"]
    assert container == {
        "name": "main",
        "image": "i",
        "command": ["python", "train.py", "--name", "a b"],
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "true"},
            {"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ],
        "resources": {"requests": {"cpu": "2"}, "limits": {"nvidia.com/gpu": "1"}},
    }


def test_a_template_that_several_steps_use_is_written_once() -> None:
    work = JobTemplate("work", image="i")
    with Flow("f") as f:
        Template("a", work) >> Template("b", work)
    assert [each.name for each in f.manifests()] == ["work", "f"]
    assert f.lint().ok


def test_a_switch_makes_its_choices_wait() -> None:
    with Flow("f", params={"grade": "A"}) as f:
        deploy, retrain, notify = Template("deploy"), Template("retrain"), Template("notify")
        Switch("route", f.params.grade, {("A", "B"): deploy, "C": [retrain]}, default=notify)
    assert f.manifest().body["spec"]["flows"][-1]["switch"] == {
        "value": "params.grade",
        "cases": [{"when": ["A", "B"], "run": ["deploy"]}, {"when": ["C"], "run": ["retrain"]}],
        "default": ["notify"],
    }
    assert f.lint().ok


def test_a_value_is_not_hashed_by_its_text_and_not_equal_to_anything() -> None:
    value: CelValue = attempt.exit_code
    assert len({value, index}) == 2
