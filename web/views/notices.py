"""The notice that a page shows after a button was pressed. The address contains only names, so that nobody can put
text of their own on a page. Pure."""

import re
from typing import Final

from web.views.buttons import BUTTONS

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")

_OTHERS: Final = {
    "schedule.backfill": "is being backfilled; the progress is below",
    "step.retry": "runs the step again",
    "step.approve": "got your approval; whether it counts is said below",
    "step.reject": "got your rejection; whether it counts is said below",
}


def notice(did: str, of: str) -> str:
    """`nightly is being stopped`, or nothing for what is no button of ours or no name."""
    plural, _, name = did.partition(".")
    if not _NAME.fullmatch(of) or len(of) > 253:
        return ""
    if did in _OTHERS:
        return f"{of} {_OTHERS[did]}"
    button = BUTTONS.get(plural, (None, {}))[1].get(name)
    return f"{of} {button.done}" if button else ""
