"""Who the user of the command is, as the API server knows them."""

from typing import Final

from cli.client import Session
from cli.exits import CliError, Exit
from shared.kinds import Kind
from shared.model.types import Body

_WHO: Final = Kind("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False)


async def own_name(session: Session) -> str:
    """The user's name. Raises CliError."""
    body: Body = {"apiVersion": _WHO.api_version, "kind": _WHO.kind}
    found = await session.api.create(_WHO, body)
    name = ((found.get("status") or {}).get("userInfo") or {}).get("username")
    if not name:
        raise CliError("the API server does not say who you are (SelfSubjectReview)", Exit.REFUSED)
    return str(name)
