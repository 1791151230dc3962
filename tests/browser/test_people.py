"""People with service accounts of a cluster, at a server that has no rights: what they see, and what they may do."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import pytest
import pytest_asyncio
import yaml
from playwright.async_api import Browser, expect

from local.backends import EmbeddedBackend, chosen
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import JOBFLOWTEMPLATE, Kind
from shared.kube.client import connect
from shared.model.types import Body
from tests.browser.people import Person, person
from tests.e2e.support.scenario import jobflow, targets, template
from tests.helm.chart import render
from web.app import build_app
from web.cluster.caller import Callers
from web.serving import serving
from web.settings import SignIn, WebSettings

pytestmark = [pytest.mark.e2e]
NAMESPACE: Final = "people"
RBAC: Final = "rbac.authorization.k8s.io/v1"
ROLE: Final = Kind(RBAC, "ClusterRole", "clusterroles", namespaced=False)
BINDING: Final = Kind(RBAC, "RoleBinding", "rolebindings")
ACCOUNT: Final = Kind("v1", "ServiceAccount", "serviceaccounts")
RIGHTS: Final = {
    "jane": ("edit", "jobflow-editor", "jobflow-approver"),
    "vic": ("view", "jobflow-viewer"),
}
ASKS: Final[Body] = {"approve": {"message": "Release this build?"}}
SignsIn = Callable[[str, str], AbstractAsyncContextManager[Person]]


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    """With the chart's roles for people. The embedded server enforces them only if it is asked to."""
    backend = chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))
    if isinstance(backend, EmbeddedBackend):
        backend = EmbeddedBackend(arguments=("--rbac",))
    options = ClusterOptions(nodes=1, cpu="64", speed=20.0, controller_args=("--no-leader-elect",))
    with LocalCluster(backend, options) as running, running.namespace(NAMESPACE):
        for body in render():
            if body["kind"] == ROLE.kind:
                running.kube.apply(ROLE, body)
        for name, roles in RIGHTS.items():
            running.kube.apply(ACCOUNT, {"metadata": {"name": name, "namespace": NAMESPACE}})
            for role in roles:
                running.kube.apply(BINDING, bound(name, role))
        fill(running)
        yield running


def bound(name: str, role: str) -> Body:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}
    metadata = {"name": f"{name}-{role}", "namespace": NAMESPACE}
    return {
        "apiVersion": RBAC,
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": [subject],
    }


