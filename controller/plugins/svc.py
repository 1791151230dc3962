"""`svc`: pods of a Job find each other by name (docs/design/volcano-behaviour.md, section 4.2).

A headless Service gives every pod a DNS name, a ConfigMap holds the host lists of all tasks (files under /etc/volcano
and VC_* variables), and a NetworkPolicy blocks other pods.
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
    with_mount,
    with_spec,
    with_volume,
)
from shared.kinds import CONFIGMAP, NETWORKPOLICY, SERVICE
from shared.model.types import Body
from shared.plugins.arguments import SvcArguments

HOSTS_FOLDER: Final = "/etc/volcano"


def _key(task: str) -> str:
    return task.replace("-", "_")


def _variables(task: str) -> tuple[str, str]:
    prefix = f"VC_{_key(task).upper()}"
    return f"{prefix}_HOSTS", f"{prefix}_NUM"


class SvcPlugin:
    name: ClassVar[str] = "svc"

    def shape(self, pod: Body, slot: PodSlot, job: PluginJob, args: SvcArguments) -> Body:
        spec, hosts = pod["spec"], f"{job.name}-svc"
        named = with_spec(
            pod,
            hostname=spec.get("hostname") or pod["metadata"]["name"],
            subdomain=spec.get("subdomain") or job.name,
        )
        variables = [
            {"name": name, "valueFrom": {"configMapKeyRef": {"name": hosts, "key": name}}}
            for task in job.tasks
            for name in _variables(task.name)
            if args.inject_hosts_env
        ]
        mount = {"name": hosts, "mountPath": HOSTS_FOLDER}
        mounted = with_volume(named, {"name": hosts, "configMap": {"name": hosts}})
        return map_containers(mounted, lambda container: with_mount(with_env(container, variables), mount))

    def objects(self, job: PluginJob, args: SvcArguments, context: PluginContext) -> tuple[OwnedObject, ...]:
        """The ConfigMap follows the Job's scale; Service and NetworkPolicy are created once."""
        service = {
            "clusterIP": "None",
            "selector": job.selector,
            "publishNotReadyAddresses": args.publish_not_ready_addresses,
        }
        made = (
            owned_object(job, CONFIGMAP, f"{job.name}-svc", follows=("data",), data=_host_lists(job)),
            owned_object(job, SERVICE, job.name, spec=service),
        )
        if args.disable_network_policy:
            return made
        return (*made, owned_object(job, NETWORKPOLICY, job.name, spec=_isolation(job, context)))


def _host_lists(job: PluginJob) -> dict[str, str]:
    data: dict[str, str] = {}
    for task in job.tasks:
        domains = [host.domain for host in job.hosts(task)]
        hosts, number = _variables(task.name)
        data |= {f"{_key(task.name)}.host": "\n".join(domains), hosts: ",".join(domains), number: str(len(domains))}
    return data


def _isolation(job: PluginJob, context: PluginContext) -> Body:
    """Only pods of the Job, and this controller's HTTP and TCP probes (docs/design/jobflow-api.md, section 4), reach
    its pods.
    """
    mates = {"podSelector": {"matchLabels": job.selector}}
    prober = {"namespaceSelector": {}, "podSelector": {"matchLabels": dict(context.controller_labels)}}
    return {
        "podSelector": {"matchLabels": job.selector},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [mates]}, {"from": [prober]}],
    }
