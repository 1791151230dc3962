"""The `jobflow` command.

msgspec is imported first, without typing_extensions: it would take from there what Python's own `typing` has as well since
3.11, and the import with all that it imports takes a tenth of the time of a short command.
"""

import sys
from types import ModuleType
from typing import Final

_EXTENSIONS: Final = "typing_extensions"


def _import_msgspec() -> None:
    if "msgspec" in sys.modules or _EXTENSIONS in sys.modules:
        return
    sys.modules[_EXTENSIONS] = ModuleType(_EXTENSIONS)  # an empty one
    try:
        import msgspec  # noqa: F401 - for its place in sys.modules
    finally:
        del sys.modules[_EXTENSIONS]


_import_msgspec()
