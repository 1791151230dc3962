"""The type of a Kubernetes object, or a part of one, as decoded JSON."""

from typing import Any

Body = dict[str, Any]
