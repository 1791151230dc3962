"""Flows in Python, run in a cluster: started, waited for, read, controlled, and refused with the line of the fault."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobflow import (
    Approve,
    Cluster,
    ClusterError,
    Flow,
    FlowError,
    FlowFailed,
    Job,
    Schedule,
    SubFlow,
    Template,
    find_run,
    item,
    schedule,
)
from local.client.blocking import until
from local.cluster import LocalCluster
from shared.kinds import COMMAND, CRONJOBFLOW, JOBFLOW
from tests.e2e.support.approvals import approval

SECONDS = 60.0


@pytest.fixture(scope="module")
def target(cluster: LocalCluster) -> Iterator[Cluster]:
    with cluster.namespace("sdk") as namespace:
        yield Cluster(kubeconfig=str(cluster.kubeconfig), namespace=namespace)


def report(name: str, code: int = 0) -> Flow:
    with Flow(name, params={"day": "2026-01-01"}) as flow:
        count = Job(
            "count",
            image="busybox",
            command=["sh", "-c", 'echo counting; echo \'{"rows": 12, "day": "$(params.day)"}\' > /dev/termination-log'],
            outputs=["rows", "day"],
        )
        each = Job("each", image="busybox", command=["echo", item]).loop(["north", "south"])
        last = Job("last", image="busybox", command=["sh", "-c", f"sleep 1; exit {code}"]).retry(1, backoff="1s")
        count >> each >> last
        Job("skipped", image="busybox").after(last).when(count.outputs["rows"].as_int() > 100)
    return flow


def test_a_run_is_waited_for_and_read(target: Cluster) -> None:
    run = report("good").run(day="2026-02-01", cluster=target)
    assert run.name.startswith("good-")
    assert run.wait(timeout=SECONDS) is run
    assert (run.phase, run.state.outcome, run.state.succeeded) == ("Succeed", "Succeed", True)
    assert run.outputs == {"count": {"rows": "12", "day": "2026-02-01"}}
    assert {step.name: step.phase for step in run.steps.values()} == {
        "count": "Completed",
        "each": "Completed",
        "last": "Completed",
        "skipped": "Skipped",
    }
    assert run.steps["last"].attempts == 1
    assert run.steps["skipped"].reason == "ConditionFalse"
    assert len(run.steps["each"].jobs) == 2
    assert run.logs("count") == "counting\n"
    assert run.logs("each", job=run.steps["each"].jobs[0]) == "north\n"


def test_a_failed_run_says_why(target: Cluster) -> None:
    run = report("bad", code=7).run(cluster=target)
    with pytest.raises(FlowFailed) as caught:
        run.wait(timeout=SECONDS)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"flow {run.name} ended Failed: ")
    assert lines[1].startswith("  step last Failed after 2 attempts: MinAvailableUnreachable")
    assert caught.value.run is run
    assert caught.value.state.steps["last"].exit_code == 7


def test_a_run_that_takes_too_long_says_where_it_is(target: Cluster) -> None:
    with Flow("waits") as flow:
        Template("ghost", "no-such-template")
    run = flow.run(cluster=target)
    with pytest.raises(TimeoutError, match=r"has not ended after 1 s; it is Pending, 0/1: .*no-such-template"):
        run.wait(timeout=1)
    run.stop()
    with pytest.raises(FlowFailed, match="ended Terminated"):
        run.wait(timeout=SECONDS)
    run.delete()
    with pytest.raises(ClusterError, match="not found"):
        find_run(run.name, target)


def test_a_run_is_found_by_its_name(target: Cluster) -> None:
    run = report("named").run(name="named-1", cluster=target)
    found = find_run("named-1", target)
    assert (found.name, found.namespace) == (run.name, target.namespace)
    assert found.wait(timeout=SECONDS).state.succeeded
    with pytest.raises(ClusterError, match="already exists"):
        report("named").run(name="named-1", cluster=target)


def test_a_fault_that_the_cluster_finds_is_told_with_its_line(target: Cluster) -> None:
    with Flow("refused") as flow:
        Template("a").when("params.b == '1'")  # this line
    with pytest.raises(FlowError) as caught:
        flow.run(cluster=target)
    (fault,) = caught.value.faults
    line = Path(fault.file).read_text().splitlines()[fault.line - 1]
    assert (fault.path, line.strip()) == (
        "spec.flows[0].if",
        """Template("a").when("params.b == '1'")  # this line""",
    )


def test_fields_that_the_cluster_would_drop_are_refused_with_their_lines(target: Cluster) -> None:
    """As of a cluster whose definitions are older than this package."""
    with Flow("dropped") as flow:
        Template("a").extra({"aproove": {"message": "continue?"}})  # this line
    assert _refused_line(flow, target) == (
        "spec.flows[0].aproove",
        """Template("a").extra({"aproove": {"message": "continue?"}})  # this line""",
    )


