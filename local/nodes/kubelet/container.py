"""One run of one container, simulated or as a local process."""

import asyncio
import contextlib
import math

from local.nodes.kubelet import process, volumes
from local.nodes.kubelet.behaviour import ContainerBehaviour
from local.nodes.kubelet.container_paths import relocate
from local.nodes.kubelet.environment import VolumeSources, expand, under, variables
from local.nodes.kubelet.host import NODE_IP, KubeletContext
from local.nodes.kubelet.process import ExitResult, GracePeriod
from shared.model.types import Body

MESSAGE_PATH = "/dev/termination-log"
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
        return ExitResult(plan.exit_code, plan.message.encode())
    return ExitResult(_KILLED)


async def prepare(host: KubeletContext, pod: Body, container: Body, pod_ip: str) -> process.LocalCommand:
    """Prepare environment, files and command line. Raises WaitingError while a ConfigMap or Secret is missing."""
    sources = VolumeSources(host.client, pod["metadata"]["namespace"])
    folder = host.pod_folder(pod["metadata"]["uid"])
    status = {"podIP": pod_ip, "hostIP": NODE_IP}
    known = await variables(pod, container, status, sources)
    root = folder / "roots" / container["name"]
    root.mkdir(parents=True, exist_ok=True)
    folders = await volumes.materialise(pod, status, folder / "volumes", host.scratch / "claims", sources)
    volumes.mount(container, folders, root, known)
    argv = [expand(word, known) for word in (*(container.get("command") or []), *(container.get("args") or []))]
    message_path = container.get("terminationMessagePath") or MESSAGE_PATH
    paths = [message_path, *(each["mountPath"] for each in container.get("volumeMounts") or [])]
    workdir = under(root, container["workingDir"]) if container.get("workingDir") else root
    return process.LocalCommand(
        argv=relocate(argv, paths, root),
        variables=known,
        root=root,
        workdir=workdir,
        log=host.log(pod["metadata"]["uid"], container["name"]),
        message_path=under(root, message_path),
    )


async def await_sources(host: KubeletContext, pod: Body, container: Body, pod_ip: str) -> None:
    """For a simulated container. Raises WaitingError while a ConfigMap or Secret that it needs is missing."""
    sources = VolumeSources(host.client, pod["metadata"]["namespace"])
    await volumes.await_sources(pod, sources)
    await variables(pod, container, {"podIP": pod_ip, "hostIP": NODE_IP}, sources)


async def execute(command: process.LocalCommand, stopping: asyncio.Event, grace: GracePeriod) -> ExitResult:
    return await process.run(command, stopping, grace)


def write_output(host: KubeletContext, pod: Body, container: str, output: str) -> None:
    """Write the output of a simulated container."""
    log = host.log(pod["metadata"]["uid"], container)
    with contextlib.suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as stream:
            stream.write(output)


def read_log(host: KubeletContext, pod: Body, container: str) -> bytes:
    """What the last run of the container printed."""
    with contextlib.suppress(OSError):
        return host.log(pod["metadata"]["uid"], container).read_bytes()
    return b""


def rotate_log(host: KubeletContext, pod: Body, container: str) -> None:
    """Keep the output of the last run for `kubectl logs --previous`."""
    uid = pod["metadata"]["uid"]
    with contextlib.suppress(FileNotFoundError):
        host.log(uid, container).replace(host.log(uid, container, previous=True))
