"""The caches that the Job controller reads, with their indexes.

Every kind that a Job depends on is watched, with one exception: Secrets are read by name (see observe.plugin_secrets),
so that the controller needs no permission to list them.
"""

from collections.abc import Iterator
from typing import Final

from controller.context import ControllerContext
from controller.job.model.plugin_objects import PLUGIN_KINDS
from controller.owner_references import by_controller_uid
from controller.runtime.command_targets import TargetedCommands
from shared import names
from shared.key import Key
from shared.kinds import CONFIGMAP, JOB, NODE, POD, PODGROUP, PRIORITYCLASS, PVC, QUEUE, RESOURCEQUOTA, SECRET, Kind
from shared.kube.cache.cache import Cache
from shared.kube.cache.trimmed import only_allowed, only_metadata, only_resources
from shared.model.types import Body

OWNER: Final = "owner"
QUEUED: Final = "queue"
CLAIMS: Final = "claims"
ON_NODE: Final = "node"


class JobCaches:
    """`watched`: caches of plugin objects by kind name; `secrets`: plugin Secrets as last read."""

    def __init__(self, context: ControllerContext) -> None:
        caches = context.caches
        self.jobs = caches.want(JOB, indexers={QUEUED: index_by_queue, CLAIMS: index_by_claim})
        self.pods = caches.want(POD, indexers={OWNER: by_controller_uid, ON_NODE: index_by_node})
        self.nodes = caches.want(NODE, transform=only_resources)
        self.groups = caches.want(PODGROUP)
        self.queues = caches.want(QUEUE)
        self.commands = TargetedCommands(JOB, caches, context.api, context.applier)
        self.claims = caches.want(PVC, transform=only_metadata)
        self.priorities = caches.want(PRIORITYCLASS)
        self.resource_quotas = caches.want(RESOURCEQUOTA, transform=only_allowed)
        self.watched = {name: _plugin_cache(context, kind) for name, kind in PLUGIN_KINDS.items() if kind is not SECRET}
        self.secrets = caches.remember(SECRET)


def index_by_queue(job: Body) -> Iterator[str]:
    yield str((job.get("spec") or {}).get("queue") or names.DEFAULT_QUEUE)


def index_by_claim(job: Body) -> Iterator[str]:
    """The claims that the Job mounts and that its user has to create."""
    for volume in (job.get("spec") or {}).get("volumes") or ():
        if volume.get("volumeClaimName"):
            yield str(Key(job["metadata"].get("namespace", ""), volume["volumeClaimName"]))


def index_by_node(pod: Body) -> Iterator[str]:
    """The node to which the pod is bound."""
    if node := (pod.get("spec") or {}).get("nodeName"):
        yield str(node)


def _plugin_cache(context: ControllerContext, kind: Kind) -> Cache:
    """ConfigMaps of Jobs only, but all Services and NetworkPolicies, since one made by a user may serve a Job."""
    if kind is CONFIGMAP:
        return context.caches.want(kind, label_selector=names.JOB_NAME, accepts=_is_of_a_job)
    return context.caches.want(kind)


def _is_of_a_job(body: Body) -> bool:
    return names.JOB_NAME in (body["metadata"].get("labels") or {})
