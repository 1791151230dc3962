"""The JobTemplates of a flow, as far as the webhook knows of them."""

from collections.abc import Iterator
from typing import Final

from shared import kinds
from webhook.subject import FlowSubject

_NAMED: Final = 5  # templates that get a warning each


def templates_not_found_yet(flow: FlowSubject) -> Iterator[str]:
    """A warning: the step waits, and starts the moment the template appears (jobflow-api.md 3.2)."""
    if not flow.lookups.complete:
        return
    names = dict.fromkeys(step.template_name for _, step in flow.steps if step.switch is None)
    missing = [name for name in names if flow.lookups.get(kinds.JOBTEMPLATE, flow.namespace, name) is None]
    for name in missing[:_NAMED]:
        yield f'JobTemplate "{name}" not found yet: steps that use it wait for it'
    if len(missing) > _NAMED:
        yield f"{len(missing) - _NAMED} more JobTemplates not found yet"
