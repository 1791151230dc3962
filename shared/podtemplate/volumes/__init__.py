"""Volumes of the pod, and the volume mounts of its containers."""

from shared.podtemplate.volumes.lists import volume_names, volumes
from shared.podtemplate.volumes.mounts import mounts

__all__ = ["mounts", "volume_names", "volumes"]
