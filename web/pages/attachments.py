"""Answers that a browser saves as a file."""

import re
from collections.abc import Mapping
from typing import Final

_UNSAFE: Final = re.compile(r"[^a-z0-9.-]")


def attachment(name: str, ending: str) -> Mapping[str, str]:
    """The header that names the file. `name`: of an object, as the path of the request has it."""
    return {"Content-Disposition": f'attachment; filename="{_UNSAFE.sub("-", name)}.{ending}"'}
