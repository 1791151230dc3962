"""TCP ports of the loopback interface."""

import errno
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"


def free_port() -> int:
    """A port that nothing listens on at the moment of the call."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def obstacle_to_listening(port: int) -> str:
    """Why this process cannot listen on `port`, or "" if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return "is already in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
    return ""
