"""What applying a flow would change in the cluster, by the API server's own answer to a dry run."""

from collections.abc import Sequence
from difflib import unified_diff

import msgspec

from jobflow.cluster.connection import MANAGER, ClusterAccess, ClusterSession, connected
from jobflow.cluster.refusals import placed
from jobflow.cluster.start import KINDS, namespace_of
from jobflow.manifests.placed import PlacedManifest
from shared.kube.client.errors import ApiError, NotFound
from shared.kube.client.requests import APPLY_PATCH
from shared.model.types import Body
from shared.yaml_text import as_yaml

_METADATA = ("labels", "annotations")


class FlowDiff(msgspec.Struct, frozen=True):
    """`changes`: by object, the lines of a unified diff, from what the cluster has to what it would have."""

    changes: dict[str, str]

    def __bool__(self) -> bool:
        """Whether anything would change."""
        return bool(self.changes)

    def __str__(self) -> str:
        return "\n".join(self.changes.values()) or "nothing would change"

    __repr__ = __str__


async def diff(manifests: Sequence[PlacedManifest], cluster: ClusterAccess) -> FlowDiff:
    """Raises FlowError, with lines, for faults that the cluster finds, and ClusterError."""
    changes = {}
    async with connected(cluster) as session:
        for manifest in manifests:
            lines = await _lines(session, manifest)
            if lines:
                changes[f"{KINDS[manifest.kind].plural}/{manifest.name}"] = lines
    return FlowDiff(changes)


async def _lines(session: ClusterSession, manifest: PlacedManifest) -> str:
    kind, namespace = KINDS[manifest.kind], namespace_of(manifest, session)
    body = {**manifest.body, "metadata": {**manifest.body["metadata"], "namespace": namespace}}
    try:
        before: Body = await session.api.get(kind, namespace, manifest.name)
    except NotFound:
        before = {}
    try:
        after = await session.api.patch(
            kind,
            namespace,
            manifest.name,
            body,
            content_type=APPLY_PATCH,
            field_manager=MANAGER,
            force=True,
            dry_run=True,
        )
    except ApiError as error:
        raise placed(error, manifest) from error
    name = f"{kind.plural}/{manifest.name}"
    found = unified_diff(_shown(before), _shown(after), f"{name} (cluster)", f"{name} (this flow)", lineterm="")
    return "\n".join(found)


def _shown(body: Body) -> list[str]:
    """The part of an object that users write: without status and the metadata that the API server sets."""
    metadata = {field: body["metadata"][field] for field in _METADATA if body.get("metadata", {}).get(field)}
    shown = {**({"metadata": metadata} if metadata else {}), **({"spec": body["spec"]} if "spec" in body else {})}
    return as_yaml([_sorted(shown)]).splitlines() if shown else []


def _sorted(value: Body) -> Body:
    return {key: _sorted(each) if isinstance(each, dict) else each for key, each in sorted(value.items())}
