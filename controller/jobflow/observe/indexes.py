"""The cache index of JobFlows by the JobTemplates they use."""

from collections.abc import Iterator
from typing import Final

from shared.key import Key
from shared.model.types import Body

USES: Final = "uses-template"


def index_by_template(flow: Body) -> Iterator[str]:
    """The JobTemplates that an unfinished flow uses, as NAMESPACE/NAME."""
    if (flow.get("status") or {}).get("completionTime"):
        return
    spec = flow.get("spec") or {}
    for step in (*(spec.get("flows") or ()), *(spec.get("finally") or ())):
        name = step.get("template") or step.get("name")
        if name:
            yield str(Key(flow["metadata"].get("namespace", ""), name))
