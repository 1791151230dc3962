"""`svc`: pods of a Job find each other by name (volcano-behaviour.md 4.2).

A headless Service gives every pod a DNS name, a ConfigMap holds the host lists of all tasks (files under /etc/volcano
and VC_* variables), and a NetworkPolicy keeps other pods out.
"""

from typing import ClassVar, Final

from controller.plugin_api import (
    Given,
    JobShape,
    Owned,
    PodSlot,
    map_containers,
    owned,
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

    def shape(self, pod: Body, slot: PodSlot, job: JobShape, args: SvcArguments) -> Body:
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

    def objects(self, job: JobShape, args: SvcArguments, given: Given) -> tuple[Owned, ...]:
        """The ConfigMap follows the Job's scale; Service and NetworkPolicy are made once."""
        service = {
            "clusterIP": "None",
            "selector": job.selector,
            "publishNotReadyAddresses": args.publish_not_ready_addresses,
        }
        made = (
            owned(job, CONFIGMAP, f"{job.name}-svc", follows=("data",), data=_host_lists(job)),
            owned(job, SERVICE, job.name, spec=service),
        )
        if args.disable_network_policy:
            return made
        return (*made, owned(job, NETWORKPOLICY, job.name, spec=_isolation(job, given)))


def _host_lists(job: JobShape) -> dict[str, str]:
    data: dict[str, str] = {}
    for task in job.tasks:
        domains = [host.domain for host in job.hosts(task)]
        hosts, number = _variables(task.name)
        data |= {f"{_key(task.name)}.host": "\n".join(domains), hosts: ",".join(domains), number: str(len(domains))}
    return data


def _isolation(job: JobShape, given: Given) -> Body:
    """Only pods of the Job, and our controller's HTTP and TCP probes (jobflow-api.md 4), reach its pods."""
    mates = {"podSelector": {"matchLabels": job.selector}}
    prober = {"namespaceSelector": {}, "podSelector": {"matchLabels": dict(given.controller_labels)}}
    return {
        "podSelector": {"matchLabels": job.selector},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [mates]}, {"from": [prober]}],
    }
