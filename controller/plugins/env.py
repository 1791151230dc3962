"""`env`: every container gets the index of its pod in the task (docs/design/volcano-behaviour.md, section 4.1)."""

from typing import ClassVar

from controller.plugin_api import PluginJob, PodSlot, map_containers, with_env
from shared.model.types import Body
from shared.plugins.arguments import EnvArguments

INDEX_VARIABLES = ("VK_TASK_INDEX", "VC_TASK_INDEX")


class EnvPlugin:
    name: ClassVar[str] = "env"

    def shape(self, pod: Body, slot: PodSlot, job: PluginJob, args: EnvArguments) -> Body:
        variables = [{"name": name, "value": str(slot.index)} for name in INDEX_VARIABLES]
        return map_containers(pod, lambda container: with_env(container, variables))
