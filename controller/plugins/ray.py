"""`ray`: pods of one task become the head of a Ray cluster, pods of another join it (docs/design/volcano-behaviour.md,
section 4.7).
"""

from typing import ClassVar

from controller.plugin_api import (
    OwnedObject,
    PluginContext,
    PluginJob,
    PodSlot,
    map_containers,
    owned_object,
    with_port,
)
from shared import names
from shared.kinds import SERVICE
from shared.model.types import Body
from shared.plugins.arguments import RayArguments


class RayPlugin:
    name: ClassVar[str] = "ray"

    def shape(self, pod: Body, slot: PodSlot, job: PluginJob, args: RayArguments) -> Body:
        """Changes only the container that is named for its role. Its `args` stay, as in Volcano."""

        def change(container: Body) -> Body:
            if slot.task == args.head and container.get("name") == args.head_container:
                return _as_head(container, args)
            if slot.task == args.worker and container.get("name") == args.worker_container:
                return _as_worker(container, job, args)
            return container

        return map_containers(pod, change, init=False)

    def objects(self, job: PluginJob, args: RayArguments, context: PluginContext) -> tuple[OwnedObject, ...]:
        """The Service for clients. Target ports are numbers, since a port name fails where the user named the port
        differently.
        """
        ports = [
            {"name": name, "port": number, "targetPort": number, "protocol": "TCP"} for name, number in _ports(args)
        ]
        selector = {**job.selector, names.TASK_SPEC: args.head}
        return (owned_object(job, SERVICE, f"{job.name}-head-svc", spec={"selector": selector, "ports": ports}),)


def _ports(args: RayArguments) -> tuple[tuple[str, int], ...]:
    return ("gcs", args.port), ("dashboard", args.dashboard_port), ("client-server", args.client_port)


def _as_head(container: Body, args: RayArguments) -> Body:
    for name, number in _ports(args):
        container = with_port(container, number, name)
    start = (
        f"ray start --head --block --dashboard-host=0.0.0.0 --port={args.port} "
        f"--dashboard-port={args.dashboard_port} --ray-client-server-port={args.client_port}"
    )
    return {**container, "command": ["sh", "-c", start]}


def _as_worker(container: Body, job: PluginJob, args: RayArguments) -> Body:
    head = job.task(args.head)
    if head is None:
        return container
    address = f"{job.host(head, 0).domain}:{args.port}"
    return {**container, "command": ["sh", "-c", f"ray start --block --address={address}"]}