def fill(cluster: LocalCluster) -> None:
    """`nightly` runs the flow of a template, in which a step waits for a person; `quick` is that flow on its own."""
    for name in ("build", "ship"):
        cluster.apply(template(NAMESPACE, name))
    steps: Body = {"build": (), "release": ASKS | targets("build"), "ship": ("release",)}
    spec = {"params": [{"name": "version", "required": True, "pattern": "v[0-9]+"}]}
    metadata = {"name": "publish", "namespace": NAMESPACE}
    flow = jobflow(NAMESPACE, "x", steps)["spec"]
    cluster.apply(
        {"apiVersion": JOBFLOWTEMPLATE.api_version, "kind": "JobFlowTemplate", "metadata": metadata}
        | {"spec": {**spec, "flow": flow}}
    )
    cluster.apply(
        jobflow(NAMESPACE, "nightly", {"inner": {"flow": {"template": "publish", "params": {"version": "v1"}}}})
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The server as it runs in a cluster: it knows where the API server is, and nothing else."""
    found = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    authority = tmp_path_factory.mktemp("site") / "ca.crt"
    given = found.get("certificate-authority-data")
    authority.write_bytes(
        base64.b64decode(given) if given else (cluster.kubeconfig.parent / found["certificate-authority"]).read_bytes()
    )
    callers = Callers(connect.plain(found["server"], ca_file=str(authority)))
    settings = WebSettings(sign_in=SignIn.TOKEN, namespace=NAMESPACE)
    async with serving(lambda port: build_app(settings, callers, port=port), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"
    await callers.close()


@pytest_asyncio.fixture(loop_scope="module")
async def signs_in(chromium: Browser, cluster: LocalCluster, site: str) -> SignsIn:
    @asynccontextmanager
    async def signed_in(name: str, path: str) -> AsyncIterator[Person]:
        """With a token of their service account, at the page that they asked for."""
        async with person(chromium, f"{site}{path}") as found:
            await found.page.get_by_label("Token").fill(await asyncio.to_thread(token, cluster, name))
            await found.page.keyboard.press("Enter")
            await found.page.wait_for_url(f"**{path.partition('?')[0]}**")
            yield found

    return signed_in


def token(cluster: LocalCluster, name: str) -> str:
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{name}/token"
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    found = cluster.kube.request("POST", path, wanted)
    return str(found["status"]["token"])


async def test_a_step_of_a_sub_flow_is_approved_by_who_may(signs_in: SignsIn) -> None:
    async with signs_in("jane", "/flows/people/nightly") as jane:
        page = jane.page
        await expect(page.locator(".approval")).to_contain_text("inner/release")
        await expect(page.locator(".approval")).to_contain_text("Release this build?")
        await jane.keeps("approval")
        assert await jane.violations() == []
        await page.get_by_label("Reason").fill("looked at the numbers")
        await page.get_by_role("button", name="Approve").click()
        await expect(page.locator("#head .phase").first).to_contain_text("Succeed")
        await page.locator('#graph [data-key="inner/release"]').click()
        await expect(page.locator("#answer")).to_contain_text("Approved by system:serviceaccount:people:jane")
        await expect(page.locator("#answer")).to_contain_text("looked at the numbers")
        await page.get_by_role("link", name="nightly-inner", exact=True).click()
        await page.get_by_role("link", name="nightly / inner").click()
        await expect(page.locator("#jobs")).to_contain_text("nightly-inner")
        await jane.keeps("sub-flow-step")
        assert await jane.violations() == []


async def test_a_template_runs_from_its_form_and_its_step_is_rejected(signs_in: SignsIn) -> None:
    async with signs_in("jane", "/templates?namespace=people") as jane:
        page = jane.page
        await page.get_by_role("link", name="publish", exact=True).click()
        await page.get_by_label("version").fill("v7")
        await page.get_by_label("Name").fill("by-hand")
        await jane.keeps("template")
        assert await jane.violations() == []
        await page.get_by_role("button", name="Run", exact=True).click()
        await page.wait_for_url("**/flows/people/by-hand**")
        await expect(page.locator(".params")).to_contain_text("v7")
        await page.get_by_role("button", name="Reject").click()
        await expect(page.locator("#head .phase").first).to_contain_text("Failed")


async def test_who_only_looks_sees_everything_of_the_namespace_and_is_told_which_rights_are_missing(
    signs_in: SignsIn, cluster: LocalCluster
) -> None:
    cluster.apply(jobflow(NAMESPACE, "quick", {"build": (), "release": ASKS | targets("build")}))
    async with signs_in("vic", "/flows/people/quick") as vic:
        page = vic.page
        await expect(page.locator(".approval")).to_contain_text("You may not answer")
        await expect(page.locator("#live")).to_have_text("live")
        await page.get_by_role("link", name="Steps", exact=True).click()
        await page.get_by_role("link", name="build", exact=True).click()
        await expect(page.locator("#pods")).to_contain_text("Succeeded")
        await expect(page.locator(".session .user")).to_have_text("system:serviceaccount:people:vic")
        vic.expected = ["403"]
        await vic.open("/flows/people/quick")
        await page.get_by_role("button", name="Suspend").click()
        await vic.sees("may not create commands.bus.volcano.sh in namespace people").wait_for()
        await vic.open("/flows?namespace=default")
        await vic.sees("may not list jobflows.flow.volcano.sh in namespace default").wait_for()
        await vic.open("/flows?namespace=*")
        await vic.sees("in the whole cluster").wait_for()
        await vic.keeps("forbidden-everywhere")
        await page.get_by_label("Or look in one namespace").fill("people")
        await page.get_by_role("button", name="Show").click()
        await vic.sees("quick").wait_for()
