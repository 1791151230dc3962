"""Volumes of the pod, and the volume mounts of its containers."""

from shared.podtemplate.volumes.claims import claim_spec
from shared.podtemplate.volumes.lists import volume_names, volumes
from shared.podtemplate.volumes.mounts import mounts

__all__ = ["claim_spec", "mounts", "volume_names", "volumes"]
