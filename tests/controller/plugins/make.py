"""Builders for plugin tests: a Job of tasks with plugins, and its pods."""

from typing import Any

from controller.plugin_api import PluginJob, PodSlot, plugin_job
from controller.plugins import shape_pod
from shared.model.job import Job, JobSpec, TaskSpec
from shared.model.meta import ObjectMeta
from shared.model.types import Body


def template(container: str = "c", **spec: Any) -> Body:
    return {"spec": {"containers": [{"name": container, "image": "busybox"}], **spec}}


def shape(tasks: dict[str, int], plugins: dict[str, list[str]], templates: dict[str, Body] | None = None) -> PluginJob:
    """`tasks`: name -> replicas; `templates`: those that differ from the plain one."""
    job = Job(
        metadata=ObjectMeta(name="demo", namespace="ns1", uid="u-1"),
        spec=JobSpec(
            plugins={name: tuple(words) for name, words in plugins.items()},
            tasks=tuple(
                TaskSpec(name=name, replicas=replicas, template=(templates or {}).get(name, template()))
                for name, replicas in tasks.items()
            ),
        ),
    )
    return plugin_job(job)


def bare_pod(task: str, index: int, **spec: Any) -> Body:
    return {"metadata": {"name": f"demo-{task}-{index}", "namespace": "ns1"}, **template(**spec)}


def pod(job: PluginJob, task: str, index: int, **spec: Any) -> Body:
    """The pod with what all plugins of the Job add."""
    return shape_pod(bare_pod(task, index, **spec), PodSlot(task, index), job)


def env(pod: Body, container: int = 0, field: str = "containers") -> dict[str, Any]:
    return {
        variable["name"]: variable.get("value", variable.get("valueFrom"))
        for variable in pod["spec"][field][container].get("env", ())
    }


INIT = [{"name": "first", "image": "busybox"}]
