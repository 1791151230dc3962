"""Pods as members of gangs: parsed once per version."""

import msgspec

from controller.gang.cache.pod_requirements import Shape, shape_of
from shared import names
from shared.key import Key
from shared.model.types import ReadOnlyBody


class Member(msgspec.Struct, frozen=True):
    """A pod. `group`: its PodGroup, None for all others; `node`: "" until bound; `gated`: our gate holds it.

    `phase`: Succeeded, Failed, Running or Pending; `owned`: a controller makes it again when it is deleted;
    `refused`: why the scheduler cannot place it, in its words; `kept`: whoever made it wants it never to give way;
    `held`: a scheduling gate that is not ours; `queue`: the one that it was created for, which counts while its PodGroup is
    not known.
    """

    ref: Key
    uid: str
    shape: Shape
    group: Key | None = None
    node: str = ""
    gated: bool = False
    phase: str = "Pending"
    terminating: bool = False
    owned: bool = False
    task: str = ""
    index: int = 0
    priority: int = 0
    refused: str = ""
    kept: bool = False
    held: str = ""
    queue: str = ""

    @property
    def finished(self) -> bool:
        return self.phase in ("Succeeded", "Failed")

    @property
    def holds(self) -> bool:
        """It takes room on its node."""
        return bool(self.node) and not self.finished

    @property
    def expected(self) -> bool:
        """The scheduler is to bind it: nothing of ours holds it back."""
        return not self.node and not self.gated and not self.finished and not self.terminating

    @property
    def may_go(self) -> bool:
        """It may be evicted with its group: it comes again, and nobody has forbidden it."""
        return self.finished or self.gated or (self.owned and not self.kept)

    @property
    def waits(self) -> bool:
        """It waits for its gang."""
        return self.gated and not self.node and not self.finished and not self.terminating


def member_of(pod: ReadOnlyBody) -> Member:
    metadata, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    annotations = metadata.get("annotations") or {}
    namespace, group = metadata.get("namespace", ""), annotations.get(names.GROUP_NAME)
    index = str(annotations.get(names.TASK_INDEX) or "")
    gates = [each.get("name") for each in spec.get("schedulingGates") or ()]
    return Member(
        ref=Key(namespace, metadata["name"]),
        uid=metadata.get("uid", ""),
        shape=shape_of(pod),
        group=Key(namespace, group) if group else None,
        node=spec.get("nodeName") or "",
        gated=names.GANG_GATE in gates,
        phase=_phase(status),
        terminating="deletionTimestamp" in metadata,
        owned=any(each.get("controller") for each in metadata.get("ownerReferences") or ()),
        task=str(annotations.get(names.TASK_SPEC) or ""),
        index=int(index) if index.isdecimal() else 0,
        priority=spec.get("priority") or 0,
        refused=_refused(status) if group else "",
        held=next((str(gate) for gate in gates if gate != names.GANG_GATE), ""),
        kept=annotations.get(names.PREEMPTABLE) == "false",
        queue=str(annotations.get(names.QUEUE_NAME) or names.DEFAULT_QUEUE) if group else "",
    )


def _phase(status: ReadOnlyBody) -> str:
    phase = str(status.get("phase") or "Pending")
    return phase if phase in ("Succeeded", "Failed", "Running") else "Pending"


def _refused(status: ReadOnlyBody) -> str:
    for each in status.get("conditions") or ():
        if each.get("type") == "PodScheduled" and each.get("status") == "False":
            return str(each.get("message") or "unschedulable") if each.get("reason") == "Unschedulable" else ""
    return ""
