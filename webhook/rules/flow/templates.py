"""Warnings about JobTemplates of a flow that do not exist yet."""

from collections.abc import Iterator
from typing import Final

from webhook.subject.subjects import FlowSubject

_LENGTH: Final = 50  # maximum length of the list of names, so that the warning is not cut


def templates_not_found_yet(flow: FlowSubject) -> Iterator[str]:
    """Warn about missing JobTemplates. The steps wait and start once the JobTemplates are created."""
    if not flow.lookups.complete:
        return
    missing = [name for name in flow.template_names if name not in flow.template_bodies]
    if missing:
        yield f"JobTemplates not found yet; steps wait for them: {_listed(missing)}"


def _listed(names: list[str]) -> str:
    """As many names as fit, at least one, and the number of others."""
    shown = [names[0]]
    for name in names[1:]:
        if len(", ".join((*shown, name))) > _LENGTH:
            break
        shown.append(name)
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
