"""The JobTemplates of a file, and which steps use them. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from jobflow.source.script import Name
from shared.graphs.nesting import MAX_LEVELS
from shared.model.step import makes_jobs
from shared.model.types import Body


class JobTemplates:
    """`templates`: by name; `flows`: the specs of the flows that use them. `shared`: variables of those that are written
    once for several steps."""

    def __init__(self, templates: Mapping[str, Body], flows: Sequence[Body]) -> None:
        self._templates = templates
        self._uses = Counter(self.used_by(step) for spec in flows for step in _all_steps(spec) if makes_jobs(step))
        self.shared: dict[str, Name] = {}

    def owned(self, template: str) -> bool:
        """Whether the JobTemplate is written as the Job of its only step."""
        body = self._templates.get(template)
        if body is None or self._uses[template] != 1:
            return False
        return set(body) <= {"apiVersion", "kind", "metadata", "spec"} and set(body["metadata"]) == {"name"}

    def spec(self, template: str) -> Body:
        found: Body = self._templates[template]["spec"]
        return found

    @staticmethod
    def used_by(step: Body) -> str:
        return str(step.get("template") or step["name"])


def _all_steps(spec: Body, level: int = 1) -> Iterator[Body]:
    """Those of the flows that steps write out included."""
    for step in (*(spec.get("flows") or ()), *(spec.get("finally") or ())):
        yield step
        runs = step.get("flow")
        inner = runs.get("spec") if isinstance(runs, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("flows"), list) and level < MAX_LEVELS:
            yield from _all_steps(inner, level + 1)