def test_fields_that_an_apply_would_drop_are_refused_with_their_lines(target: Cluster) -> None:
    with Flow("dropped") as flow:
        Job("a", image="i", job={"minAvailabel": 1})  # this line
    wanted = ("spec.minAvailabel", """Job("a", image="i", job={"minAvailabel": 1})  # this line""")
    assert _refused_line(flow, target) == wanted
    with pytest.raises(FlowError, match="would drop it"):
        flow.apply(target)
    with pytest.raises(FlowError, match="would drop it"):
        flow.diff(target)


def _refused_line(flow: Flow, target: Cluster) -> tuple[str, str]:
    with pytest.raises(FlowError, match="lacks the field and would drop it") as caught:
        flow.run(cluster=target)
    (fault,) = caught.value.faults
    return fault.path, Path(fault.file).read_text().splitlines()[fault.line - 1].strip()


def test_a_schedule_starts_runs_that_are_found(target: Cluster, cluster: LocalCluster) -> None:
    made = Schedule(report("minutely"), "* * * * *", params={"day": schedule.date}, concurrency="Forbid")
    assert made.apply(target)[-1] == "cronjobflows/minutely"

    def ended() -> str:
        flows = cluster.kube.list(JOBFLOW, target.namespace)
        mine = [flow for flow in flows if flow["metadata"]["name"].startswith("minutely-")]
        return next((flow["metadata"]["name"] for flow in mine if (flow.get("status") or {}).get("completionTime")), "")

    run = find_run(until(ended, 90, lambda: "no run has ended"), target)
    assert run.state.succeeded
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", run.outputs["count"]["day"])
    assert made.apply(target)[-1] == "cronjobflows/minutely"
    cluster.kube.delete(CRONJOBFLOW, target.namespace, "minutely")


def test_people_are_asked_by_a_flow_that_is_written_in_python(target: Cluster, cluster: LocalCluster) -> None:
    with Flow("asking") as inner:
        Job("work", image="busybox", command=["true"])
    with Flow("asked") as flow:
        SubFlow("before", inner) >> Approve("release", "continue?", timeout="24h") >> Job("ship", image="busybox")
    run = flow.run(name="asked-1", cluster=target)

    def waits() -> bool:
        return run.steps["release"].reason == "WaitingForApproval" if "release" in run.steps else False

    until(waits, 60, lambda: str(run.state))
    cluster.kube.create(COMMAND, approval(cluster.kube.get(JOBFLOW, target.namespace, "asked-1")))
    assert run.wait(timeout=SECONDS).steps["ship"].phase == "Completed"


def test_a_param_that_is_not_there_is_refused_before_anything_is_sent(target: Cluster) -> None:
    with pytest.raises(ValueError, match='flow good has no param "dya"; there are day'):
        report("good").run(dya="1", cluster=target)


def test_templates_are_applied_without_a_run(target: Cluster) -> None:
    assert report("applied").apply(target) == [
        "jobtemplates/applied-count",
        "jobtemplates/applied-each",
        "jobtemplates/applied-last",
        "jobtemplates/applied-skipped",
    ]


def test_a_diff_shows_what_would_change_and_changes_nothing(target: Cluster) -> None:
    with Flow("compared") as flow:
        Job("a", image="busybox:1", queue="default")
    assert list(flow.diff(target).changes) == ["jobtemplates/compared-a"]
    flow.apply(target)
    assert not flow.diff(target)
    assert str(flow.diff(target)) == "nothing would change"
    with Flow("compared") as changed:
        Job("a", image="busybox:2", queue="default")
    lines = str(changed.diff(target)).splitlines()
    assert [line.strip("+- ") for line in lines if line[:1] in "+-" and "image" in line] == [
        "image: busybox:1",
        "image: busybox:2",
    ]
    assert changed.diff(target)


async def test_async_twins(target: Cluster) -> None:
    run = await report("twin").arun(cluster=target)
    assert await run is run
    assert (await run.astate()).succeeded
    assert await run.alogs("count") == "counting\n"


async def test_what_blocks_works_inside_of_a_running_loop_as_in_notebooks(target: Cluster) -> None:
    await asyncio.sleep(0)
    run = report("notebook").run(cluster=target)
    assert run.wait(timeout=SECONDS).state.succeeded


def test_progress_is_a_line_a_change_where_there_is_no_terminal(
    target: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    run = report("shown").run(cluster=target)
    run.wait(timeout=SECONDS, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith(f"{run.name}  ━━━━━━━━━━━━━━━━━━━━  4/4")
    assert "Succeed" in lines[-1]


def test_no_cluster_is_said_plainly(target: Cluster) -> None:
    with pytest.raises(ClusterError, match="no such file"):
        report("lost").run(cluster=Cluster(kubeconfig="/nowhere/config"))
