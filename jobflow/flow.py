"""The class Flow: builds, checks, simulates, draws and runs a flow."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from jobflow.faults import LintReport
from jobflow.flow_builder import FlowBuilder
from jobflow.manifests.json_values import Json, Span, Text, as_seconds, as_text, merged

if TYPE_CHECKING:
    from jobflow.cluster.connection import ClusterAccess
    from jobflow.cluster.diff import FlowDiff
    from jobflow.cluster.flow_run import FlowRun
    from jobflow.graph import FlowGraph
    from jobflow.simulation.result import SimulatedFlow
    from jobflow.simulation.scenario import Failures, ScenarioOutputs


class Flow(FlowBuilder):
    """A JobFlow that is being built.

    `params`: their default values, which a run can change; `failure`: what a step's failure means for the others;
    `parallelism`: Jobs at once; `deadline`, `finally_deadline`: how long the flow and its clean-up may take; `ttl`: how
    long it is kept after its end; `retain`: whether its Jobs are; `retry`: further attempts of every step that has no
    retry of its own; `generate_name`: the cluster gives the flow a name that begins with this one; `extra`: any other fields of
    the spec.

    Steps made in its `with` block are its own.
    """

    # --- judging ----------------------------------------------------------------------------------------------------

    def lint(
        self, *, policies: Sequence[Mapping[str, Json]] = (), namespace_labels: Mapping[str, str] | None = None
    ) -> LintReport:
        """All faults for which the cluster would refuse the flow or warn, each with file and line. `policies`: JobFlowPolicies."""
        from jobflow.lint import lint

        namespace = str(self._metadata.get("namespace") or "default")
        return lint(self.manifests(), [merged({}, each) for each in policies], namespace, namespace_labels)

    def check(self) -> Self:
        """Raises FlowError with all faults for which the cluster would refuse the flow."""
        self.lint().raise_errors()
        return self

    def graph(self) -> "FlowGraph":
        """The picture of the flow: SVG in a notebook, a tree in a terminal. Raises ValueError for a graph with a cycle."""
        from jobflow.graph import graph

        return graph(self.manifest().body)

    def _repr_html_(self) -> str:
        return self.graph()._repr_html_()

    @classmethod
    def from_yaml(cls, text: str, name: str = "") -> "Flow":
        """The flow of a YAML text, with the JobTemplates that stand beside it; of several, the one of that name.

        Raises ValueError.
        """
        from jobflow.source.convert import flows_of

        flows = {flow.name: flow for flow in flows_of(text, cls)}
        if name and name in flows:
            return flows[name]
        if len(flows) != 1 or name:
            raise ValueError(f"{name or 'one flow'} is expected, but the text has {', '.join(flows) or 'no JobFlow'}")
        return next(iter(flows.values()))

    # --- simulating -------------------------------------------------------------------------------------------------

    def simulate(
        self,
        *,
        params: Mapping[str, Text] | None = None,
        fail: "Failures" = (),
        outputs: "ScenarioOutputs | None" = None,
        durations: Mapping[str, Span] | None = None,
        approvals: Mapping[str, str] | None = None,
        seconds: float = 10.0,
    ) -> "SimulatedFlow":
        """The outcome of the flow by the controller's own decisions, without waiting.

        `fail`: attempts that fail: "train" (all), "train:1" (the first), "train[2]" (an iteration), "clean/count" (in the flow
        that the step clean runs), or a dict of exit codes; `outputs`: values by step, `{"train": {"loss": 0.05}}`;
        `durations`: how long a step's Jobs, or the person whom it asks, take, `seconds` if not said; `approvals`: "approved"
        (if not said), "rejected" or "timeout" by step. Raises FlowError for a flow that the cluster would refuse,
        ScenarioError for names that the flow does not have.
        """
        from jobflow.simulation.simulate import simulate

        self.lint().raise_errors()
        *templates, flow = self.manifests()
        return simulate(
            flow.body,
            {each.name: each.body for each in templates},
            params={name: as_text(value) for name, value in (params or {}).items()},
            fail=fail,
            outputs=outputs,
            durations={name: as_seconds(value, f"durations: {name}") for name, value in (durations or {}).items()},
            approvals=approvals,
            seconds=seconds,
        )

    # --- running ----------------------------------------------------------------------------------------------------

    def apply(self, cluster: "ClusterAccess | None" = None) -> list[str]:
        """Create or change the JobTemplates, so that flows in YAML can use them too; the names of what was applied.

        Raises FlowError, with lines, for faults that the cluster finds, and ClusterError.
        """
        from jobflow.cluster.connection import finish

        return finish(self.aapply(cluster))

    async def aapply(self, cluster: "ClusterAccess | None" = None) -> list[str]:
        """The async twin of `apply`."""
        from jobflow.cluster.connection import ClusterAccess
        from jobflow.cluster.start import apply

        return await apply(self.manifests()[:-1], cluster or ClusterAccess())

    def diff(self, cluster: "ClusterAccess | None" = None) -> "FlowDiff":
        """The changes that applying the JobTemplates would make in the cluster: `print(flow.diff())`. It changes nothing."""
        from jobflow.cluster.connection import finish

        return finish(self.adiff(cluster))

    async def adiff(self, cluster: "ClusterAccess | None" = None) -> "FlowDiff":
        """The async twin of `diff`."""
        from jobflow.cluster.connection import ClusterAccess
        from jobflow.cluster.diff import diff

        return await diff(self.manifests()[:-1], cluster or ClusterAccess())

    def run(
        self,
        *,
        params: Mapping[str, Text] | None = None,
        name: str = "",
        cluster: "ClusterAccess | None" = None,
        **values: Text,
    ) -> "FlowRun":
        """Start the flow in a cluster: `flow.run(day="2026-02-01").wait()`. Each run has a name of its own, or `name`.

        `params`: as `values`, for params that are named as an argument is. Raises ValueError for a param that the flow does
        not have, FlowError, with lines, for faults that the cluster finds, and ClusterError.
        """
        from jobflow.cluster.connection import finish

        return finish(self.arun(params=params, name=name, cluster=cluster, **values))

    async def arun(
        self,
        *,
        params: Mapping[str, Text] | None = None,
        name: str = "",
        cluster: "ClusterAccess | None" = None,
        **values: Text,
    ) -> "FlowRun":
        """The async twin of `run`."""
        from jobflow.cluster.connection import ClusterAccess
        from jobflow.cluster.start import start

        given = {key: as_text(value) for key, value in {**(params or {}), **values}.items()}
        self.check_params(given)
        return await start(self.manifests(), given, name, cluster or ClusterAccess())
