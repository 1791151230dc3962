"""Containers and init containers: names, images, policies and their nested fields."""

from collections.abc import Iterator, Sequence
from typing import Final

from shared.podtemplate.environment import env, env_from, file_volumes
from shared.podtemplate.field import Field
from shared.podtemplate.formats import dns_label
from shared.podtemplate.handlers import PROBES, lifecycle, probes
from shared.podtemplate.ports import host_network_ports, host_ports, ports
from shared.podtemplate.resources.amounts import resources
from shared.podtemplate.resources.claims import claimed
from shared.podtemplate.restart import resize_policy, restart_policy
from shared.podtemplate.security import container_security
from shared.podtemplate.volumes import mounts, volume_names
from shared.violation import Violation

_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
_SIDECARS_ONLY: Final = "may not be set for init containers without restartPolicy=Always"


def containers(spec: Field, extra_volumes: frozenset[str], extra_mounts: Sequence[str]) -> Iterator[Violation]:
    """All containers of a pod. `extra_...`: the Job's volumes, which are mounted in addition to the pod's."""
    regular, starting = list(spec.get("containers").items), list(spec.get("initContainers").items)
    known = {**dict.fromkeys(extra_volumes, "persistentVolumeClaim"), **volume_names(spec.get("volumes"))}
    grace = spec.get("terminationGracePeriodSeconds").number
    restart, host_users = spec.get("restartPolicy").text, spec.get("hostUsers").value is not False
    if not regular and not (spec.get("containers").present and not isinstance(spec.get("containers").value, list)):
        yield spec.get("containers").required()
    yield from _unique_names([*regular, *starting])
    claims = {claim.get("name").text for claim in spec.get("resourceClaims").items}
    for container in [*regular, *starting]:
        yield from _common(container, host_users)
        yield from claimed(container.get("resources").get("claims"), claims)
        yield from file_volumes(container, known)
    for container in regular:
        yield from mounts(container, known, extra_mounts)
        yield from probes(container)
        yield from lifecycle(container, grace)
        yield from resize_policy(container, restart, sidecar_or_regular=True)
    for container in starting:
        # Volcano does not mount the Job's volumes in init containers, so manifests may mount their own at the same path.
        yield from mounts(container, known, ())
        yield from _init_only(container, grace)
        sidecar = container.get("restartPolicy").text == "Always"
        yield from resize_policy(container, restart, sidecar_or_regular=sidecar)
        yield from host_ports([container])
    yield from host_ports(regular)
    if spec.get("hostNetwork").true:
        yield from host_network_ports(regular)
    if spec.get("ephemeralContainers").holds:
        yield spec.get("ephemeralContainers").forbidden("cannot be set on create")


def _unique_names(all_containers: list[Field]) -> Iterator[Violation]:
    seen: set[str] = set()
    for container in all_containers:
        name = container.get("name")
        if name.text and name.text in seen:
            yield name.duplicate()
        seen.add(name.text)


def _common(container: Field, host_users: bool) -> Iterator[Violation]:
    name, image = container.get("name"), container.get("image")
    if not name.text:
        yield name.required()
    else:
        yield from name.each(dns_label(name.text))
    if image.value in (None, ""):
        yield image.required()
    elif image.text != image.text.strip():
        yield image.invalid("must not have leading or trailing whitespace")
    yield from container.get("imagePullPolicy").one_of(*_PULL_POLICIES)
    yield from container.get("terminationMessagePolicy").one_of(*_MESSAGE_POLICIES)
    yield from restart_policy(container)
    yield from ports(container.get("ports"))
    yield from env(container.get("env"))
    yield from env_from(container.get("envFrom"))
    yield from resources(container.get("resources"))
    yield from container_security(container.get("securityContext"), host_users)
    for mount in container.get("volumeMounts").items:
        privileged = container.get("securityContext").get("privileged").true
        if mount.get("mountPropagation").text == "Bidirectional" and not privileged:
            message = "Bidirectional mount propagation is available only to privileged containers"
            yield mount.get("mountPropagation").forbidden(message)


def _init_only(container: Field, grace: int | None) -> Iterator[Violation]:
    if container.get("restartPolicy").text == "Always":
        yield from probes(container)
        yield from lifecycle(container, grace)
        return
    for name in ("lifecycle", *PROBES):
        # A stop signal needs a feature gate; the API server drops it, and a lifecycle that has nothing else.
        if container.get(name).present and container.get(name).keys != ("stopSignal",):
            yield container.get(name).forbidden(_SIDECARS_ONLY)
