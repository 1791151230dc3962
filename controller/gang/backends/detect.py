"""Which backend `auto` chooses, by what the API server serves and never by its version."""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.kinds import PODGROUP

VOLCANO: Final = "volcano"
NATIVE: Final = "native"
GATE: Final = "gate"

VOLCANO_ALONE: Final = frozenset({"topology.volcano.sh", "nodeinfo.volcano.sh"})
"""API groups that Volcano installs and this project does not."""

NATIVE_GROUP: Final = "scheduling.k8s.io"
NATIVE_VERSIONS: Final = ("v1beta1", "v1alpha3", "v1alpha2")
"""Supported versions, the best first: pods name their PodGroup in spec.schedulingGroup.podGroupName."""
NATIVE_STABLE: Final = frozenset({"v1beta1"})
"""Versions that `auto` chooses: where an alpha version is served, the scheduler may ignore it and bind part of a gang."""
NATIVE_RESOURCES: Final = frozenset({"workloads", "podgroups"})


def native_version(resources: Mapping[str, Sequence[str]]) -> str | None:
    """The best version of Kubernetes' own gang API that is served. `resources`: version -> plural names."""
    return next((each for each in NATIVE_VERSIONS if set(resources.get(each, ())) >= NATIVE_RESOURCES), None)


def detect(groups: Sequence[str], native: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """(backend, why). `groups`: API groups served; `native`: resources of `scheduling.k8s.io` by version."""
    found = sorted(VOLCANO_ALONE.intersection(groups))
    if found:
        return VOLCANO, f"Volcano is installed: it serves {', '.join(found)}"
    version = native_version(native)
    if version in NATIVE_STABLE:
        return NATIVE, f"the cluster serves {NATIVE_GROUP}/{version} Workload and PodGroup"
    alpha = f" ({version} is alpha: --gang-backend=native if kube-scheduler has the feature too)" if version else ""
    return (
        GATE,
        f"neither Volcano nor {NATIVE_GROUP} PodGroups are served{alpha}; the controller admits {PODGROUP.resource} itself",
    )
