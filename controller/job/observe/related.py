"""The objects around a Job, read from the caches: its PodGroup, queue, Commands, claims and plugin objects."""

from collections.abc import Iterator

from controller.job.model import volumes
from controller.job.model.defaults import effective_spec
from controller.job.model.plugin_objects import plugin_keys
from controller.job.observe.caches import JobCaches
from controller.job.observe.models import converted
from controller.owner_references import controller_of
from shared import names
from shared.key import Key
from shared.model.command import Command
from shared.model.job import Job
from shared.model.podgroup import PodGroup
from shared.model.queue import Queue
from shared.model.types import Body
from shared.naming import podgroup_name


class RelatedObjects:
    """Reads `caches`; objects that cannot be read as their model count as absent."""

    def __init__(self, caches: JobCaches) -> None:
        self._caches = caches

    def group(self, job: Job) -> PodGroup | None:
        name = podgroup_name(job.metadata.name, job.metadata.uid)
        return converted(self._caches.groups.get(job.metadata.namespace, name), PodGroup)

    def queue(self, job: Job) -> Queue | None:
        return converted(self._caches.queues.get("", job.spec.queue or names.DEFAULT_QUEUE), Queue)

    def plugin_objects(self, job: Job) -> dict[str, Body]:
        """The existing plugin objects of the Job, by KIND/NAME."""
        keys = plugin_keys(job, effective_spec(job)) if job.spec.plugins else ()
        found = ((kind, name, self._plugin_object(kind, job.metadata.namespace, name)) for kind, name in keys)
        return {f"{kind}/{name}": body for kind, name, body in found if body is not None}

    def _plugin_object(self, kind: str, namespace: str, name: str) -> Body | None:
        return self._caches.watched.get(kind, self._caches.secrets).get(namespace, name)

    def claims(self, job: Job) -> Iterator[str]:
        """The names of the claims of `spec.volumes` that exist and are not being deleted.

        A claim of another owner that has the name of one to create is not among them: creating ours says who has it.
        """
        for index, volume in enumerate(job.spec.volumes):
            name = volumes.claim_of(job, index, volume)
            body = self._caches.claims.get(job.metadata.namespace, name) if name else None
            if body is None or "deletionTimestamp" in body["metadata"]:
                continue
            if volume.volume_claim is None or controller_of(body).get("uid") == job.metadata.uid:
                yield name

    def commands(self, key: Key) -> Iterator[Command]:
        """The Commands for the Job, without those being deleted."""
        for body in self._caches.commands.of(key):
            command = converted(body, Command)
            if command is not None and not command.metadata.deletion_timestamp:
                yield command

    def allowed(self, namespace: str) -> dict[str, dict[str, str]]:
        """What the ResourceQuotas of the namespace allow."""
        quotas = self._caches.resource_quotas.list(namespace)
        return {body["metadata"]["name"]: body["status"]["hard"] for body in quotas}

    def priorities(self, job: Job) -> dict[str, int]:
        """The values of the PriorityClasses that the pod templates name."""
        wanted = ((task.template.get("spec") or {}).get("priorityClassName") for task in job.spec.tasks or ())
        found = {name: self._caches.priorities.get("", name) for name in wanted if name}
        return {name: int(body.get("value") or 0) for name, body in found.items() if body}
