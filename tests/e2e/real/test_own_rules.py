"""`inProcess.rules` on a real API server: it refuses by the CEL of a JobFlowPolicy's `rules` while no webhook answers."""

import signal
from collections.abc import Iterator

import pytest

from controller.inprocess.decide import Observed, plan
from controller.inprocess.generated import Made, RulesOption
from local.backends import chosen
from local.client.blocking import until
from local.client.rest import RestError
from shared.kinds import ADMISSION_POLICY, ADMISSION_POLICY_BINDING, JOBFLOW, JOBFLOWPOLICY
from shared.model.types import Body
from shared.policy import Compiler
from tests.e2e.support.installation import CONFIGURATION, NAMESPACE, Installation, refusal
from tests.webhook.make import flow, step
from tests.webhook.policies.make import policy

KINDS = (ADMISSION_POLICY, ADMISSION_POLICY_BINDING)
MADE = f"{CONFIGURATION}-rules-house"
POLICY = policy(
    "house",
    variables=[{"name": "steps", "expression": "object.spec.flows"}],
    rules=[
        {
            "name": "few",
            "expression": "size(variables.steps) <= 2",
            "messageExpression": "string(size(variables.steps)) + ' steps are too many'",
        },
        {"name": "weekdays", "expression": "request.userInfo.username != 'nobody'", "message": "not you"},
        {
            "name": "queued",
            "expression": "!has(object.spec.jobRetainPolicy) || object.spec.jobRetainPolicy == 'retain'",
        },
    ],
    match={"kinds": ["JobFlow"]},
)
LONG = flow(step("a"), step("b"), step("c"), name="long")
WORDS = 'policy "house" (rules.few): 3 steps are too many'


@pytest.fixture
def installed(request: pytest.FixtureRequest) -> Iterator[Installation]:
    with Installation(chosen(request.config.getoption("--backend"))) as installation:
        installation.install("--set=webhook.mode=Lenient", "--set=inProcess.rules=true")
        installation.run()
        yield installation


def made(installed: Installation, name: str = MADE) -> Body | None:
    try:
        return installed.kube.get(ADMISSION_POLICY, "", name)
    except RestError:
        return None


def stated(installed: Installation, name: str = "house") -> Body:
    return installed.kube.get(JOBFLOWPOLICY, "", name).get("status", {}).get("inProcess", {})


def until_refused(installed: Installation, manifest: Body, words: str) -> None:
    """`words`: part of the refusal; '' until it is accepted."""

    def as_wanted() -> bool:
        said = refusal(installed, manifest)
        return words in said if words else not said

    until(as_wanted, 120, lambda: f"{refusal(installed, manifest)}\n{stated(installed)}")


def wanted(installed: Installation) -> Made:
    """What the controller makes of the policy as it is stored."""
    body = installed.kube.get(JOBFLOWPOLICY, "", "house")
    (compiled,) = Compiler().compile([body]).compiled
    option = RulesOption(f"{CONFIGURATION}-rules", excluded=("kube-system", NAMESPACE))
    return plan(body, compiled, Observed(True, option=option)).made


def change_rule(installed: Installation, expression: str) -> None:
    rules = [{**POLICY["spec"]["rules"][0], "expression": expression}]
    installed.kube.patch(JOBFLOWPOLICY, "", "house", {"spec": {"rules": rules}})


