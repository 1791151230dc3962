"""Sequence, parallel, strategies and conditions: when a step runs (docs/design/jobflow-api.md, section 3.1)."""

import pytest

from shared.model.phases import JobPhase
from tests.controller.jobflow.make import flow, started, step

SEED = (step("a"), step("b", "a"), step("c", "b"), step("d", "b"), step("e", "c", "d"))


def test_the_flow_of_the_documents_runs_in_its_order():
    cluster = started(*SEED)
    assert cluster.created == ["f-a"]
    assert cluster.next() == {"b": ("waits for a",)}
    cluster.complete("f-a")
    assert cluster.created == ["f-a", "f-b"]
    assert cluster.next() == {"c": ("waits for b",), "d": ("waits for b",)}
    cluster.complete("f-b")
    assert cluster.created[2:] == ["f-c", "f-d"]
    assert cluster.next() == {"e": ("waits for c, d",)}
    cluster.complete("f-d")
    assert cluster.next() == {"e": ("waits for c",)}
    cluster.complete("f-c")
    cluster.complete("f-e")
    assert (cluster.phase, cluster.status.progress, cluster.next()) == ("Succeed", "5/5", {})
    assert cluster.status.completed_jobs == ("f-a", "f-b", "f-c", "f-d", "f-e")


def test_any_number_of_roots_start_at_once():
    cluster = started(step("a"), step("b"), step("c"))
    assert cluster.created == ["f-a", "f-b", "f-c"]


def test_a_wide_fan_out_joins():
    names = [f"s{n}" for n in range(50)]
    cluster = started(step("a"), *(step(name, "a") for name in names), step("z", *names))
    cluster.complete("f-a")
    assert len(cluster.created) == 51
    cluster.complete(*(f"f-{name}" for name in names))
    assert cluster.created[-1] == "f-z"


# The results of the two targets, and the result of the step for each condition and strategy.
# "ok" Completed, "failed", "forgiven" (failed with allowFailure), "skipped" (its condition was false), "open" (running).
GO, WAITS = "Pending", "Waiting"
BAD, SKIPPED, NOT_FAILED = "UpstreamFailed", "UpstreamSkipped", "NotFailed"
RULES = {
    ("Completed", "all"): {
        ("ok", "ok"): GO,
        ("ok", "open"): WAITS,
        ("ok", "failed"): BAD,
        ("failed", "open"): WAITS,
        ("ok", "forgiven"): GO,
        ("ok", "skipped"): GO,
        ("skipped", "skipped"): SKIPPED,
        ("skipped", "failed"): BAD,
        ("forgiven", "skipped"): GO,
    },
    ("Completed", "any"): {
        ("ok", "open"): GO,
        ("open", "open"): WAITS,
        ("failed", "open"): WAITS,
        ("ok", "failed"): GO,
        ("failed", "skipped"): BAD,
        ("skipped", "skipped"): SKIPPED,
        ("forgiven", "open"): GO,
    },
    ("Failed", "all"): {
        ("failed", "open"): WAITS,
        ("failed", "ok"): GO,
        ("ok", "ok"): NOT_FAILED,
        ("skipped", "ok"): NOT_FAILED,
        ("forgiven", "ok"): GO,
    },
    ("Failed", "any"): {
        ("failed", "open"): GO,
        ("ok", "open"): WAITS,
        ("ok", "ok"): NOT_FAILED,
        ("skipped", "skipped"): NOT_FAILED,
    },
    ("Ended", "all"): {
        ("failed", "open"): WAITS,
        ("failed", "ok"): GO,
        ("skipped", "skipped"): GO,
        ("ok", "ok"): GO,
    },
    ("Ended", "any"): {("skipped", "open"): GO, ("failed", "open"): GO, ("open", "open"): WAITS},
}
CASES = {
    f"{condition} {strategy}: {' and '.join(fates)}": (condition, strategy, fates, want)
    for (condition, strategy), rows in RULES.items()
    for fates, want in rows.items()
}


