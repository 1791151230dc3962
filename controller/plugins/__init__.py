"""The job plugins, in the order in which they act, and what all of them together ask for.

The order is ours, not that of the user's map (decisions row 17): hcclrank is last so that pytorch's RANK is there, and
pytorch's init container comes after the plugins whose additions it does not need.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from controller.decision import Action, Create, Patch
from controller.plugin_api import Given, JobPlugin, JobShape, KeyPair, NeedsKeyPair, Owned, OwnsObjects, PodSlot
from controller.plugins.env import EnvPlugin
from controller.plugins.hcclrank import HcclrankPlugin
from controller.plugins.mpi import MpiPlugin
from controller.plugins.pytorch import PytorchPlugin
from controller.plugins.ray import RayPlugin
from controller.plugins.ssh import SshPlugin
from controller.plugins.svc import SvcPlugin
from controller.plugins.tensorflow import TensorflowPlugin
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


class Plan(msgspec.Struct, frozen=True):
    """`actions` make and update the plugins' objects; `conflicts` name those that belong to somebody else."""

    actions: tuple[Action, ...] = ()
    conflicts: tuple[str, ...] = ()


def shape_pod(pod: Body, slot: PodSlot, job: JobShape) -> Body:
    """The pod with what every plugin of the Job adds; `pod` itself is left alone."""
    for plugin in PLUGINS:
        if plugin.name in job.plugins:
            pod = plugin.shape(pod, slot, job, job.plugins[plugin.name])
    return pod


def plugin_objects(job: JobShape, given: Given) -> tuple[Owned, ...]:
    """Objects to exist. Two plugins may fill one ConfigMap; where both set a key the earlier plugin's value stays."""
    merged: dict[str, Owned] = {}
    for plugin in PLUGINS:
        if plugin.name in job.plugins and isinstance(plugin, OwnsObjects):
            for made in plugin.objects(job, job.plugins[plugin.name], given):
                merged[made.key] = _merge(merged[made.key], made) if made.key in merged else made
    return tuple(merged.values())


def object_keys(job: JobShape) -> tuple[tuple[str, str], ...]:
    """(kind, name) of everything that `plugin_objects` may speak of: what to look up for `Given.existing`."""
    return tuple((made.kind.kind, made.name) for made in plugin_objects(job, Given(keypair=KeyPair("", ""))))


def needs_keypair(job: JobShape, existing: Mapping[str, Body]) -> bool:
    """Whether the caller must draw a key pair before `plan_objects` (it takes a while: do it in a thread)."""
    return any(
        isinstance(plugin, NeedsKeyPair) and plugin.needs_keypair(job, job.plugins[plugin.name], existing)
        for plugin in PLUGINS
        if plugin.name in job.plugins
    )


def plan_objects(job: JobShape, given: Given) -> Plan:
    """Create what is missing and bring in line what follows the Job; idempotent, and never touches foreign objects."""
    actions: list[Action] = []
    conflicts: list[str] = []
    for made in plugin_objects(job, given):
        present = given.existing.get(made.key)
        if present is None:
            actions.append(Create(made.kind, made.body))
        elif not _owned_by(present, job.uid):
            if _in_the_way(made, present):
                conflicts.append(f"{made.kind.kind} {made.name} exists and is not controlled by this Job")
        elif changes := _changes(made, present):
            uid = present["metadata"]["uid"]
            actions.append(Patch(made.kind, job.namespace, made.name, changes, uid=uid))
    return Plan(tuple(actions), tuple(conflicts))


def controlled_resources(job: JobShape) -> dict[str, str]:
    """`status.controlledResources`: `plugin-NAME: NAME` of each plugin but hcclrank, which owns nothing (Volcano)."""
    return {f"plugin-{name}": name for name in job.plugins if name != "hcclrank"}


def _merge(first: Owned, second: Owned) -> Owned:
    data = {**second.body["data"], **first.body["data"]}
    return msgspec.structs.replace(first, body={**first.body, "data": data})


def _owned_by(body: Body, uid: str) -> bool:
    owners = body["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == uid for owner in owners)


def _in_the_way(made: Owned, present: Body) -> bool:
    """A Service or NetworkPolicy that the user made himself serves as ours, as in Volcano; one that some other
    controller made, perhaps for a namesake that is being deleted, will not stay."""
    controlled = any(owner.get("controller") for owner in present["metadata"].get("ownerReferences") or ())
    return controlled or bool(made.follows)


def _changes(made: Owned, present: Body) -> Body:
    """A merge patch of the maps that follow the Job: changed keys, and null for those that are gone."""
    patch: Body = {}
    for field in made.follows:
        wanted, found = made.body.get(field) or {}, present.get(field) or {}
        difference = {key: wanted.get(key) for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)}
        if difference:
            patch[field] = dict(sorted(difference.items()))
    return patch
