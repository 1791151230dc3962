"""The view of a flow in a terminal."""

import pytest

from cli.views.status import picture
from cli.views.table import columns
from drawing.flow_view import FlowView, Unreadable, flow_view, tasks_by_step
from shared.duration import age, lasted
from shared.model.types import Body
from shared.podstatus.taskstatus import TaskStatus
from shared.timestamp import epoch
from tests.cli.make import status
from tests.webhook.make import flow, step

NOW = epoch("2026-01-02T10:10:00Z")


def state(name: str, phase: str, **more: object) -> Body:
    return {"name": name, "phase": phase, **more}


def seen(body: Body, **more: object) -> FlowView:
    return flow_view({**body, **more})


def shown(view: FlowView, width: int = 0, height: int = 0) -> list[str]:
    return [line.plain.rstrip() for line in picture(view, NOW, width, height)]


SEED = flow(**{"finally": [step("z")]})
RUNNING = status(
    "Running",
    [
        state(
            "a",
            "Completed",
            startTime="2026-01-02T10:00:00Z",
            completionTime="2026-01-02T10:01:05Z",
            outputs={"n": "7"},
        ),
        state(
            "b",
            "Running",
            startTime="2026-01-02T10:09:00Z",
            attempts=2,
            iterations={"total": 4, "completedIndexes": "0-1"},
        ),
        state(
            "c",
            "Failed",
            reason="JobFailed",
            message="exit code 3",
            startTime="2026-01-02T10:00:00Z",
            completionTime="2026-01-02T10:00:03Z",
        ),
        state("d", "Skipped", reason="UpstreamFailed", message="c failed"),
        state("e", "Waiting"),
    ],
    startTime="2026-01-02T10:00:00Z",
    next=[{"name": "e", "waitingFor": ["waits for c, d"]}],
    pods={"total": 9, "running": 3, "succeeded": 4, "failed": 2, "failureRatePercent": 33.333},
)


def test_a_running_flow_shows_progress_times_pods_and_reasons() -> None:
    pods = [
        {"metadata": {"labels": {"volcano.sh/job-name": "f-b-3-r1"}}, "status": {"phase": "Running"}},
        {"metadata": {"labels": {"volcano.sh/job-name": "f-b-2"}}, "status": {"phase": "Pending"}},
        {"metadata": {"labels": {"volcano.sh/job-name": "other-b-2"}}, "status": {"phase": "Running"}},
    ]
    body = {**SEED, "status": RUNNING}
    view = flow_view(body, tasks_by_step(body, pods))
    assert shown(view) == [
        "ns1/f  Running  ━━━━━━━━━━━━━━━━────────  3/6  10m00s",
        "  ○ 2 waiting  ● 1 running  ✓ 1 completed  ✗ 1 failed  ⊘ 1 skipped",
        "  pods: 3 running, 4 succeeded, 2 failed  (33.3 % failed)",
        "",
        "✓ a           Completed   1m05s  n=7",
        "└─ ● b        Running     1m00s  2/4 iterations  attempt 2  1 Pending, 1 Running",
        "   ├─ ✗ c     Failed         3s  JobFailed: exit code 3",
        "   └─ ⊘ d     Skipped            UpstreamFailed: c failed",
        "      └─ ○ e  Waiting            waits for c, d",
        "finally",
        "○ z           Waiting",
    ]


def test_lines_are_cut_to_the_width_of_the_terminal() -> None:
    assert all(len(line) <= 40 for line in shown(seen(SEED, status=RUNNING), width=40))


def large(count: int) -> FlowView:
    """A large flow: half of the steps have ended, ten run, the others wait."""
    names = [f"s{number}" for number in range(count)]
    steps = [step(name, *names[max(place - 1, 0) : place]) for place, name in enumerate(names)]
    phases = [
        "Completed" if place < count // 2 else "Running" if place < count // 2 + 10 else "Waiting"
        for place in range(count)
    ]
    states = [state(name, phase) for name, phase in zip(names, phases, strict=True)]
    states[3] = state("s3", "Failed", reason="JobFailed")
    return seen(flow(*steps), status=status("Running", states))


@pytest.mark.parametrize("height", [10, 24, 40])
def test_a_large_flow_is_summarised_to_fit_the_height(height: int) -> None:
    lines = shown(large(500), 100, height)
    assert len(lines) <= max(height, 12)
    assert "✗ s3" in "\n".join(lines), "what went wrong is never folded away"
    assert lines[-1].startswith("✓ 249 completed: … ")
    assert any(line.startswith("○ 240 waiting: s260, ") for line in lines)


def test_running_steps_are_shown_if_they_fit() -> None:
    lines = shown(large(500), 100, 40)
    assert sum("Running" in line for line in lines[1:]) == 10


def test_a_chain_of_a_hundred_steps_fits_the_width() -> None:
    assert max(len(line) for line in shown(large(100))) < 80


def test_a_new_flow_without_status_is_shown() -> None:
    assert shown(seen(flow(step("a"))))[0] == "ns1/f  Pending  ────────────────────────  0/1  not started"


def test_a_spec_that_does_not_match_the_schema_is_an_error() -> None:
    with pytest.raises(Unreadable, match=r"spec\.flows: must be a list, not a string"):
        seen(flow(flows="x"))


def test_a_status_of_another_version_is_ignored() -> None:
    assert seen(flow(step("a")), status={"steps": "x"}).phase == "Pending"


def test_pods_are_found_by_the_names_of_their_jobs() -> None:
    body = flow(step("a"), step("a-1"))
    pod = {"status": {"phase": "Succeeded"}}
    jobs = ("f-a", "f-a-r2", "f-a-1", "f-a-1-r1", "f-a-7-r1", "g-a")
    found = tasks_by_step(body, [{**pod, "metadata": {"labels": {"volcano.sh/job-name": job}}} for job in jobs])
    assert {name: counts[TaskStatus.SUCCEEDED] for name, counts in found.items()} == {"a": 3, "a-1": 2}


TIMES = {0: ("0s", "0s"), 59: ("59s", "59s"), 61: ("61s", "1m01s"), 7260: ("121m", "2h01m"), 200_000: ("2d7h", "2d07h")}


@pytest.mark.parametrize("seconds", TIMES)
def test_durations_are_short(seconds: int) -> None:
    assert (age(0.0, float(seconds)), lasted(seconds)) == TIMES[seconds]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    lines = [line.plain for line in columns(("A", "LONG", "C"), [("aaa", "b", ""), ("a", "b", "c" * 200)])]
    assert lines == ["A     LONG   C", "aaa   b", f"a     b      {'c' * 200}"]
