"""The base of all steps: place in the graph, conditions, loops, retries, outputs."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Final, Literal, Protocol, Self, overload

from jobflow.expressions.cel_value import BoolValue, CelValue
from jobflow.expressions.step_values import NamedStepValues
from jobflow.expressions.text_values import ListValue
from jobflow.manifests.json_values import Json, Span, duration, merged, whole_seconds, without_none
from jobflow.manifests.placed import Origin, Origins
from jobflow.manifests.spots import Spot, here
from jobflow.steps.fields import loop_source, outputs_of
from shared.model.step import Output
from shared.model.types import Body

Outputs = str | Sequence[str | Output] | Mapping[str, str]
"""`["rows"]`: keys of the JSON object that is the termination message; `{"rows": "row_count"}`: output by key, "" for the
whole message; `"loss"`: the whole message is this output."""
Condition = BoolValue | str
"""An expression object, or CEL as text."""
LoopItem = str | int | float | bool
LoopSource = Sequence[LoopItem | Mapping[str, LoopItem]] | Mapping[str, Sequence[LoopItem]] | range | ListValue | str


class StepOwner(Protocol):
    """A flow, as its steps see it."""

    name: str

    def add_step(self, step: "FlowStep") -> None: ...


CURRENT: Final[ContextVar[StepOwner | None]] = ContextVar("flow", default=None)
"""The flow of the `with` block around."""


class FlowStep(NamedStepValues):
    """The base class of steps: use Job, Template or Switch.

    It belongs to the flow of the `with` block around it, or to the one that `flow.add` gives it to.
    """

    def __init__(self, name: str, outputs: Outputs = ()) -> None:
        self.name = name
        self.spot: Final = here()
        self.declared: Final = outputs_of(outputs)
        super().__init__(name, [each.name for each in self.declared])
        self.flow: StepOwner | None = None
        self.in_finally = False
        self.fields: Body = {}
        self.origins: Origins = {"": Origin(self.spot), "outputs": Origin(self.spot, "outputs")}
        self.reads: dict[str, frozenset[str]] = {}  # names of the steps that each expression reads, by field
        self.targets: dict[str, Origin] = {}
        self._after: Body = {}
        owner = CURRENT.get()
        if owner is not None:
            owner.add_step(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__.removesuffix('Step')}({self.name!r})"

    # --- order ------------------------------------------------------------------------------------------------------

    @overload
    def __rshift__(self, other: "FlowStep") -> "FlowStep": ...
    @overload
    def __rshift__(self, other: Sequence["FlowStep"]) -> "Sequence[FlowStep]": ...
    def __rshift__(self, other: "FlowStep | Sequence[FlowStep]") -> "FlowStep | Sequence[FlowStep]":
        """`a >> b`: b comes after a. `a >> [b, c] >> d` spreads out and gathers."""
        spot = here()
        for each in steps_in(other):
            each._wait_for((self,), (Origin(spot),))
        return other

    def __rrshift__(self, others: Sequence["FlowStep"]) -> Self:
        spot = here()
        self._wait_for(others, [Origin(spot) for _ in others])
        return self

    def after(
        self,
        *steps: "FlowStep | str",
        on: Literal["Completed", "Failed", "Ended"] | None = None,
        any: bool | None = None,
        probe: Mapping[str, Json] | None = None,
    ) -> Self:
        """Start once `steps` have ended, as `on` says: Completed (default), Failed, or Ended whatever happened.

        `any`: whether one of them is enough; `probe`: start while they run, as soon as it holds (httpGetList, tcpSocketList,
        taskStatusList).
        """
        spot = here()
        self._wait_for(steps, [Origin(spot, str(place)) for place in range(len(steps))])
        self._after |= without_none(
            strategy=None if any is None else "any" if any else "all", condition=on, probe=probe
        )
        self.origins["dependsOn"] = Origin(spot)
        self.origins["dependsOn.probe"] = Origin(spot, "probe")
        return self

    # --- when, how often, how long ----------------------------------------------------------------------------------

    def when(self, condition: Condition) -> Self:
        """Skip the step unless `condition` holds once its turn has come."""
        self._expression("if", condition, here())
        return self

    def loop(
        self,
        over: "LoopSource | None" = None,
        *,
        while_: Condition | None = None,
        parallelism: int | None = None,
        when: Condition | None = None,
        max_iterations: int | None = None,
        fail_fast: bool | None = None,
        tolerate: int | str | None = None,
    ) -> Self:
        """Run the step once per item: of a list of texts or dicts, of every combination of a dict of lists, of a
        range, or of a list that an expression finds. `while_`: one iteration after the other as long as it holds.

        `parallelism`: at once, default all; `when`: items for which it is false are skipped; `tolerate`: iterations that
        may fail, 3 or "10%"; `fail_fast`: whether one failure too many stops the others.
        """
        spot = here()
        source, reads = loop_source(over, while_)
        self.fields["for"] = source | without_none(
            parallelism=parallelism,
            maxIterations=max_iterations,
            failFast=fail_fast,
            tolerate=tolerate,
            if_=cel_of(when) if when is not None else None,
        )
        self.reads["for"] = reads | (when.steps if isinstance(when, BoolValue) else frozenset())
        self.origins["for"] = Origin(spot)
        arguments = {"maxIterations": "max_iterations", "failFast": "fail_fast", "if": "when", "while": "while_"}
        arguments |= dict.fromkeys(("items", "matrix", "range", "expression"), "over:0")
        for field in self.fields["for"]:
            self.origins[f"for.{field}"] = Origin(spot, arguments.get(field, field))
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
        """Up to `limit` further attempts after a failed one, each a new Job.

        The first waits `backoff` (default 10s), each next one `factor` (2) times as long, at most `max_backoff` (5m).
        `when`: only if it holds; it may read `attempt`.
        """
        spot = here()
        self.fields["retry"] = retry_field(limit, backoff, factor, max_backoff, when)
        self.reads["retry"] = when.steps if isinstance(when, BoolValue) else frozenset()
        self.origins["retry"] = Origin(spot)
        self.origins["retry.if"] = Origin(spot, "when")
        return self

    def deadline(self, span: Span) -> Self:
        """An attempt may take so long: seconds, "1h30m" or a timedelta."""
        self.fields["activeDeadlineSeconds"] = whole_seconds(span, "deadline")
        self.origins["activeDeadlineSeconds"] = Origin(here())
        return self

    def allow_failure(self) -> Self:
        """Its failure does not fail the flow."""
        self.fields["allowFailure"] = True
        self.origins["allowFailure"] = Origin(here())
        return self

    def daemon(self) -> Self:
        """It serves other steps: it is stopped once all steps that depend on it have ended."""
        self.fields["daemon"] = True
        self.origins["daemon"] = Origin(here())
        return self

    def finally_(self) -> Self:
        """Run after all other steps have ended, whatever the outcome."""
        self.in_finally = True
        return self

    def patch(
        self, job: Mapping[str, Json] | None = None, *, json_patch: Sequence[Mapping[str, Json]] | None = None
    ) -> Self:
        """Change the template for this step only: a partial JobSpec merged over it, then operations of RFC 6902."""
        spot = here()
        self.fields["patch"] = without_none(jobSpec=job, jsonPatch=json_patch)
        self.origins |= {
            "patch": Origin(spot),
            "patch.jobSpec": Origin(spot, "job:0"),
            "patch.jsonPatch": Origin(spot, "json_patch"),
        }
        return self

    def extra(self, fields: Mapping[str, Json]) -> Self:
        """Any other fields of the step."""
        self.fields |= merged({}, fields)
        spot = here()
        self.origins |= {field: Origin(spot, "fields:0", field) for field in fields}
        return self

    # --- the manifest -----------------------------------------------------------------------------------------------

    def body(self) -> Body:
        """The step as the JobFlow holds it."""
        depends = without_none(targets=list(self.targets) or None) | self._after
        fields = {"name": self.name, **self._own_fields(), **({"dependsOn": depends} if depends else {}), **self.fields}
        if self.declared:
            fields["outputs"] = [_output(each) for each in self.declared]
        return fields

    def places(self) -> Origins:
        """Which call wrote each of its fields."""
        targets = {f"dependsOn.targets[{place}]": origin for place, origin in enumerate(self.targets.values())}
        first = {"dependsOn": next(iter(targets.values()))} if targets else {}
        return {**first, **self.origins, **targets}

    def _own_fields(self) -> Body:
        return {}

    def _wait_for(self, others: "Sequence[FlowStep | str]", origins: Sequence[Origin]) -> None:
        for each, origin in zip(others, origins, strict=True):
            if isinstance(each, FlowStep) and each.flow is not self.flow and None not in (each.flow, self.flow):
                raise ValueError(f"{each!r} belongs to flow {each.flow and each.flow.name}, {self!r} to another one")
            self.targets.setdefault(each if isinstance(each, str) else each.name, origin)

    def _expression(self, field: str, value: CelValue | str, spot: Spot) -> None:
        self.fields[field] = cel_of(value)
        self.reads[field] = value.steps if isinstance(value, CelValue) else frozenset()
        self.origins[field] = Origin(spot)


def _output(output: Output) -> Body:
    given = ("name", "task", "container", "key", "expression")
    return without_none(**{field: getattr(output, field) or None for field in given})


def steps_in(given: "FlowStep | Sequence[FlowStep]") -> Sequence["FlowStep"]:
    if isinstance(given, FlowStep):
        return (given,)
    wrong = next((each for each in given if not isinstance(each, FlowStep)), None)
    if wrong is not None:
        raise TypeError(f"{wrong!r} is not a step: a >> b and a >> [b, c] join steps")
    return given


def cel_of(value: CelValue | str) -> str:
    """The text of an expression. Raises TypeError for a value that Python has already evaluated."""
    if isinstance(value, CelValue):
        return value.cel
    if isinstance(value, str):
        return value
    raise TypeError(
        f"{value!r} is not an expression of the cluster: compare params, outputs or phases, as in "
        'flow.params.mode == "full", or write CEL as a text'
    )


def retry_field(
    limit: int, backoff: Span | None, factor: float | None, max_backoff: Span | None, when: Condition | None
) -> Body:
    """`retry` of a step or of a flow."""
    waits = without_none(
        duration=duration(backoff, "backoff") if backoff is not None else None,
        factor=factor,
        maxDuration=duration(max_backoff, "max_backoff") if max_backoff is not None else None,
    )
    return without_none(limit=limit, backoff=waits or None, if_=cel_of(when) if when is not None else None)
