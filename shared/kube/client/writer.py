"""The writing half of the API client: create, replace, patch and delete.

An import contract names the few modules that may import it, so that every write of the controller goes through
`controller.cluster`, which fences writes by the leader's lease and reports what the API server refused.
"""

from shared.codec.json_text import decode
from shared.kinds import Kind
from shared.kube.client import requests
from shared.kube.client.requests import Request
from shared.kube.client.sender import RequestSender
from shared.model.types import Body


class ApiWriter:
    """Every method raises `shared.kube.client.errors.ApiError` or returns what the API server stored."""

    def __init__(self, sender: RequestSender) -> None:
        self._sender = sender

    async def create(
        self,
        kind: Kind,
        body: Body,
        *,
        namespace: str = "",
        name: str = "",
        subresource: str = "",
        dry_run: bool = False,
        strict: bool = False,
    ) -> Body:
        """`strict`: fields that the API server does not know are refused; else it drops them."""
        request = requests.create(
            kind, body, namespace=namespace, name=name, subresource=subresource, dry_run=dry_run, strict=strict
        )
        return await self._write(request, kind)

    async def replace(self, kind: Kind, body: Body, *, subresource: str = "", dry_run: bool = False) -> Body:
        return await self._write(requests.replace(kind, body, subresource=subresource, dry_run=dry_run), kind)

    async def replace_status(self, kind: Kind, body: Body) -> Body:
        """PUT `body` to /status. Only its status is written; its resourceVersion must be the stored one."""
        return await self.replace(kind, body, subresource="status")

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        change: Body | list[Body],
        *,
        subresource: str = "",
        content_type: str = "",
        field_manager: str = "",
        force: bool = False,
        dry_run: bool = False,
    ) -> Body:
        """PATCH. A list is a JSON patch, a dict a merge patch; `content_type`: requests.STRATEGIC_PATCH or APPLY_PATCH."""
        request = requests.patch(
            kind,
            namespace,
            name,
            change,
            subresource=subresource,
            content_type=content_type,
            field_manager=field_manager,
            force=force,
            dry_run=dry_run,
        )
        return await self._write(request, kind)

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: str = "Background",
        grace_seconds: int | None = None,
    ) -> Body:
        """The object with a deletion timestamp if finalizers or a grace period keep it, else a Status of Success."""
        request = requests.delete(
            kind,
            namespace,
            name,
            uid=uid,
            resource_version=resource_version,
            propagation=propagation,
            grace_seconds=grace_seconds,
        )
        return await self._write(request, kind)

    async def delete_collection(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation: str = "Background",
    ) -> Body:
        request = requests.delete_collection(
            kind, namespace, label_selector=label_selector, field_selector=field_selector, propagation=propagation
        )
        return await self._write(request, kind)

    async def _write(self, request: Request, kind: Kind) -> Body:
        answer = await self._sender.send(request, kind)
        body: Body = decode(answer.body)
        return body
