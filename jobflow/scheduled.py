"""A flow on a schedule: a CronJobFlow."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

from jobflow.faults import LintReport
from jobflow.flow_builder import FlowBuilder
from jobflow.manifests.json_values import Span, Text, as_text, whole_seconds, without_none
from jobflow.manifests.placed import Origin, Origins, PlacedManifest, by_key
from jobflow.manifests.spots import here
from jobflow.steps.step import Condition, cel_of
from shared.kinds import CRONJOBFLOW

if TYPE_CHECKING:
    from jobflow.cluster.connection import ClusterAccess

_FLOW: Final = "spec.jobFlowTemplate."
_PATHS: Final = {
    "schedules": "schedules:1",
    "timeZone": "time_zone",
    "concurrencyPolicy": "concurrency",
    "endTime": "end",
    "jitterSeconds": "jitter",
    "startingDeadlineSeconds": "starting_deadline",
    "when": "when",
    "catchUp": "catch_up",
    "params": "params",
}


class FlowSchedule:
    """`Schedule(flow, "0 2 * * *", time_zone="Europe/Berlin", params={"day": schedule.date})`: a run at each time.

    `schedules`: cron expressions, macros, or "@every 6h"; `concurrency`: what happens while an earlier run is active;
    `params`: of each run, also of its time (`schedule.date`, `.time`, `.previous_time`, `.unix`); `when`: CEL over
    schedule and last; `catch_up`: how many missed times are made up for; `jitter`: start up to this much later. Raises
    ValueError for a param that the flow does not have.
    """

    def __init__(
        self,
        flow: FlowBuilder,
        schedules: str | Sequence[str],
        *,
        name: str = "",
        time_zone: str | None = None,
        concurrency: Literal["Allow", "Forbid", "Replace"] | None = None,
        params: Mapping[str, Text] | None = None,
        when: Condition | None = None,
        catch_up: int | None = None,
        jitter: Span | None = None,
        starting_deadline: Span | None = None,
        end: str | None = None,
        suspend: bool | None = None,
        keep_succeeded: int | None = None,
        keep_failed: int | None = None,
    ) -> None:
        self.flow: Final = flow
        self.name: Final = name or flow.name
        self._spot = here()
        flow.check_params(params or ())
        values = [{"name": key, "value": as_text(value)} for key, value in (params or {}).items()]
        self._spec = without_none(
            schedules=[schedules] if isinstance(schedules, str) else schedules,
            timeZone=time_zone,
            concurrencyPolicy=concurrency,
            startingDeadlineSeconds=whole_seconds(starting_deadline, "starting_deadline")
            if starting_deadline
            else None,
            suspend=suspend,
            endTime=end,
            jitterSeconds=whole_seconds(jitter, "jitter") if jitter else None,
            when=cel_of(when) if when is not None else None,
            catchUp={"limit": catch_up} if catch_up is not None else None,
            params=values or None,
            successfulJobFlowsHistoryLimit=keep_succeeded,
            failedJobFlowsHistoryLimit=keep_failed,
        )

    def __repr__(self) -> str:
        return f"Schedule({self.flow!r}, {self._spec['schedules']})"

    def manifests(self) -> tuple[PlacedManifest, ...]:
        """The JobTemplates of the flow, then the CronJobFlow."""
        *templates, flow = self.flow.manifests()
        metadata = {key: value for key, value in flow.body["metadata"].items() if key in ("labels", "annotations")}
        made = {**({"metadata": metadata} if metadata else {}), "spec": flow.body["spec"]}
        own: Origins = {f"spec.{field}": Origin(self._spot, argument) for field, argument in _PATHS.items()}
        own |= by_key("spec.params", "params", [each["name"] for each in self._spec.get("params", ())], self._spot)
        inner = {f"{_FLOW}{path}".removesuffix("."): origin for path, origin in flow.origins.items()}
        body = {
            "apiVersion": CRONJOBFLOW.api_version,
            "kind": CRONJOBFLOW.kind,
            "metadata": {**{k: v for k, v in flow.body["metadata"].items() if k == "namespace"}, "name": self.name},
            "spec": {**self._spec, "jobFlowTemplate": made},
        }
        return (*templates, PlacedManifest(body, {"": Origin(self._spot), **own, **inner}))

    def to_yaml(self) -> str:
        from shared.yaml_text import as_yaml

        return as_yaml([each.body for each in self.manifests()])

    def lint(self) -> LintReport:
        """All faults for which the cluster would refuse the flow or warn, each with file and line."""
        from jobflow.lint import lint

        return lint(self.manifests())

    def apply(self, cluster: "ClusterAccess | None" = None) -> list[str]:
        """Create or change the schedule and its JobTemplates; the names of what was applied."""
        from jobflow.cluster.connection import finish

        return finish(self.aapply(cluster))

    async def aapply(self, cluster: "ClusterAccess | None" = None) -> list[str]:
        """The async twin of `apply`."""
        from jobflow.cluster.connection import ClusterAccess
        from jobflow.cluster.start import apply

        return await apply(self.manifests(), cluster or ClusterAccess())
