"""`simulate`: the result of a flow in a file, without a cluster."""

from pathlib import Path

import pytest

from tests.cli.make import CliCommand, lines, write
from tests.webhook.make import flow, step

TRAIN = step("train", outputs=[{"name": "loss"}], retry={"limit": 1, "backoff": {"duration": "5s"}})
SHIP = step("ship", "train", **{"if": "double(steps.train.outputs.loss) < 0.1"})


@pytest.fixture
def file(tmp_path: Path) -> str:
    return write(tmp_path / "flow.yaml", flow(TRAIN, SHIP, name="nightly"))


def test_a_timeline_and_how_it_ends(command: CliCommand, file: str) -> None:
    ran = command(
        "simulate", file, "--fail", "train:1=3", "--output-of", "train.loss=0.05", "--duration", "train=1m30s"
    )
    assert ran.code == 0
    assert [line.split("  ")[0] for line in lines(ran.out)] == [
        "train",
        "train:2",
        "ship",
        "nightly: Succeed after 3m15s",
    ]
    assert "assumed: JobTemplate train exists" in ran.err


def test_a_flow_that_fails_has_an_exit_code_and_a_reason(command: CliCommand, file: str) -> None:
    ran = command("simulate", file, "--fail", "train", "--seconds", "2")
    assert ran.code == 1
    assert "ship" in ran.out
    assert "Skipped: UpstreamFailed" in ran.out


def test_json_has_everything(command: CliCommand, file: str) -> None:
    found = command("simulate", file, "--output-of", "train.loss=0.5", "-o", "json").json
    assert (found["phase"], found["seconds"]) == ("Succeed", 10)
    assert found["steps"]["ship"]["reason"] == "ConditionFalse"
    assert found["jobs"][0]["name"] == "nightly-train"


def test_people_answer_and_flows_below_are_found_among_the_files(command: CliCommand, tmp_path: Path) -> None:
    body = flow(
        step("load", flow={"template": "loading"}), step("release", "load", approve={"timeout": "1h"}), name="nightly"
    )
    template = {
        "apiVersion": "flow.jobflow.dev/v1alpha1",
        "kind": "JobFlowTemplate",
        "metadata": {"name": "loading", "namespace": "default"},
        "spec": {"flow": {"flows": [{"name": "read", "template": "read"}]}},
    }
    files = (write(tmp_path / "flow.yaml", body), write(tmp_path / "template.yaml", template))
    ran = command("simulate", *files, "--fail", "load/read:1", "--approval", "release=rejected")
    assert "load/read  " in ran.out
    assert "step load failed" in ran.out
    rejected = command("simulate", *files, "--approval", "release=rejected")
    assert lines(rejected.out)[-1].endswith("step release failed: Rejected: rejected by somebody")


REFUSED = {
    "an output that is read and not given": (("simulate",), "--output-of train.loss=VALUE"),
    "a step that is not there": (("simulate", "--fail", "trian"), 'no step named "trian"; did you mean "train"?'),
    "no exit code": (("simulate", "--fail", "train=x"), "the exit code must be a number"),
    "no answer": (("simulate", "--approval", "train=yes"), '"yes" is no answer'),
    "no time": (("simulate", "--duration", "train=soon"), "write 60, 90s or 1h30m"),
    "no output": (("simulate", "--output-of", "train=1"), "want STEP.NAME=VALUE"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_simulated_is_explained(command: CliCommand, file: str, case: str) -> None:
    arguments, wanted = REFUSED[case]
    ran = command(*arguments, file)
    assert ran.code == 2
    assert wanted in ran.err


def test_a_flow_that_the_cluster_would_refuse_is_not_simulated(command: CliCommand, tmp_path: Path) -> None:
    ran = command("simulate", write(tmp_path / "bad.yaml", flow(step("a", "b"))))
    assert ran.code == 1
    assert 'no step named "b"' in ran.err
