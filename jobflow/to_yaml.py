"""Several objects as one YAML text."""

from jobflow.flow_builder import FlowBuilder
from jobflow.manifests.placed import PlacedManifest
from jobflow.steps.kinds import JobBlueprint
from shared.yaml_text import as_yaml


def to_yaml(*objects: FlowBuilder | JobBlueprint | PlacedManifest) -> str:
    """Flows, JobTemplates and other manifests, in this order, as kubectl applies them. A JobTemplate that several flows
    share is written once."""
    found: dict[tuple[str, str], PlacedManifest] = {}
    for each in objects:
        if isinstance(each, FlowBuilder):
            manifests = each.manifests()
        else:
            manifests = (each.manifest() if isinstance(each, JobBlueprint) else each,)
        for manifest in manifests:
            found.setdefault((manifest.kind, manifest.name), manifest)
    return as_yaml([each.body for each in found.values()])
