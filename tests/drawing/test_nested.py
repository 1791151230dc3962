"""Flows within a flow, shown in place."""

from typing import Any

from drawing.flow_view import flow_view
from drawing.graph_model import Meaning, drawing
from drawing.nested import latest_flow, tasks_of_steps, with_sub_flows, with_written_flows
from drawing.tree import branches
from shared.model.types import Body
from shared.names import ATTEMPT, ITERATION, JOB_NAME, STEP


def flow(name: str, *steps: Body, owner: str = "", labels: Body | None = None, **status: Any) -> Body:
    owners = [{"uid": owner, "controller": True}] if owner else []
    metadata = {"name": name, "uid": f"{name}-uid", "labels": labels or {}, "ownerReferences": owners}
    return {"metadata": metadata, "spec": {"flows": list(steps)}, "status": status}


def step(name: str, *targets: str, **more: Any) -> Body:
    return {"name": name} | ({"dependsOn": {"targets": list(targets)}} if targets else {}) | more


def child(name: str, *steps: Body, index: int | None = None, attempt: int = 0, **status: Any) -> Body:
    labels = {STEP: "s", ATTEMPT: str(attempt)} | ({} if index is None else {ITERATION: str(index)})
    return flow(name, *steps, owner="f-uid", labels=labels, **status)


PARENT = flow("f", step("s", flow={"template": "t"}), step("after", "s"))


def test_the_steps_of_a_sub_flow_hang_below_its_step() -> None:
    inner = child("f-s", step("a"), step("b", "a"), steps=[{"name": "a", "phase": "Running"}])
    seen = flow_view(with_sub_flows(PARENT, [inner]))
    assert {one.name: (one.targets, str(one.phase)) for one in seen.steps} == {
        "s": ((), "Waiting"),
        "after": (("s",), "Waiting"),
        "s/a": (("s",), "Running"),
        "s/b": (("s/a",), "Waiting"),
    }
    assert [row.step.name for row in branches(seen.steps)] == ["s", "s/a", "s/b", "after"]


def test_the_arrow_into_a_sub_flow_says_that_the_step_runs_meanwhile() -> None:
    drawn = drawing(with_sub_flows(PARENT, [child("f-s", step("a"))]), live=True)
    assert {(one.source, one.target): one.meaning for one in drawn.arrows}["s", "s/a"] is Meaning.PROBE


def test_iterations_are_told_apart_and_only_the_last_attempt_is_shown() -> None:
    flows = [child("f-s-0", step("a"), index=0), child("f-s-1", step("a"), index=1)]
    flows.append(child("f-s-1-r1", step("c"), index=1, attempt=1))
    names = [one.name for one in flow_view(with_sub_flows(PARENT, flows)).steps]
    assert names == ["s", "s[0]/a", "s[1]/c", "after"]
    assert latest_flow(PARENT, "s", None, flows) is flows[2]
    assert latest_flow(PARENT, "s", 0, flows) is flows[0]
    assert latest_flow(PARENT, "s", 7, flows) is None


def test_of_many_iterations_those_that_need_a_look_are_shown() -> None:
    done = {"state": {"phase": "Succeed"}}
    flows = [child(f"f-s-{number}", step("a"), index=number, **done) for number in range(50)]
    flows[40] = child("f-s-40", step("a"), index=40, state={"phase": "Failed"})
    names = [one.name for one in flow_view(with_sub_flows(PARENT, flows)).steps]
    assert len(names) == 2 + 20
    assert "s[40]/a" in names


def test_a_switch_and_finally_of_a_sub_flow_keep_their_meaning() -> None:
    route = step("route", switch={"value": "'x'", "cases": [{"when": ["x"], "run": ["a"]}], "default": ["b"]})
    inner = child("f-s", route, step("a"), step("b"), steps=[{"name": "route", "phase": "Completed", "chosen": ["a"]}])
    inner["spec"]["finally"] = [step("z")]
    steps = {one.name: one for one in flow_view(with_sub_flows(PARENT, [inner])).steps}
    assert steps["s/a"].targets == ("s/route",)
    assert steps["s/route"].chosen == ("s/a",)
    assert steps["s/z"].targets == ("s/route", "s/a", "s/b")


def test_pods_of_a_sub_flow_count_for_its_steps() -> None:
    pod = {"metadata": {"labels": {JOB_NAME: "f-s-a"}}, "status": {"phase": "Running"}}
    assert list(tasks_of_steps(PARENT, [child("f-s", step("a"))], [pod])) == ["s/a"]


def test_flows_in_files_are_opened_as_they_are_written() -> None:
    written = flow("f", step("s", flow={"spec": {"flows": [step("x", flow={"template": "t"})]}}))
    templates = {"t": {"spec": {"flow": {"flows": [step("y")]}}}}
    assert [one.name for one in flow_view(with_written_flows(written, templates)).steps] == ["s", "s/x", "s/x/y"]


def test_templates_that_run_each_other_are_opened_five_levels_deep() -> None:
    templates = {"t": {"spec": {"flow": {"flows": [step("s", flow={"template": "t"})]}}}}
    assert len(flow_view(with_written_flows(PARENT, templates)).steps) == 2 + 5


def test_a_flow_that_runs_none_is_left_as_it_is() -> None:
    plain = flow("f", step("a"))
    assert with_sub_flows(plain, [child("f-s", step("a"))]) is plain