def test_the_api_server_judges_rules_while_no_webhook_answers(installed: Installation) -> None:
    installed.kube.create(JOBFLOWPOLICY, POLICY)
    until(lambda: stated(installed).get("rules") == ["rules.few", "rules.weekdays"], 60, lambda: str(stated(installed)))
    assert "reads jobRetainPolicy" in str(stated(installed)["webhookOnly"])
    until_refused(installed, LONG, 'policy "house", rules.few')
    assert "ValidatingAdmissionPolicy" not in refusal(installed, LONG)

    installed.cluster.processes.stop("webhook")
    until_refused(installed, LONG, WORDS)
    assert refusal(installed, flow(step("a"), name="short")) == ""

    first = made(installed)
    assert first is not None
    installed.kube.delete(ADMISSION_POLICY, "", MADE)
    until(lambda: (made(installed) or first)["metadata"]["uid"] != first["metadata"]["uid"], 60, lambda: "not made")
    until_refused(installed, LONG, WORDS)
    installed.kube.patch(ADMISSION_POLICY, "", MADE, {"spec": {"validations": [{"expression": "true"}]}})
    installed.kube.patch(ADMISSION_POLICY_BINDING, "", MADE, {"spec": {"validationActions": ["Audit"]}})
    until_refused(installed, LONG, WORDS)

    change_rule(installed, "size(variables.steps) <= 3")
    until_refused(installed, LONG, "")
    change_rule(installed, "size(variables.steps) <= 1")
    until_refused(installed, LONG, WORDS)
    for change, words in (({"mode": "Warn"}, ""), ({"mode": "Enforce"}, WORDS)):
        installed.kube.patch(JOBFLOWPOLICY, "", "house", {"spec": change})
        until_refused(installed, LONG, words)

    # An edit while no controller runs: the webhook alone judges it until the controller has read it.
    installed.cluster.processes["controller"].signal(signal.SIGKILL)
    change_rule(installed, "size(variables.steps) <= 2")
    until_refused(installed, LONG, "")
    installed.start("controller")
    until_refused(installed, LONG, WORDS)

    # A deletion while no controller runs: nothing is refused, and what was made is swept afterwards.
    installed.cluster.processes["controller"].signal(signal.SIGKILL)
    installed.kube.delete(JOBFLOWPOLICY, "", "house")
    until_refused(installed, LONG, "")
    assert made(installed) is not None
    installed.start("controller")
    until(lambda: made(installed) is None, 120, lambda: "not swept")
    bindings = [each["metadata"]["name"] for each in installed.kube.list(ADMISSION_POLICY_BINDING, "")]
    assert MADE not in bindings


def test_what_the_api_server_refuses_to_store_is_left_to_the_webhook_in_its_words(installed: Installation) -> None:
    stored_flow = {**LONG, "metadata": {**LONG["metadata"], "name": "stored", "namespace": "default"}}
    installed.kube.create(JOBFLOW, stored_flow)
    body = policy("house", rules=[{"name": "when", "expression": "request.uid != ''"}], match={"kinds": ["JobFlow"]})
    installed.kube.create(JOBFLOWPOLICY, body)
    until(lambda: "the API server refuses it" in str(stated(installed)), 60, lambda: str(stated(installed)))
    assert "undefined field" in str(stated(installed)["webhookOnly"])
    assert stated(installed)["rules"] == []
    assert made(installed) is None
    installed.kube.patch(JOBFLOWPOLICY, "", "house", {"spec": POLICY["spec"]})
    until(lambda: "rules.few" in stated(installed).get("rules", ()), 60, lambda: str(stated(installed)))

    stored = [
        (kind, installed.kube.get(kind, "", MADE)["spec"]) for kind in (ADMISSION_POLICY, ADMISSION_POLICY_BINDING)
    ]
    assert stored == [(kind, each["spec"]) for kind, each in wanted(installed)]  # else it is written again for ever

    # An update is judged if it changes what the rule reads.
    installed.cluster.processes.stop("webhook")
    until_refused(installed, LONG, WORDS)
    installed.kube.patch(JOBFLOW, "default", "stored", {"metadata": {"labels": {"team": "a"}}})
    longer = {"spec": {"flows": [*LONG["spec"]["flows"], step("d")]}}
    with pytest.raises(RestError, match="4 steps are too many"):
        installed.kube.patch(JOBFLOW, "default", "stored", longer)

    # Switched off: the controller has no right to delete what it has made, but nothing is refused by it any more.
    installed.cluster.processes.stop("controller")
    installed.upgrade("--set=webhook.mode=Lenient", "--set=inProcess.rules=false")
    installed.start("controller")
    until_refused(installed, LONG, "")
    assert made(installed) is not None
    for kind in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        installed.cluster.kubectl("delete", kind, "-l", "policy.jobflow.dev/generated-by")
    assert made(installed) is None


def test_uninstalling_leaves_no_admission_policy(installed: Installation) -> None:
    installed.kube.create(JOBFLOWPOLICY, POLICY)
    until(lambda: made(installed) is not None, 60, lambda: str(stated(installed)))
    until(lambda: "rules.few" in stated(installed).get("rules", ()), 60, lambda: str(stated(installed)))
    installed.helm("uninstall", "--ignore-not-found")
    for name in ("controller", "webhook"):
        installed.cluster.processes.stop(name)

    def left() -> list[str]:
        return [each["metadata"]["name"] for kind in KINDS for each in installed.kube.list(kind)]

    until(lambda: not [name for name in left() if name.startswith(CONFIGURATION)], 120, lambda: str(left()))
    assert refusal(installed, LONG) == ""
