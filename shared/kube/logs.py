"""Logging as JSON lines on stderr, with extra fields at the top level and without secrets."""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson

STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
SECRET_NAMES: Final = re.compile(r"(?i)token|password|passwd|secret$|authorization|private_?key|client_?key|credential")
SECRET_TEXT: Final = re.compile(
    r"(?i)(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"
    r"|eyJ[a-zA-Z0-9_-]{8,}\.[a-zA-Z0-9_.-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.DOTALL,
)
HIDDEN: Final = "(hidden)"


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        # Callers pass the field `name` as `name_`, because logging reserves `name`.
        line.update({key.rstrip("_"): value for key, value in vars(record).items() if key not in STANDARD})
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return orjson.dumps({key: clean(key, value) for key, value in line.items()}, default=str).decode()


def clean(name: str, value: Any) -> Any:
    """`value` without secrets: fields whose names suggest one, and tokens and keys inside texts."""
    if SECRET_NAMES.search(name):
        return HIDDEN
    if isinstance(value, dict):
        return {str(key): clean(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean("", inner) for inner in value]
    if isinstance(value, str):
        return SECRET_TEXT.sub(HIDDEN, value)
    return value if isinstance(value, int | float | None) else SECRET_TEXT.sub(HIDDEN, str(value))


def _is_news(record: logging.LogRecord) -> bool:
    """False for uvloop's stack trace about a connection that the peer closed before the last bytes were written.

    The request on that connection fails with an error of its own.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, RuntimeError) and "the handler is closed" in str(error))


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Configures the root logger of the process."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    logging.getLogger("asyncio").filters[:] = [_is_news]
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("kubernetes").setLevel(logging.WARNING)
