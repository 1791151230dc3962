"""Applies what a flow is made of, and creates its run."""

from collections.abc import Mapping, Sequence
from typing import Final

from jobflow.cluster.connection import MANAGER, ClusterAccess, ClusterSession, connected
from jobflow.cluster.flow_run import FlowRun
from jobflow.cluster.refusals import placed
from jobflow.manifests.placed import PlacedManifest
from shared.kinds import CRONJOB, CRONJOBFLOW, JOB, JOBFLOW, JOBFLOWTEMPLATE, JOBTEMPLATE
from shared.kube.client.errors import ApiError
from shared.kube.client.requests import APPLY_PATCH
from shared.model.types import Body

KINDS: Final = {kind.kind: kind for kind in (JOB, JOBFLOW, JOBTEMPLATE, CRONJOBFLOW, JOBFLOWTEMPLATE, CRONJOB)}


async def apply(manifests: Sequence[PlacedManifest], cluster: ClusterAccess) -> list[str]:
    """Create or change the objects, in order; `KIND/NAME` of each. Raises FlowError, with lines, for faults that the
    cluster finds, and ClusterError for everything else."""
    async with connected(cluster) as session:
        return [await _apply(session, manifest) for manifest in manifests]


async def start(
    manifests: Sequence[PlacedManifest], values: Mapping[str, str], name: str, cluster: ClusterAccess
) -> FlowRun:
    """Apply the JobTemplates, and create the JobFlow under `name`, or under a new name of its own. Nothing is dropped
    silently: a field that the cluster does not know is a fault."""
    *templates, flow = manifests
    async with connected(cluster) as session:
        for manifest in templates:
            await _apply(session, manifest)
        body = _fresh(flow.body, values, name)
        try:
            created = await session.api.create(JOBFLOW, body, namespace=namespace_of(flow, session), strict=True)
        except ApiError as error:
            raise placed(error, flow) from error
    metadata = created["metadata"]
    return FlowRun(metadata["name"], ClusterAccess(cluster.kubeconfig, cluster.context, metadata["namespace"]), created)


async def _apply(session: ClusterSession, manifest: PlacedManifest) -> str:
    kind = KINDS[manifest.kind]
    namespace = namespace_of(manifest, session)
    body = {**manifest.body, "metadata": {**manifest.body["metadata"], "namespace": namespace}}
    try:
        await session.api.patch(
            kind, namespace, manifest.name, body, content_type=APPLY_PATCH, field_manager=MANAGER, force=True
        )
    except ApiError as error:
        raise placed(error, manifest) from error
    return f"{kind.plural}/{manifest.name}"


def namespace_of(manifest: PlacedManifest, session: ClusterSession) -> str:
    """The namespace that the manifest says, or that of the session."""
    return str(manifest.body["metadata"].get("namespace") or session.namespace)


def _fresh(flow: Body, values: Mapping[str, str], name: str) -> Body:
    """The JobFlow with these params, named anew."""
    metadata = {key: value for key, value in flow["metadata"].items() if key != "name"}
    named = {"name": name} if name else {"generateName": f"{flow['metadata']['name']}-"}
    spec = dict(flow["spec"])
    if values:
        spec["params"] = [{**each, "value": values.get(each["name"], each.get("value", ""))} for each in spec["params"]]
    return {**flow, "metadata": {**named, **metadata}, "spec": spec}
