"""Params, items and outputs reach the containers of later steps byte for byte."""

from shared.kinds import JOBTEMPLATE
from tests.e2e.support.scenario import Scenario, jobflow, step_of, targets, template

SECRET = "t0p-s3cret"
PARAM, OUTPUT = "pa$$word $(TOKEN)", "o$$ut $(TOKEN) a$b"
ITEMS = ["it$$em", "$(TOKEN)", "a$b"]


def test_dollar_signs_in_data_are_not_expanded_by_kubernetes(scenario: Scenario) -> None:
    """A param of `pa$$word` arrived as `pa$word`, and an output of `$(TOKEN)` as the value of a container's variable."""
    scenario.templates("emit", termination_message=OUTPUT)
    body = template(scenario.namespace, "use")
    pod = body["spec"]["tasks"][0]["template"]
    pod["metadata"]["annotations"] = {"jobflow.dev/run-command": "true"}
    pod["spec"]["containers"][0] |= {
        "env": [
            {"name": "TOKEN", "value": SECRET},
            {"name": "P", "value": "$(params.pw)"},
            {"name": "O", "value": "$(steps.emit.outputs.o)"},
            {"name": "OWN", "value": "$(TOKEN)"},
        ],
        "command": ["sh", "-c", r'printf "%s|%s|%s|%s|%s" "$P" "$O" "$1" "$2" "$OWN"', "x", "$(item)", "$(params.pw)"],
    }
    scenario.kube.create(JOBTEMPLATE, body)
    scenario.flow(
        "f",
        {"emit": {"outputs": [{"name": "o"}]}, "use": targets("emit") | {"for": {"items": ITEMS}}},
        params=[{"name": "pw", "value": PARAM}],
    )
    assert step_of(scenario.succeeds("f"), "emit")["outputs"] == {"o": OUTPUT}
    got = [log(scenario, f"f-use-{index}-w-0") for index in range(len(ITEMS))]
    assert got == [f"{PARAM}|{OUTPUT}|{item}|{PARAM}|{SECRET}" for item in ITEMS]


def log(scenario: Scenario, pod: str) -> str:
    return str(scenario.kube.request("GET", f"/api/v1/namespaces/{scenario.namespace}/pods/{pod}/log"))


def test_a_placeholder_inside_a_variable_of_kubernetes_is_refused(scenario: Scenario) -> None:
    body = template(scenario.namespace, "t")
    body["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["args"] = ["$(TOK$(params.p))"]
    assert "a placeholder stands inside an open `$(`" in scenario.refused(body)
    scenario.templates("a")
    args = {"op": "add", "path": "/tasks/0/template/spec/containers/0/args", "value": ["$(TOK$(params.p))"]}
    flow = jobflow(
        scenario.namespace, "f", {"a": {"patch": {"jsonPatch": [args]}}}, params=[{"name": "p", "value": "EN"}]
    )
    assert "spec.flows[0].patch.jsonPatch[0].value" in scenario.refused(flow)
