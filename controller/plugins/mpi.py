"""`mpi`: the master gets its workers as MPI_HOST and as a host file (docs/design/volcano-behaviour.md, section 4.6;
docs/design/decisions.md, row 21).
"""

from typing import ClassVar, Final

from controller.plugin_api import (
    OwnedObject,
    PluginContext,
    PluginJob,
    PodSlot,
    map_containers,
    owned_object,
    with_env,
    with_port,
)
from shared.kinds import CONFIGMAP
from shared.model.types import Body
from shared.plugins.arguments import MpiArguments

# A key of svc's ConfigMap, which svc mounts at /etc/volcano in every container: the file is /etc/volcano/mpi.host.
HOST_FILE: Final = "mpi.host"


class MpiPlugin:
    name: ClassVar[str] = "mpi"

    def shape(self, pod: Body, slot: PodSlot, job: PluginJob, args: MpiArguments) -> Body:
        """Opens ssh's port on every container and sets MPI_HOST on those of the master, unless there is no worker task."""
        domains = _workers(job, args)
        if slot.task != args.master:
            return map_containers(pod, lambda container: with_port(container, args.port, "mpijob-port"))
        if domains is None:
            return pod
        variable = {"name": "MPI_HOST", "value": ",".join(domains)}
        return map_containers(
            pod, lambda container: with_port(with_env(container, [variable]), args.port, "mpijob-port")
        )

    def objects(self, job: PluginJob, args: MpiArguments, context: PluginContext) -> tuple[OwnedObject, ...]:
        """The host file in Open MPI's format, one `HOST slots=N` a line.

        A task that is itself called `mpi` has its own host list in a file of the same name; that one stays, as in
        Volcano.
        """
        domains = _workers(job, args)
        if domains is None:
            return ()
        lines = "".join(f"{domain} slots={args.slots}\n" for domain in domains)
        return (owned_object(job, CONFIGMAP, f"{job.name}-svc", follows=("data",), data={HOST_FILE: lines}),)


def _workers(job: PluginJob, args: MpiArguments) -> list[str] | None:
    worker = job.task(args.worker)
    return None if worker is None else [host.domain for host in job.hosts(worker)]
