"""Which backend `auto` means, told from what the API server serves (discovery), never from versions."""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.kinds import PODGROUP

VOLCANO: Final = "volcano"
NATIVE: Final = "native"
GATE: Final = "gate"

VOLCANO_ALONE: Final = frozenset({"topology.volcano.sh", "nodeinfo.volcano.sh"})
"""Groups that Volcano's install brings and ours does not; the rest of its API is ours as well."""

NATIVE_GROUP: Final = "scheduling.k8s.io"
NATIVE_VERSIONS: Final = ("v1beta1", "v1alpha3", "v1alpha2")
"""Those we know how to speak, the best first: pods name their PodGroup in spec.schedulingGroup.podGroupName."""
NATIVE_SURE: Final = frozenset({"v1beta1"})
"""Those that `auto` trusts: with an alpha version served, the scheduler may still not heed it, and bind half a gang."""
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
    if version in NATIVE_SURE:
        return NATIVE, f"the cluster serves {NATIVE_GROUP}/{version} Workload and PodGroup"
    alpha = f" ({version} is alpha: --gang-backend=native if kube-scheduler has the feature too)" if version else ""
    return GATE, f"neither Volcano nor {NATIVE_GROUP} PodGroups are there{alpha}; {PODGROUP.resource} are admitted here"
