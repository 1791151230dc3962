"""The list of schedules: when each runs next, in real time and where schedules run faster."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from cli.local_speed import schedule_speed
from cli.views.schedules import anchor_of, table
from local.request import ClusterRequest
from local.state_folder import ClusterRecord, default_state_folder
from shared.model.types import Body
from shared.timestamp import epoch
from tests.cli.make import CliCommand

CREATED = "2026-03-28T00:00:00Z"
NOW = epoch(CREATED) + 60


def schedule(kind: str = "CronJobFlow", status: Body | None = None, **spec: Any) -> Body:
    own = {"schedule": "0 * * * *"} if kind == "CronJob" else {"schedules": ["0 * * * *"]}
    metadata = {"name": "s", "namespace": "ns1", "creationTimestamp": CREATED}
    return {"kind": kind, "metadata": metadata, "spec": {**own, **spec}, "status": status or {}}


def columns(body: Body, speed: float = 1.0) -> dict[str, str]:
    heads, (row,) = table([body], NOW, namespaced=False, speed=speed)
    return dict(zip(heads, row, strict=True))


NEXT = {
    "on the hour": (schedule(), 1, "in 59m"),
    "a CronJob": (schedule("CronJob"), 1, "in 59m"),
    "suspended": (schedule(suspend=True), 1, "-"),
    "after its end": (schedule(endTime="2026-03-28T00:30:00Z"), 1, "-"),
    "a schedule that cannot be read": (schedule(schedules=["61 * * * *"]), 1, "invalid"),
    "an interval counts from the last edit": (
        schedule(schedules=["@every 2h"], status={"observedSchedule": {"since": "2026-03-28T00:00:30Z"}}), 1, "in 119m",
    ),
    "an interval of a CronJob counts from its creation": (schedule("CronJob", schedule="@every 2h"), 1, "in 119m"),
    "60 times as fast: an hour has passed, the next takes a minute": (schedule(), 60, "in 60s"),
    "600 times as fast: the tenth hour has just begun": (schedule(), 600, "in 6s"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "speed", "expected"), NEXT.values(), ids=NEXT.keys())
def test_next_is_the_real_time_until_the_next_run(body: Body, speed: float, expected: str) -> None:
    assert columns(body, speed)["NEXT"] == expected


def test_last_is_in_real_time_where_schedules_run_faster() -> None:
    body = schedule(status={"lastScheduleTime": "2026-03-28T00:30:00Z"})

    assert columns(body, 60)["LAST"] == "30s"
    assert columns(body)["LAST"] == "0s"


def test_the_anchor_of_a_schedule_that_was_never_seen_is_its_creation() -> None:
    assert anchor_of(schedule(), NOW) == epoch(CREATED)


def test_only_the_local_cluster_that_is_up_has_a_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    folder = default_state_folder()
    assert schedule_speed(str(folder.kubeconfig)) == 1

    folder.create()
    request = dataclasses.replace(ClusterRequest(), speed=3600.0)
    folder.publish(ClusterRecord(request, str(folder.kubeconfig), 0.0, {}))
    assert schedule_speed(str(folder.kubeconfig)) == 3600
    assert schedule_speed(str(tmp_path / "another")) == 1
    assert schedule_speed("") == 1
    monkeypatch.setenv("KUBECONFIG", str(folder.kubeconfig))
    assert schedule_speed("") == 3600


WRONG = {
    "a negative count": (("@daily", "--count", "-3"), 2, "-3: must be a number from 1 to 1000"),
    "no times": (("@daily", "--count", "0"), 2, "0: must be a number from 1 to 1000"),
    "an unknown macro": (("@dayly",), 2, '"@dayly": unknown macro'),
    "never due": (("0 0 31 2 *",), 2, '"0 0 31 2 *": never due'),
    "no time zone": (("@daily", "--timezone", "Mars/X"), 2, 'time zone "Mars/X": not an IANA time zone name'),
}


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_arguments_of_next_are_named(
    arguments: tuple[str, ...], code: int, message: str, command: CliCommand
) -> None:
    ran = command("cron", "next", *arguments)

    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err


def test_the_next_times_of_an_expression_are_printed_in_its_zone(command: CliCommand) -> None:
    ran = command("cron", "next", "30 2 * * *", "--timezone", "Europe/Berlin", "--count", "2")

    assert ran.code == 0
    assert len(ran.out.splitlines()) == 2
    assert all(" CE" in line for line in ran.out.splitlines())
