"""The JobTemplates of a flow, as far as the webhook knows of them."""

from collections.abc import Iterator
from typing import Final

from shared import kinds
from webhook.subject.subjects import FlowSubject

_LENGTH: Final = 50  # of the names in the warning, so that the whole stays short enough to be shown


def templates_not_found_yet(flow: FlowSubject) -> Iterator[str]:
    """A warning: the step waits, and starts the moment the template appears (jobflow-api.md 3.2)."""
    if not flow.lookups.complete:
        return
    names = dict.fromkeys(step.template_name for _, step in flow.steps if step.switch is None)
    missing = [name for name in names if flow.lookups.get(kinds.JOBTEMPLATE, flow.namespace, name) is None]
    if missing:
        yield f"JobTemplates not found yet, steps wait for them: {_listed(missing)}"


def _listed(names: list[str]) -> str:
    """As many names as fit, at least one, and how many there are beside."""
    shown = [names[0]]
    for name in names[1:]:
        if len(", ".join((*shown, name))) > _LENGTH:
            break
        shown.append(name)
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
