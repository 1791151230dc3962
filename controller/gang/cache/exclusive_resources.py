"""What only one pod of a node can have: a host port, or a node to itself among its like (required anti-affinity).

Such things are counted as resources of which every node has one. Their names hold a space, which no resource's can.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from shared.model.types import ReadOnlyBody
from shared.policy.selector import selects

HOSTNAME: Final = "kubernetes.io/hostname"
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_ANY: Final = ("", "0.0.0.0")


def is_exclusive(name: str) -> bool:
    return " " in name


def exclusive(pod: ReadOnlyBody) -> list[str]:
    """The names of what no second pod of a node can have."""
    return sorted({*_ports(pod.get("spec") or {}), *_alone(pod)})


def said(name: str) -> str:
    """The name for people."""
    return name.partition(" {")[0]


def _ports(spec: ReadOnlyBody) -> Iterator[str]:
    for container in spec.get("containers") or ():
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port.get("containerPort") if spec.get("hostNetwork") else None)
            if number:
                address = str(port.get("hostIP") or "")
                place = "" if address in _ANY else f"{address}:"
                yield f"host port {place}{number}/{port.get('protocol') or 'TCP'}"


def _alone(pod: ReadOnlyBody) -> Iterator[str]:
    """Terms that keep the pod from its like. The rest of affinity between pods is for the scheduler to judge."""
    affinity = ((pod.get("spec") or {}).get("affinity") or {}).get("podAntiAffinity") or {}
    metadata = pod.get("metadata") or {}
    for term in affinity.get(REQUIRED) or ():
        selector, extra = term.get("labelSelector"), set(term) - {"labelSelector", "topologyKey"}
        if term.get("topologyKey") != HOSTNAME or not isinstance(selector, Mapping) or extra:
            continue
        if selects(selector, metadata.get("labels") or {}):
            text = orjson.dumps(selector, option=orjson.OPT_SORT_KEYS).decode()
            yield f"pod of its kind {{{metadata.get('namespace', '')}: {text}}}"
