"""The objects that plugins own for a Job: Services, ConfigMaps, NetworkPolicies and Secrets.

They exist as long as the Job may run and are removed once it has ended (docs/design/decisions.md, row 6).
"""

from collections.abc import Iterator

import msgspec

from controller.decision import Delete
from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import JobObservation
from controller.plugin_api import PluginContext, PluginJob, plugin_job
from controller.plugins import PluginPlan, object_keys, plan_objects
from shared.kinds import CONFIGMAP, NETWORKPOLICY, SECRET, SERVICE
from shared.model.job import Job
from shared.model.types import Body

PLUGIN_KINDS = {kind.kind: kind for kind in (CONFIGMAP, NETWORKPOLICY, SECRET, SERVICE)}


def plan(observed: JobObservation, shape: PluginJob) -> PluginPlan:
    """What to create and to update, and which names other owners have."""
    return plan_objects(shape, PluginContext(existing=observed.objects, keypair=observed.keypair))


def removal(observed: JobObservation) -> Iterator[Delete]:
    """Delete every plugin object that this Job owns."""
    uid = observed.job.metadata.uid
    for body in observed.objects.values():
        metadata = body["metadata"]
        if _is_ours(body, uid) and not metadata.get("deletionTimestamp"):
            yield Delete(PLUGIN_KINDS[body["kind"]], metadata["namespace"], metadata["name"], metadata["uid"])


def _is_ours(body: Body, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in body["metadata"].get("ownerReferences") or ())


def plugin_job_of(job: Job, wanted: EffectiveSpec) -> PluginJob:
    """The Job as plugins see it, with every task's name filled in."""
    tasks = tuple(msgspec.structs.replace(task.spec, name=task.name) for task in wanted.tasks)
    return plugin_job(msgspec.structs.replace(job, spec=msgspec.structs.replace(job.spec, tasks=tasks)))


def plugin_keys(job: Job, wanted: EffectiveSpec) -> tuple[tuple[str, str], ...]:
    """(kind, name) of the objects that the Job's plugins own: the keys of `JobObservation.objects`."""
    return object_keys(plugin_job_of(job, wanted))
