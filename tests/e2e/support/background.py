"""Work that a thread does beside a test."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Final, Self

_JOIN_SECONDS: Final = 30.0


class BackgroundThread(ABC):
    """A context manager: inside it, a thread does `_run`, which returns soon after `_stop` is set."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_JOIN_SECONDS)

    @abstractmethod
    def _run(self) -> None: ...
