"""A run: one JobFlow in the cluster. Waits for it, reads its state and sends Commands."""

import asyncio
import time
from collections.abc import AsyncIterator, Generator, Mapping
from typing import Any, Final, Self

from jobflow.cluster.connection import ClusterAccess, connected, finish
from jobflow.cluster.pod_logs import read_logs
from jobflow.cluster.progress import shown
from jobflow.cluster.run_state import RunSnapshot, RunStep, state_of
from jobflow.graph import FlowGraph, graph
from shared.actions.commands import command_for
from shared.kinds import COMMAND, JOBFLOW
from shared.model.phases import FlowAction
from shared.model.step import manifest_of
from shared.model.types import Body

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0  # between two looks at a flow that changes rarely


class FlowFailed(Exception):
    """The run has ended without success. `state`: its last state; `run`: the run."""

    def __init__(self, run: "FlowRun", state: RunSnapshot) -> None:
        self.run = run
        self.state = state
        outcome = state.outcome or state.phase
        lines = [f"flow {run.name} ended {outcome}: {state.message or state.reason}".rstrip(": "), *state.troubles()]
        super().__init__("\n  ".join(lines))


class FlowRun:
    """One run of a flow. Each read is a request to the cluster, until the run has ended.

    In async code `await run` waits for the end; `astate`, `alogs` and `adelete` are the twins of `state`, `logs` and
    `delete`, and `asend` sends what `stop`, `suspend`, `resume` and `retry` do.
    """

    def __init__(self, name: str, cluster: ClusterAccess, body: Body | None = None) -> None:
        self.name: Final = name
        self.namespace: Final = cluster.namespace
        self._cluster = cluster
        self._body = body

    def __repr__(self) -> str:
        state = state_of(self._body).phase if self._body else "?"
        return f"<FlowRun {self.namespace}/{self.name}, last seen {state}>"

    # --- reading ----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> RunSnapshot:
        return finish(self.astate())

    @property
    def phase(self) -> str:
        return self.state.phase

    @property
    def steps(self) -> Mapping[str, RunStep]:
        return self.state.steps

    @property
    def outputs(self) -> Mapping[str, Mapping[str, str]]:
        """The outputs of each step that has any."""
        return {step.name: step.outputs for step in self.state.steps.values() if step.outputs}

    async def astate(self) -> RunSnapshot:
        if self._body is None or not state_of(self._body).ended:
            async with connected(self._cluster) as session:
                self._body = await session.api.get(JOBFLOW, self.namespace, self.name)
        return state_of(self._body)

    def graph(self) -> FlowGraph:
        """The picture of the flow with the phases of its steps now."""
        finish(self.astate())
        assert self._body is not None, "astate has just read it"
        return graph(self._body, live=True)

    def _repr_html_(self) -> str:
        return self.graph()._repr_html_()

    def logs(self, step: str, *, job: str = "", task: str = "", container: str = "", tail: int | None = None) -> str:
        """The logs of the pods of the step's latest Job, or of the Job named `job`.

        For a step with `resource`: of the pods below its object.
        """
        return finish(self.alogs(step, job=job, task=task, container=container, tail=tail))

    async def alogs(
        self, step: str, *, job: str = "", task: str = "", container: str = "", tail: int | None = None
    ) -> str:
        state = await self.astate()
        if step not in state.steps:
            raise ValueError(f'run {self.name} has no step "{step}"; there are {", ".join(state.steps)}')
        jobs = state.steps[step].jobs
        if not job and not jobs:
            raise ValueError(f"step {step} has made no Job yet ({state.steps[step].phase})")
        async with connected(self._cluster) as session:
            made = manifest_of(self._body or {}, step)
            return await read_logs(session, job or jobs[-1], manifest=made, task=task, container=container, tail=tail)

    # --- waiting ----------------------------------------------------------------------------------------------------

    def wait(self, *, timeout: float | None = None, progress: bool = False) -> Self:
        """Wait until the run has ended. Raises FlowFailed, with the reasons, unless it succeeded, and TimeoutError
        after `timeout` seconds. `progress`: show a line that follows the run, in a notebook a table."""
        finish(self.await_end(seconds=timeout, progress=progress))
        return self

    async def await_end(self, *, seconds: float | None = None, progress: bool = False) -> Self:
        """The async twin of `wait`."""
        try:
            async with asyncio.timeout(seconds):
                state = await self._end(progress)
        except TimeoutError:
            last = state_of(self._body) if self._body else None
            said = f"; it is {last.phase}, {last.progress}: {last.waiting or last.message}" if last else ""
            raise TimeoutError(f"flow {self.name} has not ended after {seconds:g} s{said}") from None
        if not state.succeeded:
            raise FlowFailed(self, state)
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.await_end().__await__()

    async def _end(self, progress: bool) -> RunSnapshot:
        started = time.monotonic()
        with shown(self.name, progress) as show:
            async for state in self._states():
                show(state, time.monotonic() - started)
        return state

    async def _states(self) -> AsyncIterator[RunSnapshot]:
        """The state at every look, until the run has ended."""
        pause = _FIRST_PAUSE
        async with connected(self._cluster) as session:
            while True:
                before = self._body
                self._body = await session.api.get(JOBFLOW, self.namespace, self.name)
                state = state_of(self._body)
                yield state
                if state.ended:
                    return
                pause = _FIRST_PAUSE if before != self._body else min(pause * 1.5, _LONGEST_PAUSE)
                await asyncio.sleep(pause)

    # --- commands ---------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Terminate running Jobs and skip the other steps; `finally` steps run."""
        finish(self.asend(FlowAction.TERMINATE, "stop"))

    def suspend(self) -> None:
        """Start no new Jobs; running Jobs continue."""
        finish(self.asend(FlowAction.SUSPEND, "suspend"))

    def resume(self) -> None:
        finish(self.asend(FlowAction.RESUME, "resume"))

    def retry(self) -> None:
        """Run failed steps, and those skipped because of them, again."""
        finish(self.asend(FlowAction.RETRY, "retry"))

    async def asend(self, action: FlowAction, verb: str) -> None:
        """Send a Command."""
        async with connected(self._cluster) as session:
            flow = await session.api.get(JOBFLOW, self.namespace, self.name)
            await session.api.create(COMMAND, command_for(flow, action, verb, self.namespace), namespace=self.namespace)
        self._body = None

    def delete(self) -> None:
        """The JobFlow, and its Jobs with it."""
        finish(self.adelete())

    async def adelete(self) -> None:
        async with connected(self._cluster) as session:
            await session.api.delete(JOBFLOW, self.namespace, self.name)


def find_run(name: str, cluster: ClusterAccess | None = None) -> FlowRun:
    """The JobFlow of that name, whoever created it. Raises ClusterError."""
    return finish(afind_run(name, cluster))


async def afind_run(name: str, cluster: ClusterAccess | None = None) -> FlowRun:
    async with connected(cluster or ClusterAccess()) as session:
        body = await session.api.get(JOBFLOW, session.namespace, name)
        where = cluster or ClusterAccess()
        return FlowRun(name, ClusterAccess(where.kubeconfig, where.context, session.namespace), body)
