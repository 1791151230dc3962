"""Carries out the actions of buttons with the rights of the user who pressed them."""

import contextlib
from collections.abc import Mapping

from shared.actions.commands import command_for
from shared.kinds import COMMAND, JOBFLOW, Kind
from shared.kube.client.api import Api
from shared.kube.client.errors import Forbidden
from shared.model.command_message import CommandMessage, written
from shared.model.phases import FlowAction
from shared.model.types import Body
from web.views.buttons import ButtonWork, ChangeObject, DeleteObject, SendCommand


async def do(api: Api, kind: Kind, body: Body, work: ButtonWork) -> None:
    """Raises ApiError."""
    metadata = body["metadata"]
    namespace = str(metadata.get("namespace") or "")
    match work:
        case SendCommand(action, verb):
            await send_command(api, kind, body, action, verb)
        case DeleteObject():
            # By uid, so that a newer object of the same name is not deleted.
            await api.delete(kind, namespace, metadata["name"], uid=metadata["uid"])
        case ChangeObject(change):
            await api.patch(kind, namespace, metadata["name"], change)


async def send_command(
    api: Api,
    kind: Kind,
    body: Body,
    action: str,
    verb: str,
    message: CommandMessage | None = None,
    annotations: Mapping[str, str] | None = None,
) -> None:
    """Creates the Command, with these annotations. Raises ApiError."""
    namespace = body["metadata"]["namespace"] if kind.namespaced else "default"
    if kind == JOBFLOW and action == FlowAction.RESUME:
        await _try_to_resume(api, body)
    command = command_for(body, action, verb, namespace)
    if message is not None:
        command = {**command, "message": written(message)}
    if annotations:
        command = {**command, "metadata": {**command["metadata"], "annotations": dict(annotations)}}
    await api.create(COMMAND, command, namespace=namespace)


async def _try_to_resume(api: Api, flow: Body) -> None:
    """Try the change as a dry run, to report now if a policy would refuse it. A user who may not change the flow can
    still send the Command."""
    if (flow.get("spec") or {}).get("suspend"):
        metadata = flow["metadata"]
        with contextlib.suppress(Forbidden):
            await api.patch(
                JOBFLOW, metadata["namespace"], metadata["name"], {"spec": {"suspend": False}}, dry_run=True
            )
