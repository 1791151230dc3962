"""Builds a flow: its params, its steps and their Kubernetes objects."""

from collections.abc import Iterable, Mapping
from contextvars import Token
from types import TracebackType
from typing import Final, Literal, Self

from jobflow.expressions.cel_value import CelValue
from jobflow.expressions.references import ParamValues
from jobflow.faults import FlowError, LintFault
from jobflow.manifests.json_values import Json, Span, Text, as_text, merged, whole_seconds, without_none
from jobflow.manifests.placed import Origin, Origins, PlacedManifest, below, by_key
from jobflow.manifests.spots import here
from jobflow.steps.kinds import JobStep, SubFlowStep, TemplateStep
from jobflow.steps.step import CURRENT, Condition, FlowStep, StepOwner, cel_of, retry_field
from shared.kinds import JOBFLOW
from shared.model.types import Body

_ARGUMENTS: Final = {
    "params": "params",
    "failure": "failureStrategy",
    "parallelism": "parallelism",
    "deadline": "activeDeadlineSeconds",
    "finally_deadline": "finallyDeadlineSeconds",
    "ttl": "ttlSecondsAfterFinished",
    "retain": "jobRetainPolicy",
    "suspend": "suspend",
}


class FlowBuilder:
    """The part of Flow that builds: steps, params and manifests."""

    def __init__(
        self,
        name: str,
        *,
        params: Mapping[str, Text] | None = None,
        failure: Literal["Stop", "Continue", "FailFast"] | None = None,
        parallelism: int | None = None,
        deadline: Span | None = None,
        finally_deadline: Span | None = None,
        ttl: Span | None = None,
        retain: Literal["retain", "delete"] | None = None,
        suspend: bool | None = None,
        generate_name: bool = False,
        namespace: str = "",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        extra: Mapping[str, Json] | None = None,
    ) -> None:
        self.name = name
        self.spot: Final = here()
        self.steps: Final[dict[str, FlowStep]] = {}
        self.params: Final = ParamValues(name, params or ())
        self._tokens: list[Token[StepOwner | None]] = []
        self._metadata = without_none(
            **({"generateName": f"{name}-"} if generate_name else {"name": name}),
            namespace=namespace or None,
            labels=labels or None,
            annotations=annotations or None,
        )
        given: Body = {
            "params": [{"name": key, "value": as_text(value)} for key, value in params.items()] if params else None,
            "jobRetainPolicy": retain,
            "failureStrategy": failure,
            "parallelism": parallelism,
            "suspend": suspend,
            "activeDeadlineSeconds": whole_seconds(deadline, "deadline") if deadline is not None else None,
            "finallyDeadlineSeconds": whole_seconds(finally_deadline, "finally_deadline")
            if finally_deadline is not None
            else None,
            "ttlSecondsAfterFinished": whole_seconds(ttl, "ttl") if ttl is not None else None,
        }
        self._spec = merged({field: value for field, value in given.items() if value is not None}, extra or {})
        self._origins: Origins = {f"spec.{field}": Origin(self.spot, name) for name, field in _ARGUMENTS.items()}
        self._origins |= by_key("spec.params", "params", params or (), self.spot)
        for key in ("name", "labels", "annotations", "namespace"):
            self._origins[f"metadata.{key}"] = Origin(self.spot, key)

    def __repr__(self) -> str:
        return f"Flow({self.name!r}, {len(self.steps)} steps)"

    # --- building ---------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._tokens.append(CURRENT.set(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises FlowError if a step reads values of a step that does not end before it starts."""
        CURRENT.reset(self._tokens.pop())
        if kind is None:
            faults = tuple(self._unreadable())
            if faults:
                raise FlowError(faults)

    def add_step(self, step: FlowStep) -> None:
        """Add a step. Raises ValueError if the flow has a step of that name, or if the step belongs to another flow."""
        if step.flow is not None and step.flow is not self:
            raise ValueError(f"{step!r} belongs to another flow")
        if self.steps.setdefault(step.name, step) is not step:
            raise ValueError(
                f'flow {self.name} has a step named "{step.name}" already, made at {self.steps[step.name].spot}'
            )
        step.flow = self

    def add(self, *steps: FlowStep) -> Self:
        """Add steps that were made outside of the flow's `with` block."""
        for step in steps:
            self.add_step(step)
        return self

    def retry(
        self,
        limit: int,
        *,
        backoff: Span | None = None,
        factor: float | None = None,
        max_backoff: Span | None = None,
        when: Condition | None = None,
    ) -> Self:
        """Further attempts of every step that has no retry of its own: see Step.retry."""
        self._spec["retry"] = retry_field(limit, backoff, factor, max_backoff, when)
        self._origins["spec.retry"] = Origin(here())
        return self

    def output(self, name: str, value: CelValue | str) -> Self:
        """An output of the flow, computed from outputs of its steps when it ends. The step that runs the flow can read
        it, and `status.outputs` shows it."""
        outputs = self._spec.setdefault("outputs", [])
        self._origins[f"spec.outputs[{len(outputs)}]"] = Origin(here())
        outputs.append({"name": name, "expression": cel_of(value)})
        return self

    def check_params(self, names: Iterable[str]) -> None:
        """Raises ValueError for a name of which the flow has no param."""
        known = [str(each["name"]) for each in self._spec.get("params", ())]
        for name in names:
            if name not in known:
                raise ValueError(f'flow {self.name} has no param "{name}"; there are {", ".join(known) or "none"}')

    # --- manifests --------------------------------------------------------------------------------------------------

    def manifests(self) -> tuple[PlacedManifest, ...]:
        """The JobTemplates of its steps, then the JobFlow."""
        templates: dict[str, PlacedManifest] = {}
        for step in self.steps.values():
            if isinstance(step, JobStep):
                made = step.template(self.name)
            elif isinstance(step, TemplateStep) and step.blueprint is not None:
                made = step.blueprint.manifest()
            elif isinstance(step, SubFlowStep) and step.inner is not None:
                templates |= {each.name: each for each in step.inner.manifests()[:-1]}
                continue
            else:
                continue
            templates.setdefault(made.name, made)
        return (*templates.values(), self.manifest())

    def manifest(self) -> PlacedManifest:
        """The JobFlow alone."""
        spec: Body = {"flows": [], **self._spec}
        origins: Origins = {"": Origin(self.spot), **self._origins}
        for step in self.steps.values():
            listed = spec.setdefault("finally" if step.in_finally else "flows", [])
            path = f"spec.{'finally' if step.in_finally else 'flows'}[{len(listed)}]"
            listed.append(self._step(step))
            origins |= below(path, step.places())
        return PlacedManifest(_object(self._metadata, spec), origins)

    def to_yaml(self) -> str:
        """JobTemplates and JobFlow, as kubectl applies them."""
        from shared.yaml_text import as_yaml

        return as_yaml([each.body for each in self.manifests()])

    def _step(self, step: FlowStep) -> Body:
        body = step.body()
        if isinstance(step, JobStep):
            name, *rest = body.items()
            return dict([name, ("template", step.template_name or f"{self.name}-{step.name}"), *rest])
        return body

    def _unreadable(self) -> "list[LintFault]":
        from jobflow.reading import unreadable

        return unreadable(self.manifests(), self.steps)


def _object(metadata: Body, spec: Body) -> Body:
    return {"apiVersion": JOBFLOW.api_version, "kind": JOBFLOW.kind, "metadata": dict(metadata), "spec": spec}
