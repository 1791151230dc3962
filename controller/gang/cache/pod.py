"""Pods as admission sees them, parsed once per version."""

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.gang.cache.pod_requirements import PodRequirements, requirements_of
from shared import names
from shared.key import Key


class PodInfo(msgspec.Struct, frozen=True):
    """`group`: its PodGroup, None for a pod without; `queue`: the queue that it was created for, which counts while its
    PodGroup is not in the cache; `version`: of the Job when it was created, None for pods of others; `node`: "" until
    bound; `gated`: it has our scheduling gate; `foreign_gate`: a scheduling gate that is not ours.

    `phase`: Succeeded, Failed, Running or Pending; `owned`: a controller creates it again when it is deleted;
    `unschedulable`: why the scheduler cannot bind it, as the scheduler says; `not_preemptable`: its creator forbids to
    evict it.
    """

    key: Key
    uid: str
    requirements: PodRequirements
    group: Key | None = None
    queue: str = ""
    version: int | None = None
    node: str = ""
    gated: bool = False
    foreign_gate: str = ""
    phase: str = "Pending"
    terminating: bool = False
    owned: bool = False
    task: str = ""
    index: int = 0
    priority: int = 0
    unschedulable: str = ""
    not_preemptable: bool = False

    @property
    def finished(self) -> bool:
        return self.phase in ("Succeeded", "Failed")

    @property
    def occupies_node(self) -> bool:
        """Its requests count on its node."""
        return bool(self.node) and not self.finished

    @property
    def awaits_binding(self) -> bool:
        """Nothing but the scheduler keeps it from running."""
        return not self.node and not self.gated and not self.finished and not self.terminating

    @property
    def awaits_gang(self) -> bool:
        return self.gated and not self.node and not self.finished and not self.terminating

    @property
    def group_version(self) -> int | None:
        """The version of the group that it belongs to; None for any: completed pods are kept when the Job is suspended
        and its group deleted."""
        return None if self.phase == "Succeeded" and not self.terminating else self.version

    @property
    def counts_for_minimum(self) -> bool:
        """It has no gate and is there to stay, whether it is bound, running or finished."""
        return not self.gated and not self.terminating

    @property
    def evictable(self) -> bool:
        """It may be evicted with its group: it is created again, and nothing forbids it."""
        return self.finished or self.gated or (self.owned and not self.not_preemptable)


class Ungating(msgspec.Struct, frozen=True):
    """An admitted pod that still has the gate. `node`: the only one that it may go to, "" for any."""

    pod: PodInfo
    node: str = ""


def pod_info_of(pod: Mapping[str, Any]) -> PodInfo:
    """A stored pod. Malformed fields count as absent."""
    metadata, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    annotations = metadata.get("annotations") or {}
    namespace, group = metadata.get("namespace", ""), annotations.get(names.GROUP_NAME)
    gates = [each.get("name") for each in spec.get("schedulingGates") or ()]
    return PodInfo(
        key=Key(namespace, metadata["name"]),
        uid=metadata.get("uid", ""),
        requirements=requirements_of(pod),
        group=Key(namespace, group) if group else None,
        queue=str(annotations.get(names.QUEUE_NAME) or names.DEFAULT_QUEUE) if group else "",
        version=number(annotations.get(names.JOB_VERSION)),
        node=spec.get("nodeName") or "",
        gated=names.GANG_GATE in gates,
        foreign_gate=next((str(gate) for gate in gates if gate != names.GANG_GATE), ""),
        phase=_phase(status),
        terminating="deletionTimestamp" in metadata,
        owned=any(each.get("controller") for each in metadata.get("ownerReferences") or ()),
        task=str(annotations.get(names.TASK_SPEC) or ""),
        index=number(annotations.get(names.TASK_INDEX)) or 0,
        priority=spec.get("priority") or 0,
        unschedulable=_unschedulable(status) if group else "",
        not_preemptable=annotations.get(names.PREEMPTABLE) == "false",
    )


def number(text: Any) -> int | None:
    """The value of an annotation that holds a decimal number; None for anything else."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _phase(status: Mapping[str, Any]) -> str:
    phase = str(status.get("phase") or "Pending")
    return phase if phase in ("Succeeded", "Failed", "Running") else "Pending"


def _unschedulable(status: Mapping[str, Any]) -> str:
    for each in status.get("conditions") or ():
        if each.get("type") == "PodScheduled" and each.get("status") == "False":
            return str(each.get("message") or "unschedulable") if each.get("reason") == "Unschedulable" else ""
    return ""
