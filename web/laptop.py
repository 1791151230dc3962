"""The server on a laptop, for `jobflow ui`: 127.0.0.1, the kubeconfig's rights, a one-time token in the first URL."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.kube.client.access import Access
from web.app import build_app
from web.cluster.caller import Callers
from web.serving import serving
from web.settings import SignIn, WebSettings

HOST: Final = "127.0.0.1"


@asynccontextmanager
async def on_laptop(
    access: Access | None, *, port: int = 0, namespace: str = "", read_only: bool = False
) -> AsyncIterator[str]:
    """Yields the URL to open. `access`: None works without a cluster; `namespace`: the one that lists show first."""
    settings = WebSettings(
        sign_in=SignIn.LAPTOP, namespace=namespace, read_only=read_only, offline=access is None, port=port
    )
    token = secrets.token_urlsafe(32)
    callers = Callers(access) if access is not None else None
    try:
        async with serving(
            lambda found: build_app(settings, callers, port=found, one_time_token=token), HOST, port
        ) as found:
            yield f"http://{HOST}:{found}/?token={token}"
    finally:
        if callers is not None:
            await callers.close()
