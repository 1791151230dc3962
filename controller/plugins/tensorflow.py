"""`tensorflow`: TF_CONFIG for tf.distribute and TFJob-style programs (docs/design/volcano-behaviour.md, section 4.4)."""

import json
from typing import ClassVar, Final

from controller.plugin_api import PluginJob, PodSlot, map_containers, with_env
from shared.model.types import Body
from shared.plugins.arguments import TensorflowArguments

ROLES: Final = ("ps", "worker", "chief", "evaluator")


class TensorflowPlugin:
    name: ClassVar[str] = "tensorflow"

    def shape(self, pod: Body, slot: PodSlot, job: PluginJob, args: TensorflowArguments) -> Body:
        """A Job of one pod gets none: TensorFlow takes a TF_CONFIG as a request to distribute."""
        if len(job.tasks) == 1 and job.tasks[0].replicas == 1:
            return pod
        variable = {"name": "TF_CONFIG", "value": _config(slot, job, args)}
        return map_containers(pod, lambda container: with_env(container, [variable]), init=False)


def _config(slot: PodSlot, job: PluginJob, args: TensorflowArguments) -> str:
    cluster: dict[str, list[str]] = {}
    kind = slot.task
    for role in ROLES:
        name = getattr(args, role)
        task = job.task(name)
        if task and task.replicas:
            members = range(task.replicas)
            cluster[role] = [f"{job.host(task, index).domain}:{args.port}" for index in members]
        if name == slot.task:
            kind = role
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": slot.index}}, separators=(",", ":"))
