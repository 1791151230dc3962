"""Functions as Jobs: their text runs elsewhere, with the same result."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobflow import Flow, Job, item, job

OUTSIDE = 3


@job(image="python:3.13-slim", outputs=["rows", "day"], cpu=1)
def count(day: str, factor: int = 2, *, names: list[str]) -> dict[str, object]:
    """Text with $(params.x) and "quotes"."""
    import math

    return {"rows": factor * math.prod(len(name) for name in names), "day": day, "text": "$(params.x)"}


def run(step: Job, folder: Path, **texts: str) -> str:
    """What the container would leave as its termination message."""
    (container,) = step.spec["tasks"][0]["template"]["spec"]["containers"]
    log = folder / "log"
    env = {each["name"]: _expanded(each["value"]) for each in container["env"]} | texts
    command = [_expanded(word).replace("/dev/termination-log", str(log)) for word in container["command"]]
    subprocess.run([sys.executable, *command[1:]], env={**os.environ, **env}, check=True)
    return log.read_text() if log.exists() else ""


def _expanded(text: str) -> str:
    """As Kubernetes does it."""
    return text.replace("$$(", "$(")


def test_the_text_of_a_function_runs_with_its_arguments(tmp_path: Path) -> None:
    step = count("2026-01-01", names=["ab", 'c"d'])
    assert step.name == "count"
    assert run(step, tmp_path) == '{"rows": 12, "day": "2026-01-01", "text": "$(params.x)"}'
    assert count.function("d", names=["a"]) == {"rows": 2, "day": "d", "text": "$(params.x)"}


def test_references_arrive_as_texts_or_numbers_and_never_as_json_or_code(tmp_path: Path) -> None:
    with Flow("f", params={"day": "1", "factor": "3"}) as flow:
        step = count(flow.params.day, flow.params.factor, names=["a"], step="counted")
        step.loop(["x"])
        other = count(item, names=[], step="other").loop(["y"])
        step >> other
    evil = '"}; import os; os.abort() #'
    assert run(step, tmp_path, JOBFLOW_TEXT_day=evil, JOBFLOW_TEXT_factor="3").startswith(
        '{"rows": 3, "day": "\\"}; import'
    )
    assert flow.lint().ok
    assert [each.name for each in flow.steps.values()] == ["counted", "other"]


def test_a_text_is_the_whole_message(tmp_path: Path) -> None:
    @job(image="i", outputs="name")
    def named(name: str) -> str:
        return name.upper()

    assert run(named("ab"), tmp_path) == "AB"


def test_nothing_is_left_where_nothing_is_returned(tmp_path: Path) -> None:
    @job(image="i")
    def quiet() -> None:
        pass

    assert run(quiet(), tmp_path) == ""


def test_names_from_outside_are_refused() -> None:
    with pytest.raises(ValueError, match="uses OUTSIDE from outside, which the Job does not have"):

        @job(image="i")
        def lost() -> int:
            return OUTSIDE


def test_arguments_must_fit_the_function() -> None:
    with pytest.raises(TypeError, match="missing a required argument: 'names'"):
        count("2026-01-01")
    with pytest.raises(TypeError, match="manifests can have texts, numbers"):
        count(object(), names=[])  # type-checked by nobody: whatever is passed must be JSON


def test_the_command_is_the_function() -> None:
    with pytest.raises(TypeError, match="command= cannot be given"):
        job(image="i", command="x")
