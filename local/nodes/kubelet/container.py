"""One run of one container, simulated or as a local process."""

import asyncio
import contextlib
import math

from local.nodes.kubelet import process
from local.nodes.kubelet.behaviour import ContainerBehaviour
from local.nodes.kubelet.environment import VolumeSources, expand, under, variables
from local.nodes.kubelet.host import NODE_IP, KubeletContext
from local.nodes.kubelet.process import ExitResult, GracePeriod
from local.nodes.kubelet.volumes import materialise, mount
from shared.model.types import Body

_KILLED = 143


async def simulate(
    plan: ContainerBehaviour, host: KubeletContext, elapsed: float, stopping: asyncio.Event
) -> ExitResult:
    """Wait for the simulated duration; being stopped is an exit by SIGTERM. `elapsed`: real seconds already run."""
    seconds = None if math.isinf(plan.seconds) else max(host.settings.simulated(plan.seconds) - elapsed, 0.0)
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return ExitResult(plan.exit_code, plan.message)
    return ExitResult(_KILLED)


async def prepare(host: KubeletContext, pod: Body, container: Body, pod_ip: str) -> process.LocalCommand:
    """Prepare environment, files and command line. Raises WaitingError while a ConfigMap or Secret is missing."""
    sources = VolumeSources(host.client, pod["metadata"]["namespace"])
    folder = host.pod_folder(pod["metadata"]["uid"])
    status = {"podIP": pod_ip, "hostIP": NODE_IP}
    known = await variables(pod, container, status, sources)
    root = folder / "roots" / container["name"]
    root.mkdir(parents=True, exist_ok=True)
    volumes = await materialise(pod, status, folder / "volumes", host.scratch / "claims", sources)
    mount(container, volumes, root, known)
    argv = [*(container.get("command") or []), *(container.get("args") or [])]
    workdir = under(root, container["workingDir"]) if container.get("workingDir") else root
    return process.LocalCommand(
        argv=[expand(word, known) for word in argv],
        variables=known,
        root=root,
        workdir=workdir,
        log=host.log(pod["metadata"]["uid"], container["name"]),
        message_path=under(root, container.get("terminationMessagePath") or "/dev/termination-log"),
    )


async def execute(command: process.LocalCommand, stopping: asyncio.Event, grace: GracePeriod) -> ExitResult:
    return await process.run(command, stopping, grace)


def write_output(host: KubeletContext, pod: Body, container: str, output: str) -> None:
    """Write the output of a simulated container."""
    log = host.log(pod["metadata"]["uid"], container)
    with contextlib.suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as stream:
            stream.write(output)


def rotate_log(host: KubeletContext, pod: Body, container: str) -> None:
    """Keep the output of the last run for `kubectl logs --previous`."""
    uid = pod["metadata"]["uid"]
    with contextlib.suppress(FileNotFoundError):
        host.log(uid, container).replace(host.log(uid, container, previous=True))
