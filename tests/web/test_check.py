"""The page Check: the webhook's verdicts, graphs and Jobs of a pasted text."""

from pathlib import Path

import pytest

from drawing.graph_model import Drawing
from shared.kinds import JOBFLOWPOLICY, JOBTEMPLATE
from shared.timestamp import epoch
from tests.web.site import PlainBrowser, SmallCluster, browser, in_cluster, laptop
from web.laptop import on_laptop
from web.pages import check
from web.views.check_result import JOBS, JOBS_OF_A_STEP, CheckResult, ClusterObjects, checked

FIRST = (Path(__file__).parents[2] / "examples/first/flow.yaml").read_text()
TEMPLATE = {
    "metadata": {"name": "from-cluster", "namespace": "default"},
    "spec": {
        "tasks": [
            {
                "name": "main",
                "template": {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}},
            }
        ]
    },
}
POLICY = """
apiVersion: policy.jobflow.dev/v1alpha1
kind: JobFlowPolicy
metadata: {name: owned}
spec:
  required: {labels: [team]}
"""


def of(text: str, cluster: ClusterObjects | None = None) -> CheckResult:
    return checked(text, "default", cluster or ClusterObjects())


def test_an_accepted_flow_shows_its_graph_and_its_jobs() -> None:
    result = of(FIRST)
    assert (result.report.errors, result.warnings) == (0, 0)
    (flow,) = result.flows
    assert isinstance(flow.picture, Drawing)
    assert [name for name, _ in flow.jobs] == ["first-fetch", "first-work-0", "first-work-1", "first-report"]
    assert all("ownerReferences" not in job["metadata"] for _, job in flow.jobs)


def test_a_fault_has_its_line_and_the_lines_around_it() -> None:
    (found,) = of(FIRST.replace("dependsOn", "dependOn", 1)).findings
    assert 'did you mean "dependsOn"' in found.finding.text
    marked = [line for line in found.lines if line.marked]
    assert [line.text.strip() for line in marked] == ["dependOn: {targets: [fetch]}"]
    assert [line.number for line in found.lines] == [marked[0].number + place for place in (-2, -1, 0, 1)]


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "- just\n- a list\n", "\0", "key: !!binary x\n---\n%", "7"])
def test_what_is_no_manifest_is_a_finding_and_never_a_failure(text: str) -> None:
    assert of(text).report.errors > 0


@pytest.mark.parametrize("odd", ["metadata: 3", "metadata: {name: [1]}", "spec: 7", "spec: {flows: {a: 1}}"])
def test_odd_objects_of_our_kinds_are_findings_too(odd: str) -> None:
    result = of(f"apiVersion: flow.volcano.sh/v1alpha1\nkind: JobFlow\n{odd}\n")
    assert result.report.errors > 0
    assert len(result.flows) == 1


def test_templates_of_the_cluster_make_the_jobs_too() -> None:
    text = "apiVersion: flow.volcano.sh/v1alpha1\nkind: JobFlow\nmetadata: {name: f}\nspec: {flows: [{name: a, template: from-cluster}]}"
    assert "no JobTemplate" in of(text).flows[0].notes[0]
    result = of(text, ClusterObjects(templates={"from-cluster": TEMPLATE}))
    assert [name for name, _ in result.flows[0].jobs] == ["f-a"]


def test_a_pasted_policy_replaces_that_of_the_cluster() -> None:
    cluster = ClusterObjects(policies=({"metadata": {"name": "owned"}, "spec": {"required": {"labels": ["other"]}}},))
    texts = [each.finding.text for each in of(f"{POLICY}---\n{FIRST}", cluster).findings]
    assert any('"team"' in text or "team" in text for text in texts)
    assert not any("other" in text for text in texts)


def test_an_exception_of_the_cluster_has_effect_while_it_lasts() -> None:
    allowed = {"allowedNamespaces": ["default"], "maxDuration": "1h"}
    house = {"metadata": {"name": "house"}, "spec": {"required": {"labels": ["team"]}, "exceptions": allowed}}
    spec = {"policies": [{"name": "house"}], "expiresAt": "2026-01-01T01:00:00Z", "reason": "a test"}
    where = {"name": "x", "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"}
    cluster = ClusterObjects(policies=(house,), exceptions=({"metadata": where, "spec": spec},))
    begun = epoch("2026-01-01T00:00:00Z")
    assert checked(FIRST, "default", cluster, begun + 60).report.errors == 0
    assert checked(FIRST, "default", cluster, begun + 3600).report.errors > 0
    assert checked(FIRST, "elsewhere", cluster, begun + 60).report.errors > 0


def test_many_jobs_are_counted_not_listed() -> None:
    flow = FIRST.replace("items: [north, south]", "range: {end: 90}")
    (found,) = of(flow).flows
    assert len(found.jobs) == 2 + JOBS_OF_A_STEP <= JOBS
    assert found.more == 90 - JOBS_OF_A_STEP


async def test_the_page_works_without_a_cluster() -> None:
    async with on_laptop(None) as url, browser(url.partition("/?")[0]) as site:
        first = await site.get(url.removeprefix(site.base))
        assert str(first.url).endswith("/check")
        answer = await site.post("/check", {"text": FIRST})
        assert "This would be accepted" in answer.words
        wrong = await site.post("/check", {"text": FIRST.replace("fetch]", "fetched]")})
        assert "fetched" in wrong.words
        assert "✗ 1 error" in wrong.words
        for path in ("/flows", "/queues", "/flows/default/some"):
            assert str((await site.get(path)).url).endswith("/check")


async def test_policies_and_templates_of_the_cluster_count_with_the_readers_rights(cluster: SmallCluster) -> None:
    await cluster.create(JOBTEMPLATE, TEMPLATE)
    policy = {"metadata": {"name": "owned"}, "spec": {"required": {"labels": ["team"]}}}
    await cluster.create(JOBFLOWPOLICY, policy)
    async with laptop(cluster, namespace="default") as site:
        answer = await site.post("/check", {"text": FIRST})
        assert "against 1 policies of the cluster" in answer.words
        assert "team" in answer.words
    cluster.server.core.options.rbac = True
    async with in_cluster(cluster) as base, browser(base) as bob:
        await bob.sign_in(cluster.token("bob"))
        await bob.get("/check")
        answer = await bob.post("/check", {"text": FIRST})
        assert "you may not list jobflowpolicies and jobtemplates" in answer.words


async def test_text_stays_text(site: PlainBrowser) -> None:
    await site.get("/check")
    hostile = '<script>alert("1")</script></textarea>'
    answer = await site.post("/check", {"text": FIRST.replace("first", hostile)})
    assert "<script>alert" not in answer.text
    assert answer.text.count("</textarea>") == 1


async def test_a_huge_text_is_refused_with_its_size(site: PlainBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "LONGEST", 1000)
    await site.get("/check")
    answer = await site.post("/check", {"text": "a" * 1001})
    assert "This text has 1001 characters; at most 1000 are checked at once" in answer.words
