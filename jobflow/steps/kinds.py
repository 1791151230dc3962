"""The kinds of steps: a Job of its own, a use of a JobTemplate, a switch."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol, Unpack

from jobflow.expressions.cel_value import CelValue
from jobflow.jobs.arguments import JobArguments
from jobflow.jobs.job_spec import job_spec
from jobflow.manifests.json_values import Span, Text, as_text, duration, without_none
from jobflow.manifests.placed import Origin, Origins, PlacedManifest, below
from jobflow.manifests.spots import Spot, here
from jobflow.steps.step import FlowStep, Outputs, cel_of
from shared.kinds import JOB, JOBTEMPLATE
from shared.model.types import Body

Chosen = FlowStep | str | Sequence[FlowStep | str]
"""Steps, or the names of steps that come later."""


class JobBlueprint:
    """A JobTemplate: the Job that several steps, or several flows, run. `Template(step, this)` is such a step."""

    def __init__(
        self,
        name: str,
        *,
        metadata: Mapping[str, Mapping[str, str]] | None = None,
        namespace: str = "",
        **arguments: Unpack[JobArguments],
    ) -> None:
        self.name = name
        self.spot: Final = here()
        self.metadata = {**({"namespace": namespace} if namespace else {}), **(metadata or {})}
        self.spec, self.origins = job_spec("JobTemplate", arguments, self.spot)

    def __repr__(self) -> str:
        return f"JobTemplate({self.name!r})"

    def manifest(self, name: str = "") -> PlacedManifest:
        return _manifest(
            JOBTEMPLATE.api_version,
            "JobTemplate",
            {"name": name or self.name, **self.metadata},
            self.spec,
            self.origins,
            self.spot,
        )

    def job(self) -> PlacedManifest:
        """A Job of its own, outside of any flow."""
        return _manifest(
            JOB.api_version, "Job", {"name": self.name, **self.metadata}, self.spec, self.origins, self.spot
        )


class JobStep(FlowStep):
    """A step with a Job of its own: `Job("train", image="img", command="python train.py", gpus=1)`.

    `outputs`: what later steps can read of it: see `Outputs`. Its JobTemplate is named FLOW-STEP, or `template_name`.
    """

    def __init__(
        self, name: str, *, outputs: Outputs = (), template_name: str = "", **arguments: Unpack[JobArguments]
    ) -> None:
        self.template_name = template_name
        self.spec, self.template_origins = job_spec(f"Job({name!r})", arguments, here())
        super().__init__(name, outputs)

    def template(self, flow: str) -> PlacedManifest:
        """The JobTemplate that the step uses in the flow of that name."""
        name = self.template_name or f"{flow}-{self.name}"
        return _manifest(
            JOBTEMPLATE.api_version, "JobTemplate", {"name": name}, self.spec, self.template_origins, self.spot
        )


class TemplateStep(FlowStep):
    """A step that runs a JobTemplate: one of the cluster, by name (default the step's), or one defined here."""

    def __init__(self, name: str, template: "str | JobBlueprint" = "", *, outputs: Outputs = ()) -> None:
        self.blueprint = template if isinstance(template, JobBlueprint) else None
        self.template_name = template if isinstance(template, str) else template.name
        super().__init__(name, outputs)
        self.origins["template"] = Origin(self.spot)

    def _own_fields(self) -> Body:
        return {"template": self.template_name} if self.template_name not in ("", self.name) else {}


class InnerFlow(Protocol):
    """A flow, as a step that runs it sees it."""

    def manifests(self) -> tuple[PlacedManifest, ...]: ...


class SubFlowStep(FlowStep):
    """A step that runs a flow: another Flow, or a JobFlowTemplate of the cluster by name.

    `params`: of that flow; `outputs`: values that it gives with `flow.output(...)`.
    """

    def __init__(
        self,
        name: str,
        flow: InnerFlow | str,
        *,
        params: Mapping[str, Text] | None = None,
        outputs: Outputs = (),
    ) -> None:
        self.inner = None if isinstance(flow, str) else flow
        super().__init__(name, outputs)
        source = {"template": flow} if isinstance(flow, str) else {"spec": flow.manifests()[-1].body["spec"]}
        values = {key: as_text(value) for key, value in (params or {}).items()}
        self.fields["flow"] = {**source, **({"params": values} if values else {})}
        self.origins |= {"flow": Origin(self.spot), "flow.params": Origin(self.spot, "params")}


class ApproveStep(FlowStep):
    """A step that waits for a person: `Approve("release", "Ship to production?", timeout="24h")`. It creates no Job.

    Rejected, or not answered in time, it fails, unless `on_timeout` is "Approve", which a policy must allow.
    """

    def __init__(
        self,
        name: str,
        message: str = "",
        *,
        timeout: Span | None = None,
        on_timeout: Literal["Reject", "Approve"] | None = None,
    ) -> None:
        super().__init__(name)
        self.fields["approve"] = without_none(
            message=message or None,
            timeout=duration(timeout, "timeout") if timeout is not None else None,
            onTimeout=on_timeout,
        )
        self.origins |= {
            "approve": Origin(self.spot),
            "approve.timeout": Origin(self.spot, "timeout"),
            "approve.onTimeout": Origin(self.spot, "on_timeout"),
        }


class SwitchStep(FlowStep):
    """Chooses steps by a value: `Switch("route", grade, {("A", "B"): deploy, "C": [retrain]}, default=notify)`.

    Steps that it can choose wait for it, and are skipped unless it chooses them. It creates no Job.
    """

    def __init__(
        self,
        name: str,
        value: CelValue | str,
        cases: "Mapping[Text | tuple[Text, ...], Chosen]",
        default: "Chosen" = (),
    ) -> None:
        super().__init__(name)
        found = [{"when": [as_text(each) for each in _values(when)], "run": _names(run)} for when, run in cases.items()]
        otherwise = _names(default)
        self.fields["switch"] = {
            "value": cel_of(value),
            "cases": found,
            **({"default": otherwise} if otherwise else {}),
        }
        self.reads["switch"] = value.steps if isinstance(value, CelValue) else frozenset()
        self.origins |= {"switch": Origin(self.spot), "switch.default": Origin(self.spot, "default")}


def _names(chosen: Chosen) -> list[str]:
    """Of the steps; strings are names of steps that come later."""
    listed = (chosen,) if isinstance(chosen, str | FlowStep) else chosen
    return [each if isinstance(each, str) else each.name for each in listed]


def _values(when: Text | tuple[Text, ...]) -> tuple[Text, ...]:
    return when if isinstance(when, tuple) else (when,)


def _manifest(version: str, kind: str, metadata: Body, spec: Body, origins: Origins, spot: Spot) -> PlacedManifest:
    body = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
    return PlacedManifest(body, {"": Origin(spot), **below("spec", origins)})
