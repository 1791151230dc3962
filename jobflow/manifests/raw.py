"""An object that is passed on unchanged, for kinds without a class in this package."""

from collections.abc import Mapping

from jobflow.manifests.json_values import Json, merged
from jobflow.manifests.placed import Origin, PlacedManifest
from jobflow.manifests.spots import here


def raw_manifest(body: Mapping[str, Json]) -> PlacedManifest:
    """`Manifest({"apiVersion": ..., "kind": "Queue", ...})`."""
    return PlacedManifest(merged({}, body), {"": Origin(here(), "body:0")})
