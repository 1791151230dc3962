"""The chart registers exactly the paths that the webhook serves, and its dashboards and alerts use metrics that exist."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import controller.job_parts
import controller.main
import webhook.main  # noqa: F401 - registers the webhook's metrics
from shared.model.types import Body
from tests.helm.cases import BUNDLE
from tests.helm.chart import of, render
from webhook.server.routes import ROUTES

KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def hooks(values: Body | None = None) -> list[Body]:
    objects = render(values)
    return [hook for kind in KINDS for hook in of(objects, kind)["webhooks"]]


@pytest.mark.parametrize("pods", [False, True])
def test_every_route_is_registered_and_every_path_served(pods: bool) -> None:
    registered = hooks({"webhook": {"validatePods": pods}})
    wanted = {route.path: route for route in ROUTES if not route.optional or pods}
    assert {hook["clientConfig"]["service"]["path"] for hook in registered} == set(wanted)
    for hook in registered:
        route = wanted[hook["clientConfig"]["service"]["path"]]
        (rule,) = hook["rules"]
        assert (rule["apiGroups"], rule["resources"]) == ([route.kind.group], [route.kind.plural])
        assert rule["operations"] == list(route.operations)
        assert (hook["sideEffects"], hook["timeoutSeconds"]) == ("None", 5)


@pytest.mark.parametrize(("mode", "policy"), [("Enforce", "Fail"), ("Lenient", "Ignore")])
def test_the_mode_determines_the_failure_policy(mode: str, policy: str) -> None:
    strict = {route.name for route in ROUTES if not route.lenient}
    found = {hook["failurePolicy"] for hook in hooks({"webhook": {"mode": mode}}) if hook["name"] in strict}
    assert found == {policy}


def test_mode_off_renders_no_webhook_objects() -> None:
    left = [each for each in render({"webhook": {"mode": "Off"}}) if "webhook" in each["metadata"]["name"]]
    assert left == []


def test_the_certificate_source_determines_who_injects_the_bundle() -> None:
    def bundles(values: Body) -> set[str | None]:
        return {hook["clientConfig"].get("caBundle") for hook in hooks({"certificates": values})}

    assert bundles({"source": "self"}) == {None}
    assert bundles({"source": "cert-manager"}) == {None}
    assert bundles({"source": "existing", "existingSecret": "mine", "caBundle": BUNDLE}) == {BUNDLE}
    annotated = of(render({"certificates": {"source": "cert-manager"}}), KINDS[0])["metadata"]["annotations"]
    assert annotated == {"cert-manager.io/inject-ca-from": "jobflow-system/jobflow-webhook"}


NAME = re.compile(r"\b(?:jobflow|workqueue|rest_client|controller_runtime|leader_election|process|reflector)_[a-z_]+\b")
MONITORED: Body = {"metrics": {"prometheusRule": {"enabled": True}, "grafanaDashboard": {"enabled": True}}}
SUFFIXES = ("_bucket", "_sum", "_count", "_total")


def dashboard() -> Body:
    board: Body = json.loads(of(render(MONITORED), "ConfigMap", "-dashboard")["data"]["jobflow.json"])
    return board


def alerts() -> list[Body]:
    return [rule for group in of(render(MONITORED), "PrometheusRule")["spec"]["groups"] for rule in group["rules"]]


def named() -> dict[str, set[str]]:
    """Metrics by the file that names them."""
    expressions = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets") or ()]
    shown = {
        "dashboard": expressions,
        "alerts": [rule["expr"] for rule in alerts()],
        "guide": [Path("docs/operate.md").read_text()],
    }
    return {place: {name for text in texts for name in NAME.findall(text)} for place, texts in shown.items()}


def test_every_metric_of_dashboard_and_alerts_exists() -> None:
    assert controller.main.CONTROLLERS
    assert controller.job_parts.CONTROLLERS
    known = {family.name for family in REGISTRY.collect()}
    for place, names in named().items():
        assert names, place
        missing = {name for name in names if not {name, *(name.removesuffix(end) for end in SUFFIXES)} & known}
        assert not missing, place


def test_every_alert_links_to_a_section_of_the_runbook() -> None:
    guide = Path("docs/operate.md").read_text()
    for rule in alerts():
        page, _, section = rule["annotations"]["runbook"].partition(", ")
        assert page == "docs/operate.md"
        assert f"### {section.strip(chr(34))}\n" in guide, rule["alert"]


def test_the_dashboard_shows_only_the_namespace_of_the_release() -> None:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets") or ():
            assert target["expr"].count('{namespace="jobflow-system"') == len(NAME.findall(target["expr"]))
