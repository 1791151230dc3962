from shared.graphs import directed, flow_graph
from shared.graphs.flow_graph import ExpressionPlace
from shared.model.flow import JobFlowSpec
from shared.model.step import Case, DependsOn, JsonPatch, JsonPatchOp, Loop, Retry, Step, StepPatch, Switch

SWITCHED = JobFlowSpec(
    flows=(
        Step(name="a"),
        Step(
            name="route",
            depends_on=DependsOn(targets=("a",)),
            switch=Switch(value="'x'", cases=(Case(when=("x",), run=("deploy",)),), default=("notify",)),
        ),
        Step(name="deploy", depends_on=DependsOn(targets=("a", "a"))),
        Step(name="notify"),
    )
)


def test_targets_and_switches_are_edges():
    assert flow_graph.edges(SWITCHED) == {
        "a": (),
        "route": ("a",),
        "deploy": ("a", "route"),
        "notify": ("route",),
    }
    assert flow_graph.switch_of(SWITCHED) == {"deploy": "route", "notify": "route"}


def test_references_can_form_a_cycle():
    found = flow_graph.edges_with_references(SWITCHED, lambda step: ("deploy",) if step.name == "a" else ())
    assert directed.cycle(found) == ("a", "deploy", "a")


def test_every_expression_is_found_with_its_path():
    step = Step(
        name="s",
        if_="1",
        switch=Switch(value="2"),
        for_=Loop(expression="3", while_="4", if_="4b"),
        patch=StepPatch(json_patch=(JsonPatch(op=JsonPatchOp.ADD, path="/x", expression="5"),)),
        retry=Retry(if_="6"),
    )
    assert [(found.place, found.path, found.text) for found in flow_graph.written_expressions(step)] == [
        (ExpressionPlace.IF, "if", "1"),
        (ExpressionPlace.SWITCH, "switch.value", "2"),
        (ExpressionPlace.FOR, "for.expression", "3"),
        (ExpressionPlace.WHILE, "for.while", "4"),
        (ExpressionPlace.ITEM, "for.if", "4b"),
        (ExpressionPlace.PATCH, "patch.jsonPatch[0].expression", "5"),
        (ExpressionPlace.RETRY, "retry.if", "6"),
    ]
