"""Any release name in any namespace: names fit, and no two releases conflict."""

import itertools
import re

import pytest

from tests.helm.chart import identities, of, render

LONG = "a" * 43
RELEASES = {
    "plain": "jobflow",
    "short": "a",
    "like what a becomes": "a-jobflow",
    "like what that becomes": "a-jobflow-jobflow",
    "contains the chart's name": "my-jobflow-prod",
    "long": f"{LONG}-jobflow-a",
    "as long, one letter apart": f"{LONG}-jobflow-b",
    "dotted": "a.b",
    "like the dotted one": "a-b",
    "digits": "1st",
    "ends like a component": "jobflow-webhook",
}
NAMESPACES = {
    "system": "jobflow-system",
    "default": "default",
    "long": "n" * 63,
    "as long, one letter apart": "n" * 62 + "m",
    "a": "a",
    "a-a": "a-a",
    "a-jobflow-system": "a-jobflow-system",
}
EVERYWHERE = {
    f"{one} in {other}": (RELEASES[one], NAMESPACES[other]) for one, other in itertools.product(RELEASES, NAMESPACES)
}
SOME = {name: pair for name, pair in EVERYWHERE.items() if pair[0] in ("jobflow", "1st") or pair[1] == "default"}
SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
ALL = {
    "flowSchema": {"enabled": True},
    "networkPolicy": {"enabled": True},
    "metrics": {"grafanaDashboard": {"enabled": True}},
}


@pytest.mark.parametrize(("release", "namespace"), SOME.values(), ids=SOME)
def test_object_names_are_short_enough(release: str, namespace: str) -> None:
    objects = render(ALL, release=release, namespace=namespace)
    for kind, _, name in identities(objects):
        assert len(name) <= 63, (kind, name)
        assert kind != "Service" or SERVICE.fullmatch(name), name
    for each in objects:
        assert all(len(value) <= 63 for value in each["metadata"].get("labels", {}).values())
    webhook = of(objects, "Service", "-webhook")["metadata"]["name"]
    for kind in ("Mutating", "Validating"):
        hooks = of(objects, f"{kind}WebhookConfiguration")["webhooks"]
        assert {hook["clientConfig"]["service"]["name"] for hook in hooks} == {webhook}
        assert {hook["clientConfig"]["service"]["namespace"] for hook in hooks} == {namespace}


def test_no_two_releases_share_an_object() -> None:
    owners: dict[tuple[str, str, str], tuple[str, str]] = {}
    pairs = [*SOME.values(), *((release, "a") for release in RELEASES.values()), ("a", "a-a"), ("a-a", "a")]
    for pair in dict.fromkeys(pairs):
        for identity in identities(render(ALL, release=pair[0], namespace=pair[1])):
            assert owners.setdefault(identity, pair) == pair, identity


def test_the_namespace_of_the_release_is_excluded_unless_configured() -> None:
    def excluded(namespace: str) -> list[str]:
        hook = of(render(namespace=namespace), "ValidatingWebhookConfiguration")["webhooks"][0]
        return list(hook["namespaceSelector"]["matchExpressions"][0]["values"])

    assert excluded("jobs") == ["kube-system", "jobs"]
    assert excluded("default") == ["kube-system"]
    assert excluded("kube-system") == ["kube-system"]
