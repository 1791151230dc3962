"""Flows on a schedule."""

from pathlib import Path

import pytest

from jobflow import Flow, Job, Schedule, schedule
from tests.jobflow.python import HEAD


def nightly() -> Flow:
    with Flow("nightly", params={"day": "2026-01-01"}, labels={"team": "data"}) as flow:
        Job("report", image="busybox", command=["report", flow.params.day])
    return flow


def test_a_schedule_has_the_flow_written_out_and_its_templates() -> None:
    made = Schedule(
        nightly(),
        "0 2 * * *",
        time_zone="Europe/Berlin",
        concurrency="Forbid",
        params={"day": schedule.date},
        catch_up=3,
        jitter="10m",
        when='last.phase != "Failed"',
    )
    template, body = (each.body for each in made.manifests())
    assert template["metadata"]["name"] == "nightly-report"
    assert (body["kind"], body["metadata"]) == ("CronJobFlow", {"name": "nightly"})
    assert body["spec"] == {
        "schedules": ["0 2 * * *"],
        "timeZone": "Europe/Berlin",
        "concurrencyPolicy": "Forbid",
        "jitterSeconds": 600,
        "when": 'last.phase != "Failed"',
        "catchUp": {"limit": 3},
        "params": [{"name": "day", "value": "$(schedule.date)"}],
        "jobFlowTemplate": {
            "metadata": {"labels": {"team": "data"}},
            "spec": nightly().manifest().body["spec"],
        },
    }
    assert made.lint().ok, made.lint()
    assert made.to_yaml().count("---") == 1


def test_a_fault_of_a_schedule_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "nightly.py"
    file.write_text(
        HEAD
        + 'with Flow("f") as f:\n    Template("A_")\nmade = Schedule(\n    f, "0 2 * *",\n    time_zone="Berlin")\n'
    )
    names: dict[str, object] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    made = names["made"]
    assert isinstance(made, Schedule)
    lines = file.read_text().splitlines()
    reported = {lines[fault.line - 1].strip() for fault in made.lint().errors if fault.file == str(file)}
    assert reported == {'Template("A_")', 'f, "0 2 * *",', 'time_zone="Berlin")'}


def test_a_param_that_the_flow_does_not_have_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match='flow nightly has no param "dya"; there are day'):
        Schedule(nightly(), "@daily", params={"dya": schedule.date})
