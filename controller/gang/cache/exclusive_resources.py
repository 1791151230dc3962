"""Resources that only one pod of a node can have: a host port, or a node without another pod with the same labels
(required anti-affinity).

They are counted as resources of which every node has one. Their names contain a space, which no resource name can.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from shared.policy.selector import selects

HOSTNAME: Final = "kubernetes.io/hostname"
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_ANY_ADDRESS: Final = ("", "0.0.0.0")


def is_exclusive(resource: str) -> bool:
    return " " in resource


def exclusive_resources(pod: Mapping[str, Any]) -> list[str]:
    """The names of the exclusive resources that this pod or pod template takes on its node."""
    return sorted({*_host_ports(pod.get("spec") or {}), *_anti_affinity_to_itself(pod)})


def display_name(resource: str) -> str:
    return resource.partition(" {")[0]


def _host_ports(spec: Mapping[str, Any]) -> Iterator[str]:
    for container in spec.get("containers") or ():
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port.get("containerPort") if spec.get("hostNetwork") else None)
            if number:
                address = str(port.get("hostIP") or "")
                prefix = "" if address in _ANY_ADDRESS else f"{address}:"
                yield f"host port {prefix}{number}/{port.get('protocol') or 'TCP'}"


def _anti_affinity_to_itself(pod: Mapping[str, Any]) -> Iterator[str]:
    """Terms that select the pod itself. All other affinity between pods is left to the scheduler."""
    affinity = ((pod.get("spec") or {}).get("affinity") or {}).get("podAntiAffinity") or {}
    metadata = pod.get("metadata") or {}
    for term in affinity.get(REQUIRED) or ():
        selector, extra = term.get("labelSelector"), set(term) - {"labelSelector", "topologyKey"}
        if term.get("topologyKey") != HOSTNAME or not isinstance(selector, Mapping) or extra:
            continue
        if selects(selector, metadata.get("labels") or {}):
            text = orjson.dumps(selector, option=orjson.OPT_SORT_KEYS).decode()
            yield f"pod of its kind {{{metadata.get('namespace', '')}: {text}}}"
