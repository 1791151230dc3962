"""The job plugins in the order in which they act, and what all of them together ask for.

The order is fixed and does not follow the user's map (docs/design/decisions.md, row 17): hcclrank is last because it
reads the RANK that pytorch sets, and pytorch's init container follows the plugins whose additions it does not need.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from controller.decision import Action, Create, Patch
from controller.plugin_api import (
    JobPlugin,
    KeyPair,
    NeedsKeyPair,
    OwnedObject,
    OwnsObjects,
    PluginContext,
    PluginJob,
    PodSlot,
)
from controller.plugins.env import EnvPlugin
from controller.plugins.hcclrank import HcclrankPlugin
from controller.plugins.mpi import MpiPlugin
from controller.plugins.pytorch import PytorchPlugin
from controller.plugins.ray import RayPlugin
from controller.plugins.ssh import SshPlugin
from controller.plugins.svc import SvcPlugin
from controller.plugins.tensorflow import TensorflowPlugin
from shared.kinds import SERVICE
from shared.model.types import Body

PLUGINS: Final[tuple[JobPlugin[Any], ...]] = (
    SshPlugin(),
    SvcPlugin(),
    EnvPlugin(),
    PytorchPlugin(),
    TensorflowPlugin(),
    MpiPlugin(),
    RayPlugin(),
    HcclrankPlugin(),
)


class PluginPlan(msgspec.Struct, frozen=True):
    """`actions` create and update the plugins' objects; `conflicts` name objects of other owners."""

    actions: tuple[Action, ...] = ()
    conflicts: tuple[str, ...] = ()


def shape_pod(pod: Body, slot: PodSlot, job: PluginJob) -> Body:
    """The pod with the additions of every plugin of the Job. `pod` itself is not changed."""
    for plugin in PLUGINS:
        if plugin.name in job.plugins:
            pod = plugin.shape(pod, slot, job, job.plugins[plugin.name])
    return pod


def plugin_objects(job: PluginJob, context: PluginContext) -> tuple[OwnedObject, ...]:
    """Objects that must exist. Two plugins may fill one ConfigMap; where both set a key, the earlier plugin's value
    stays.
    """
    merged: dict[str, OwnedObject] = {}
    for plugin in PLUGINS:
        if plugin.name in job.plugins and isinstance(plugin, OwnsObjects):
            for made in plugin.objects(job, job.plugins[plugin.name], context):
                merged[made.key] = _merge(merged[made.key], made) if made.key in merged else made
    return tuple(merged.values())


def object_keys(job: PluginJob) -> tuple[tuple[str, str], ...]:
    """(kind, name) of every object that `plugin_objects` may return: what to look up for `PluginContext.existing`."""
    return tuple((made.kind.kind, made.name) for made in plugin_objects(job, PluginContext(keypair=KeyPair("", ""))))


def needs_keypair(job: PluginJob, existing: Mapping[str, Body]) -> bool:
    """Whether the caller must generate a key pair before `plan_objects`. That takes a while: use a thread."""
    return any(
        isinstance(plugin, NeedsKeyPair) and plugin.needs_keypair(job, job.plugins[plugin.name], existing)
        for plugin in PLUGINS
        if plugin.name in job.plugins
    )


def plan_objects(job: PluginJob, context: PluginContext) -> PluginPlan:
    """Create missing objects and update the fields that follow the Job. Idempotent; objects of other owners are not
    changed.
    """
    actions: list[Action] = []
    conflicts: list[str] = []
    for made in plugin_objects(job, context):
        present = context.existing.get(made.key)
        if present is None:
            actions.append(Create(made.kind, made.body))
        elif not _owned_by(present, job.uid):
            if conflict := _conflict(job, made, present):
                conflicts.append(f"{made.kind.kind} {made.name} {conflict}")
        elif changes := _changes(made, present):
            uid = present["metadata"]["uid"]
            actions.append(Patch(made.kind, job.namespace, made.name, changes, uid=uid))
    return PluginPlan(tuple(actions), tuple(conflicts))


def controlled_resources(job: PluginJob) -> dict[str, str]:
    """`status.controlledResources`: `plugin-NAME: NAME` for each plugin but hcclrank, which owns nothing, as in
    Volcano.
    """
    return {f"plugin-{name}": name for name in job.plugins if name != "hcclrank"}


def _merge(first: OwnedObject, second: OwnedObject) -> OwnedObject:
    data = {**second.body["data"], **first.body["data"]}
    return msgspec.structs.replace(first, body={**first.body, "data": data})


def _owned_by(body: Body, uid: str) -> bool:
    owners = body["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == uid for owner in owners)


def _conflict(job: PluginJob, made: OwnedObject, present: Body) -> str:
    """Why an object that exists cannot serve as ours, or "".

    A Service or NetworkPolicy that a user created serves, as in Volcano, unless the Service is for other pods. One of
    another controller, perhaps of a Job of the same name that is being deleted, will not stay.
    """
    owners = present["metadata"].get("ownerReferences") or ()
    owner = next((owner for owner in owners if owner.get("controller")), None)
    if owner is not None:
        return f"exists and belongs to {owner.get('kind')} {owner.get('name')}"
    if made.follows:
        return "exists and is not controlled by this Job"
    return (
        "" if made.kind is not SERVICE or _may_select(job, present) else "exists and selects other pods than the Job's"
    )


def _may_select(job: PluginJob, service: Body) -> bool:
    """Whether the Service may select pods of the Job. One without selector has its endpoints from somebody else."""
    selector = (service.get("spec") or {}).get("selector") or {}
    known = ({**task.labels, **job.selector} for task in job.tasks)
    return any(
        all(labels.get(key) == value or (key not in labels and "volcano.sh/" in key) for key, value in selector.items())
        for labels in known
    )


def _changes(made: OwnedObject, present: Body) -> Body:
    """A merge patch of the maps that follow the Job: changed keys, and null for removed ones."""
    patch: Body = {}
    for field in made.follows:
        wanted, found = made.body.get(field) or {}, present.get(field) or {}
        difference = {key: wanted.get(key) for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)}
        if difference:
            patch[field] = dict(sorted(difference.items()))
    return patch
