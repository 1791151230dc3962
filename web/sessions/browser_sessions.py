"""Sessions in memory, found by the random id in their cookie."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

IDLE_SECONDS: Final = 12 * 3600.0
MOST: Final = 5000  # the session that was not used for the longest time goes first


class BrowserSession(msgspec.Struct, frozen=True):
    """`csrf`: the token that every form of this session carries; `authorization`: the header's value for the API server,
    '' where it comes from the kubeconfig or with each request; `user`: what the API server calls them."""

    id: str
    csrf: str
    authorization: str = ""
    user: str = ""


class BrowserSessions:
    """`clock`: monotonic seconds. `on_end` is called with each session that ends, so that its streams can be closed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: OrderedDict[str, tuple[BrowserSession, float]] = OrderedDict()
        self.on_end: list[Callable[[BrowserSession], None]] = []

    def begin(self, authorization: str = "", user: str = "") -> BrowserSession:
        """A new session under a new id: an id that was known before the sign-in is not valid afterwards."""
        session = BrowserSession(secrets.token_urlsafe(32), secrets.token_urlsafe(32), authorization, user)
        self._found[session.id] = (session, self._clock())
        while len(self._found) > MOST:
            self.end(next(iter(self._found)))
        return session

    def find(self, id: str) -> BrowserSession | None:
        """The session, whose idle time begins anew; None for an unknown or expired id."""
        session, used = self._found.get(id, (None, 0.0))
        if session is None:
            return None
        if self._clock() - used > IDLE_SECONDS:
            self.end(id)
            return None
        self._found[id] = (session, self._clock())
        self._found.move_to_end(id)
        return session

    def end(self, id: str) -> None:
        if (ended := self._found.pop(id, None)) is not None:
            for tell in self.on_end:
                tell(ended[0])
