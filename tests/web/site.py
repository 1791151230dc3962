"""For tests of the web pages: an API server with our CRDs in this event loop, the pages in front of it, and a browser
that has cookies but no JavaScript."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import yaml
from yarl import URL

from local.apiserver import ApiServer
from local.apiserver.call import User
from shared.kinds import CRD, Kind
from shared.kube.client import connect
from shared.kube.client.access import Access
from shared.kube.client.api import Api
from shared.kube.client.transport import Transport
from shared.model.types import Body
from web.app import build_app
from web.cluster.caller import Callers
from web.laptop import on_laptop
from web.serving import serving
from web.settings import SignIn, WebSettings

CRDS: Final = Path(__file__).parents[2] / "helm/jobflow/files/crds"
_TAG: Final = re.compile(r"<[^>]*>")


class SmallCluster(NamedTuple):
    """`server`: its store, tokens and faults; `api`: with all rights."""

    server: ApiServer
    api: Api

    async def create(self, kind: Kind, body: Body, status: Body | None = None) -> Body:
        """The object, with its status where there is one."""
        made = await self.api.create(kind, {"apiVersion": kind.api_version, "kind": kind.kind, **body})
        if status is None:
            return made
        return await self.status(kind, body["metadata"]["name"], status, body["metadata"].get("namespace", ""))

    async def status(self, kind: Kind, name: str, status: Body, namespace: str = "default") -> Body:
        return await self.api.patch(kind, namespace, name, {"status": status}, subresource="status")

    def token(self, user: str, *groups: str) -> str:
        return self.server.core.auth.token_for(User(user, (*groups, "system:authenticated")))

    async def allow(self, user: str, *rules: Body, namespace: str = "default") -> None:
        """Give a user these rights in a namespace."""
        rbac = "rbac.authorization.k8s.io/v1"
        role = {"metadata": {"name": user, "namespace": namespace}, "rules": list(rules)}
        subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
        reference = {"kind": "Role", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
        await self.create(Kind(rbac, "Role", "roles"), role)
        binding = {"metadata": role["metadata"], "subjects": [subject], "roleRef": reference}
        await self.create(Kind(rbac, "RoleBinding", "rolebindings"), binding)


@asynccontextmanager
async def running_cluster() -> AsyncIterator[SmallCluster]:
    async with ApiServer.start() as server, Api(Transport(with_all_rights(server))) as api:
        for file in sorted(CRDS.glob("*.yaml")):
            await api.create(CRD, yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        yield SmallCluster(server, api)


def with_all_rights(server: ApiServer) -> Access:
    """Not by way of the kubeconfig: the library that reads it takes seconds to import."""
    return connect.plain(server.url, token=server.token, ca_file=str(server.ca))


class PageAnswer(NamedTuple):
    """`text`: the body as it came; `words`: what a reader sees of it."""

    status: int
    text: str
    headers: Any
    url: URL

    @property
    def words(self) -> str:
        return " ".join(unescape(_TAG.sub(" ", self.text)).split())

    @property
    def csrf(self) -> str:
        found = re.search(r'data-csrf="([^"]*)"', self.text)
        return found[1] if found else ""


class PlainBrowser:
    """Follows redirects and keeps cookies. `base`: scheme, host and port of the site, without a slash at the end."""

    def __init__(self, base: str, http: aiohttp.ClientSession) -> None:
        self.base = base
        self.http = http
        self.csrf = ""

    async def get(self, path: str, **headers: str) -> PageAnswer:
        return await self._send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def post(self, path: str, values: dict[str, str] | None = None, **headers: str) -> PageAnswer:
        """As a form of one of our pages sends it. `headers`: with _ for -; an empty one is not sent."""
        form = {"csrf": self.csrf, **(values or {})}
        given = {"Origin": self.base, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self._send("POST", path, headers={k: v for k, v in given.items() if v}, data=form)

    async def sign_in(self, token: str, path: str = "/") -> PageAnswer:
        return await self.post("/signin", {"token": token, "next": path})

    async def _send(self, method: str, path: str, **more: Any) -> PageAnswer:
        url = URL(path if path.startswith("http") else self.base + path, encoded=True)
        async with self.http.request(method, url, **more) as response:
            text = (await response.read()).decode("utf-8", "replace")
            answer = PageAnswer(response.status, text, response.headers, response.url)
        self.csrf = answer.csrf or self.csrf
        return answer


async def eventually(holds: Callable[[], object], seconds: float = 10) -> None:
    """Wait until it holds."""
    for _ in range(int(seconds * 20)):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come true in time")


@asynccontextmanager
async def browser(base: str) -> AsyncIterator[PlainBrowser]:
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[URL(base)])
    async with aiohttp.ClientSession(
        cookie_jar=jar, timeout=aiohttp.ClientTimeout(60), connector=aiohttp.TCPConnector(limit=0)
    ) as http:
        yield PlainBrowser(base, http)


@asynccontextmanager
async def laptop(cluster: SmallCluster, **settings: Any) -> AsyncIterator[PlainBrowser]:
    """Signed in, on a server as `jobflow ui` starts it, with all rights."""
    async with on_laptop(with_all_rights(cluster.server), **settings) as url, browser(str(URL(url).origin())) as found:
        await found.get(url.removeprefix(found.base))
        yield found


@asynccontextmanager
async def in_cluster(cluster: SmallCluster, sign_in: SignIn = SignIn.TOKEN, **settings: Any) -> AsyncIterator[str]:
    """The base URL of a server as it runs in a cluster, at a forwarded port: it has no rights of its own."""
    access: Access = connect.plain(cluster.server.url, ca_file=str(cluster.server.ca))
    callers = Callers(access)
    wanted = WebSettings(sign_in=sign_in, **settings)
    try:
        async with serving(lambda port: build_app(wanted, callers, port=port), "127.0.0.1", 0) as port:
            yield f"http://127.0.0.1:{port}"
    finally:
        await callers.close()