@pytest.mark.parametrize(("condition", "strategy", "fates", "want"), CASES.values(), ids=CASES.keys())
def test_which_target_states_let_a_step_start(condition, strategy, fates, want):
    targets = []
    for name, fate in zip("xy", fates, strict=True):
        extra = {"allowFailure": True} if fate == "forgiven" else {"if": "false"} if fate == "skipped" else {}
        targets.append(step(name, **extra))
    cluster = started(*targets, step("z", "x", "y", condition=condition, strategy=strategy), failureStrategy="Continue")
    for name, fate in zip("xy", fates, strict=True):
        if fate == "ok":
            cluster.complete(f"f-{name}")
        elif fate in ("failed", "forgiven"):
            cluster.fail(f"f-{name}")
    found = cluster.step("z")
    assert (found.reason if found.phase == "Skipped" else str(found.phase)) == want
    assert ("f-z" in cluster.created) is (want == GO)


def test_a_step_that_joins_two_branches_runs():
    cluster = started(
        step("a"),
        step("left", "a", if_="true"),
        step("right", "a", if_="false"),
        step("right2", "right"),
        step("join", "left", "right2"),
    )
    cluster.complete("f-a")
    assert cluster.reasons() == {"right": "ConditionFalse", "right2": "UpstreamSkipped"}
    cluster.complete("f-left")
    assert cluster.created == ["f-a", "f-left", "f-join"]


def test_a_chain_of_skipped_steps_is_skipped_in_one_go():
    cluster = started(step("a", if_="false"), *(step(f"s{n}", f"s{n - 1}" if n else "a") for n in range(30)))
    assert set(cluster.phases().values()) == {"Skipped"}
    assert cluster.phase == "Succeed"
    assert cluster.created == []


PHASES = {
    JobPhase.PENDING: ("Pending", "pending_jobs"),
    JobPhase.RUNNING: ("Running", "running_jobs"),
    JobPhase.RESTARTING: ("Running", "running_jobs"),
    JobPhase.COMPLETING: ("Running", "running_jobs"),
    JobPhase.ABORTING: ("Running", "running_jobs"),
    JobPhase.TERMINATING: ("Running", "running_jobs"),
    JobPhase.ABORTED: ("Suspended", "un_know_jobs"),
    JobPhase.COMPLETED: ("Completed", "completed_jobs"),
    JobPhase.FAILED: ("Failed", "failed_jobs"),
    JobPhase.TERMINATED: ("Terminated", "terminated_jobs"),
}


def test_every_job_phase_is_considered():
    assert set(PHASES) == set(JobPhase)


@pytest.mark.parametrize(("job", "want"), PHASES.items(), ids=[str(phase) for phase in PHASES])
def test_a_job_phase_shows_on_its_step_and_in_volcanos_lists(job, want):
    cluster = started(step("a"))
    cluster.set_job("f-a", job)
    cluster.settle()
    assert str(cluster.step("a").phase) == want[0]
    lists = ("pending_jobs", "running_jobs", "failed_jobs", "completed_jobs", "terminated_jobs", "un_know_jobs")
    assert {name: getattr(cluster.status, name) for name in lists} == {
        name: ("f-a",) if name == want[1] else () for name in lists
    }


def test_an_aborted_job_that_is_resumed_continues():
    cluster = started(step("a"), step("b", "a"))
    cluster.set_job("f-a", JobPhase.ABORTED)
    cluster.settle()
    assert cluster.phases() == {"a": "Suspended", "b": "Waiting"}
    cluster.run("f-a")
    cluster.complete("f-a")
    assert cluster.created == ["f-a", "f-b"]


def test_an_invalid_graph_that_bypassed_the_webhook_is_reported_and_runs_nothing():
    cluster = started(step("a", "b"), step("b", "a"))
    assert cluster.created == []
    assert (cluster.phase, cluster.status.state.reason) == ("Pending", "InvalidSpec")
    assert cluster.status.state.message == "cycle a -> b -> a"


def test_a_step_may_use_a_template_of_another_name():
    subject = flow(step("a", template="shared"), step("b", template="shared"))
    assert [one.template_name for one in subject.spec.flows] == ["shared", "shared"]
    cluster = started(step("a", template="shared"), step("b", template="shared"))
    assert cluster.created == ["f-a", "f-b"]
    origin = cluster.bodies["f-a"]["metadata"]["annotations"]["volcano.sh/createdByJobTemplate"]
    assert origin == "ns.shared"
