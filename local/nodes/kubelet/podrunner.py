"""Runs one pod on a simulated node, from binding to removal."""

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping

import aiohttp

from local.client.rest import RestError, patiently
from local.nodes.kubelet import images, termination
from local.nodes.kubelet import probe as readiness
from local.nodes.kubelet.behaviour import ContainerBehaviour, plan, runs_processes
from local.nodes.kubelet.container import await_sources, execute, prepare, read_log, rotate_log, simulate, write_output
from local.nodes.kubelet.environment import WaitingError
from local.nodes.kubelet.host import NODE_IP, KubeletContext
from local.nodes.kubelet.process import ExitResult, GracePeriod, LocalCommand
from local.nodes.kubelet.status import ContainerState, PodFacts, pod_status
from local.nodes.timestamps import now_text, seconds
from shared.model.types import Body

_LOG = logging.getLogger("nodes")
_GATHER = 0.005  # changes within this time are written together
_BACKOFF, _BACKOFF_MAX = 10.0, 300.0
_RETRY = 1.0
_KILLED = 137


class PodRunner:
    """`pod`: the newest object seen; the kubelet keeps it up to date and calls `stop` when it is being deleted."""

    def __init__(self, host: KubeletContext, pod: Body) -> None:
        self.pod = pod
        self._host = host
        self._stopping = asyncio.Event()
        self._dirty = asyncio.Event()
        self._one_write = asyncio.Lock()
        self._grace = GracePeriod(float(pod["spec"].get("terminationGracePeriodSeconds", 30)))
        self._failure = ("", "")
        self.finished = False
        status = pod.get("status") or {}
        self._start_time = status.get("startTime") or now_text()
        self._ip = status.get("podIP") or host.address(runs_processes(pod, host.settings))
        host.used.add(self._ip)
        self._states = _states(pod)

    async def run(self) -> None:
        """Run until the pod has ended, or was deleted and removed."""
        writing = asyncio.create_task(self._keep_writing())
        try:
            await self._live()
        finally:
            async with self._one_write:  # a cancelled request may still reach the server, after the next one
                writing.cancel()
        await self._write()
        await self._stopping.wait()
        await self._remove()

    def stop(self, grace: float) -> None:
        self._grace.seconds = min(self._grace.seconds, grace)
        self._stopping.set()

    async def _live(self) -> None:
        missing = {id(state): why for state in self._states if (why := images.obstacle(self.pod, state.container))}
        if missing:
            await self._wait_for_images(missing)
            return
        try:
            async with asyncio.timeout(self._deadline()):
                await self._run_containers()
        except TimeoutError:
            self._failure = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
        self._close()
        self.finished = True

    async def _wait_for_images(self, missing: Mapping[int, images.ImageObstacle]) -> None:
        """Report the images until the pod is deleted: first the failure, then the back-off."""
        for again in (False, True):
            for state in self._states:
                if (why := missing.get(id(state))) is not None:
                    state.state = {"waiting": why.waiting(again)}
            self._dirty.set()
            await self._pause(self._host.settings.simulated(_BACKOFF))
        await self._stopping.wait()

    def _close(self) -> None:
        """Mark containers that still ran (sidecars, or all after the deadline) as killed with the pod."""
        for state in self._states:
            if "running" in state.state:
                begun = state.state["running"]["startedAt"]
                code = 0 if state.sidecar and not self._failure[0] else _KILLED
                state.ready, state.state = False, self._terminated(state, ExitResult(code), begun)

    def _deadline(self) -> float | None:
        limit = self.pod["spec"].get("activeDeadlineSeconds")
        return None if limit is None else max(limit - (time.time() - seconds(self._start_time)), 0.0)

    async def _run_containers(self) -> None:
        sidecars = []
        policy = self.pod["spec"].get("restartPolicy", "Always")
        try:
            for state in self._states:
                if state.sidecar:
                    sidecars.append(asyncio.create_task(self._until_done(state, "Always")))
                elif state.init:
                    await self._until_done(state, "Never" if policy == "Never" else "OnFailure")
                    if state.exit_code != 0:
                        return
            async with asyncio.TaskGroup() as group:
                for state in self._states:
                    if not state.init:
                        group.create_task(self._until_done(state, policy))
        finally:
            for task in sidecars:
                task.cancel()

    async def _until_done(self, state: ContainerState, policy: str) -> None:
        while not self._stopping.is_set():
            if state.exit_code is None:
                await self._once(state)
            if self._stopping.is_set() or policy == "Never" or (policy == "OnFailure" and state.exit_code == 0):
                return
            await self._back_off(state)

    async def _back_off(self, state: ContainerState) -> None:
        pause = min(_BACKOFF * 2**state.restarts, _BACKOFF_MAX) if state.restarts else 0.0
        state.last, state.restarts = state.state, state.restarts + 1
        if pause:
            state.state = {"waiting": {"reason": "CrashLoopBackOff", "message": f"back-off {pause:.0f}s restarting"}}
            self._dirty.set()
            await self._pause(self._host.settings.simulated(pause))
        state.state = {"waiting": {"reason": "ContainerCreating"}}

    async def _pause(self, seconds: float) -> None:
        """Sleep, but return early when the pod is deleted."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _once(self, state: ContainerState) -> None:
        name = state.container["name"]
        taken_over = state.state.get("running")
        if taken_over is None:
            rotate_log(self._host, self.pod, name)
            state.run = f"standin://{uuid.uuid4().hex}"
        what = plan(self.pod, state.container, self._host.next_run(self.pod, name), self._host.settings)
        command = await self._prepared(state, what)
        if self._stopping.is_set():
            return
        begun = now_text() if taken_over is None else taken_over["startedAt"]
        state.state = {"running": {"startedAt": begun}}
        getting_ready = self._get_ready(state, what)
        self._dirty.set()
        try:
            ended = await self._course(state, what, command, time.time() - seconds(begun) if taken_over else 0.0)
        finally:
            if getting_ready is not None:
                getting_ready.cancel()
            state.ready = False
        state.state = self._terminated(state, ended, begun)
        self._dirty.set()

    def _terminated(self, state: ContainerState, ended: ExitResult, begun: str) -> Body:
        log = b"" if ended.message else read_log(self._host, self.pod, state.container["name"])
        message = termination.message(self.pod, state.container, ended.code, ended.message, log)
        made = {
            "exitCode": ended.code,
            "reason": ended.reason or ("Error" if ended.code else "Completed"),
            "startedAt": begun,
            "finishedAt": now_text(),
            "containerID": state.run,
        }
        return {"terminated": made | ({"message": message} if message else {})}

    async def _course(
        self, state: ContainerState, what: ContainerBehaviour, command: LocalCommand | None, elapsed: float
    ) -> ExitResult:
        if command is not None:
            return await execute(command, self._stopping, self._grace)
        if what.output:
            write_output(self._host, self.pod, state.container["name"], what.output)
        return await simulate(what, self._host, elapsed, self._stopping)

    async def _prepared(self, state: ContainerState, what: ContainerBehaviour) -> LocalCommand | None:
        """The command of a process (None for a simulated one), after waiting for all objects that it needs."""
        while not self._stopping.is_set():
            try:
                if what.process:
                    return await prepare(self._host, self.pod, state.container, self._ip)
                await await_sources(self._host, self.pod, state.container, self._ip)
                return None
            except WaitingError as why:
                state.state = {"waiting": {"reason": why.reason} | ({"message": why.message} if why.message else {})}
                self._dirty.set()
            except (RestError, aiohttp.ClientError, TimeoutError) as error:
                _LOG.info("preparing %s: %s", self.pod["metadata"]["name"], error)
            await self._pause(_RETRY)
        return None

    def _get_ready(self, state: ContainerState, what: ContainerBehaviour) -> asyncio.Task[None] | None:
        probe = state.container.get("readinessProbe")
        if not probe and not what.ready_after:
            state.ready = True
            return None
        return asyncio.create_task(self._become_ready(state, what, probe or {}))

    async def _become_ready(self, state: ContainerState, what: ContainerBehaviour, probe: Body) -> None:
        if what.process and what.ready_after is None:
            await readiness.until_ready(probe, state.container, self._ip)
        else:
            delay = probe.get("initialDelaySeconds", 0) if what.ready_after is None else what.ready_after
            await asyncio.sleep(self._host.settings.simulated(delay))
        state.ready = True
        self._dirty.set()

    async def _keep_writing(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(_GATHER)
            self._dirty.clear()
            await self._write()

    async def _write(self) -> None:
        facts = PodFacts(self._start_time, NODE_IP, self._ip, self._failure, self.finished)
        body = {
            "metadata": {"uid": self.pod["metadata"]["uid"]},
            "status": pod_status(self.pod, self._states, facts, now_text()),
        }
        try:
            async with self._one_write:
                await patiently(self._host.client.patch, f"{self._path}/status", body)
        except (RestError, aiohttp.ClientError, TimeoutError) as error:
            _LOG.info("status of %s: %s", self._path, error)

    async def _remove(self) -> None:
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.pod["metadata"]["uid"]}}
        try:
            await patiently(self._host.client.delete, self._path, body)
        except (RestError, aiohttp.ClientError, TimeoutError) as error:
            if isinstance(error, RestError) and error.code == 404:
                return
            _LOG.info("removing %s: %s", self._path, error)

    @property
    def _path(self) -> str:
        meta = self.pod["metadata"]
        return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"


def _states(pod: Body) -> list[ContainerState]:
    """One state for each container, from the reported status if there is one."""
    spec, status = pod["spec"], pod.get("status") or {}
    before = {
        each["name"]: each
        for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    }
    made = [ContainerState(each, init=True) for each in spec.get("initContainers") or []]
    made += [ContainerState(each) for each in spec["containers"]]
    for state in made:
        old = before.get(state.container["name"])
        if old is not None and old.get("state"):
            state.state, state.last = old["state"], old.get("lastState") or {}
            state.restarts, state.run = old.get("restartCount", 0), old.get("containerID", "")
    return made
