"""A client of the API server for one user: each request carries the credentials of that user."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from shared.kinds import Kind
from shared.kube.client.access import Access
from shared.kube.client.api import Api
from shared.kube.client.transport import Transport
from shared.model.types import Body

USER_AGENT: Final = "jobflow-web"
TIMEOUT_SECONDS: Final = 10.0
_REVIEW: Final = Kind("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False)

_ACCESS: Final = Kind(
    "authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False
)


class Caller(msgspec.Struct, frozen=True):
    """`identity`: the same for all requests with the same credentials, and not the credentials themselves; '' for those
    of the kubeconfig."""

    api: Api
    transport: Transport
    identity: str = ""

    async def who_am_i(self) -> str:
        """The user's name at the API server. Raises ApiError: Unauthorized where the credentials are not valid."""
        body: Body = {"apiVersion": _REVIEW.api_version, "kind": _REVIEW.kind}
        found = await self.api.create(_REVIEW, body)
        user: Mapping[str, object] = (found.get("status") or {}).get("userInfo") or {}
        return str(user.get("username") or "")

    async def may(self, verb: str, kind: Kind, namespace: str, name: str = "") -> bool:
        """Whether RBAC allows it. Raises ApiError."""
        asked = {"verb": verb, "group": kind.group, "resource": kind.plural, "namespace": namespace, "name": name}
        body: Body = {"apiVersion": _ACCESS.api_version, "kind": _ACCESS.kind, "spec": {"resourceAttributes": asked}}
        found = await self.api.create(_ACCESS, body)
        return bool((found.get("status") or {}).get("allowed"))


class Callers:
    """Makes Callers over one pool of connections. `access`: the API server's address, with the credentials of the
    kubeconfig or with none."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._transport = Transport(access, user_agent=USER_AGENT)
        self._own = Caller(Api(self._transport, timeout=TIMEOUT_SECONDS), self._transport)

    @property
    def own(self) -> Caller:
        """With the kubeconfig's credentials."""
        return self._own

    def bearing(self, authorization: str) -> Caller:
        """With this Authorization header and nothing else."""
        transport = self._transport.bearing(authorization)
        identity = hashlib.sha256(authorization.encode()).hexdigest()
        return Caller(Api(transport, timeout=TIMEOUT_SECONDS), transport, identity)

    async def close(self) -> None:
        await self._transport.close()
