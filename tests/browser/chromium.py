"""The browser of these tests: Chromium as the system's packages install it."""

import os
import shutil
import sys
from typing import Final

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = ("--disable-dev-shm-usage", "--disable-gpu")
MISSING: Final = "tests in a real browser are left out: no Chromium is installed, and BROWSER_PATH names none"


def executable() -> str:
    """Its path; '' where there is none."""
    given = os.environ.get("BROWSER_PATH", "")
    return given or next(filter(None, map(shutil.which, _NAMES)), "")


if __name__ == "__main__":  # for the Makefile
    print(executable() or MISSING)
    sys.exit(not executable())
