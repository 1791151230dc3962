"""The contract of a job plugin: values in, values out; a plugin never sees a client, a clock or another plugin.

A plugin shapes each pod (`shape`), may own objects (`objects`), and may need a key pair drawn for it (`needs_keypair`).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, Protocol, TypeVar, runtime_checkable

import msgspec

from shared import names
from shared.kinds import JOB, Kind
from shared.model.job import Job
from shared.model.types import Body
from shared.naming import pod_name
from shared.plugins.arguments import Arguments, plugin_arguments

A_contra = TypeVar("A_contra", bound=Arguments, contravariant=True)


class KeyPair(msgspec.Struct, frozen=True):
    """An RSA key pair. `private`: PKCS#1 PEM; `public`: one `ssh-rsa ...` line for authorized_keys."""

    private: str
    public: str


class Host(msgspec.Struct, frozen=True):
    """A pod's `hostname` and its `domain` (HOSTNAME.SUBDOMAIN), which resolves within the namespace."""

    hostname: str
    domain: str


class PodSlot(msgspec.Struct, frozen=True):
    """Which pod of the Job: replica `index` of `task`."""

    task: str
    index: int


class TaskShape(msgspec.Struct, frozen=True):
    """What a plugin may know of a task. `hostname`, `subdomain`: the template's own, or empty."""

    name: str
    replicas: int
    hostname: str = ""
    subdomain: str = ""


class JobShape(msgspec.Struct, frozen=True):
    """What a plugin may know of the Job. `plugins`: parsed arguments of every plugin that acts on it."""

    name: str
    namespace: str
    uid: str
    tasks: tuple[TaskShape, ...]
    plugins: Mapping[str, Arguments]

    def task(self, name: str) -> TaskShape | None:
        return next((task for task in self.tasks if task.name == name), None)

    def host(self, task: TaskShape, index: int) -> Host:
        """Where replica `index` answers; a hostname fixed in the template is that of every replica."""
        hostname = task.hostname or pod_name(self.name, task.name, index)
        return Host(hostname, f"{hostname}.{task.subdomain or self.name}")

    def hosts(self, task: TaskShape) -> tuple[Host, ...]:
        """Hosts of a task by index; a single one where the template fixes the hostname, as Volcano lists them."""
        count = min(task.replicas, 1) if task.hostname else task.replicas
        return tuple(self.host(task, index) for index in range(count))

    @property
    def selector(self) -> dict[str, str]:
        """Labels that all pods of the Job carry, and no other pod."""
        return {names.JOB_NAME: self.name, names.JOB_NAMESPACE: self.namespace}


CONTROLLER_LABELS: Final = {"app.kubernetes.io/name": "jobflow", "app.kubernetes.io/component": "controller"}


class Given(msgspec.Struct, frozen=True):
    """What a plugin's objects may depend on beside the Job.

    `existing`: objects found in the cluster, by `KIND/NAME`; `keypair`: drawn by the caller when `needs_keypair` asked;
    `controller_labels`: of our own controller's pods, whose probes a NetworkPolicy must let in.
    """

    existing: Mapping[str, Body] = {}
    keypair: KeyPair | None = None
    controller_labels: Mapping[str, str] = msgspec.field(default_factory=lambda: CONTROLLER_LABELS)


class Owned(msgspec.Struct, frozen=True):
    """An object that is to exist as long as the Job. `follows`: top-level maps kept in line with the Job afterwards."""

    kind: Kind
    body: Body
    follows: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.body["metadata"]["name"])

    @property
    def key(self) -> str:
        return f"{self.kind.kind}/{self.name}"


class JobPlugin(Protocol[A_contra]):
    """What every plugin does. `shape` returns the pod with its additions and leaves its inputs alone."""

    name: ClassVar[str]

    def shape(self, pod: Body, slot: PodSlot, job: JobShape, args: A_contra) -> Body: ...


@runtime_checkable
class OwnsObjects(Protocol[A_contra]):
    """Optional: objects to exist beside the pods."""

    def objects(self, job: JobShape, args: A_contra, given: Given) -> tuple[Owned, ...]: ...


@runtime_checkable
class NeedsKeyPair(Protocol[A_contra]):
    """Optional: whether `Given.keypair` must be filled for `objects` to do its work."""

    def needs_keypair(self, job: JobShape, args: A_contra, existing: Mapping[str, Body]) -> bool: ...


def job_shape(job: Job) -> JobShape:
    """The Job as plugins see it, with the plugins that others need, and defaults where an argument is faulty."""
    parsed = plugin_arguments(job.spec.plugins or {})
    return JobShape(
        name=job.metadata.name,
        namespace=job.metadata.namespace,
        uid=job.metadata.uid,
        tasks=tuple(_task_shape(task.name, task.replicas, task.template) for task in job.spec.tasks or ()),
        plugins={name: plugin.arguments for name, plugin in parsed.items()},
    )


def _task_shape(name: str, replicas: int, template: Body) -> TaskShape:
    spec = template.get("spec") or {}
    return TaskShape(name or "default", replicas, spec.get("hostname") or "", spec.get("subdomain") or "")


def owned(job: JobShape, kind: Kind, name: str, follows: tuple[str, ...] = (), **content: Any) -> Owned:
    """An object of the Job, deleted with it by Kubernetes' garbage collection."""
    owner = {"apiVersion": JOB.api_version, "kind": JOB.kind, "name": job.name, "uid": job.uid}
    metadata = {
        "name": name,
        "namespace": job.namespace,
        "labels": job.selector,
        "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
    }
    return Owned(kind, {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **content}, follows)


# --- parts of pods: each returns a new value --------------------------------------------------------------------------


def map_containers(pod: Body, change: Callable[[Body], Body], init: bool = True) -> Body:
    """The pod with every container changed, and every init container too unless `init` is False."""
    spec = dict(pod["spec"])
    for field in ("containers", "initContainers") if init else ("containers",):
        if spec.get(field):
            spec[field] = [change(container) for container in spec[field]]
    return {**pod, "spec": spec}


def with_env(container: Body, variables: Iterable[Body]) -> Body:
    """The container with these variables; one that it has already takes the new value where it stands."""
    env = {variable["name"]: variable for variable in container.get("env") or ()}
    return {**container, "env": list((env | {variable["name"]: variable for variable in variables}).values())}


def with_port(container: Body, number: int, name: str) -> Body:
    """The container with this port open; it stays nameless where another port has the name already."""
    ports = container.get("ports") or []
    if any(port.get("containerPort") == number for port in ports):
        return container
    taken = any(port.get("name") == name for port in ports)
    port = {"containerPort": number, "protocol": "TCP"}
    return {**container, "ports": [*ports, port if taken else {"name": name, **port}]}


def with_mount(container: Body, mount: Body) -> Body:
    """The container with this mount, unless it mounts something of its own there."""
    mounts = container.get("volumeMounts") or []
    if any(present.get("mountPath", "").rstrip("/") == mount["mountPath"].rstrip("/") for present in mounts):
        return container
    return {**container, "volumeMounts": [*mounts, mount]}


def with_volume(pod: Body, volume: Body) -> Body:
    """The pod with this volume, unless it has one of that name."""
    volumes = pod["spec"].get("volumes") or []
    if any(present.get("name") == volume["name"] for present in volumes):
        return pod
    return {**pod, "spec": {**pod["spec"], "volumes": [*volumes, volume]}}


def with_spec(pod: Body, **fields: Any) -> Body:
    return {**pod, "spec": {**pod["spec"], **fields}}
