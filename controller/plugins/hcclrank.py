"""`hcclrank`: the rank annotation that Huawei's collective library reads (docs/design/volcano-behaviour.md, section
4.8).
"""

from typing import ClassVar

from controller.plugin_api import PluginJob, PodSlot
from shared import names
from shared.model.types import Body
from shared.plugins.arguments import HcclrankArguments


class HcclrankPlugin:
    name: ClassVar[str] = "hcclrank"

    def shape(self, pod: Body, slot: PodSlot, job: PluginJob, args: HcclrankArguments) -> Body:
        """An annotation set by the user stays; otherwise a container's RANK, otherwise the position among masters and
        workers.
        """
        metadata = pod["metadata"]
        annotations = metadata.get("annotations") or {}
        rank = _variable(pod) or _place(slot, job, args)
        if rank is None or annotations.get(names.HCCL_RANK_INDEX):
            return pod
        return {**pod, "metadata": {**metadata, "annotations": {**annotations, names.HCCL_RANK_INDEX: rank}}}


def _variable(pod: Body) -> str | None:
    return next(
        (
            str(variable["value"])
            for container in pod["spec"].get("containers") or ()
            for variable in container.get("env") or ()
            if variable.get("name") == "RANK" and variable.get("value")
        ),
        None,
    )


def _place(slot: PodSlot, job: PluginJob, args: HcclrankArguments) -> str | None:
    master = job.task(args.master)
    first = {args.worker: master.replicas if master else 0, args.master: 0}.get(slot.task)
    return None if first is None else str(first + slot.index)
