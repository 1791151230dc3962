"""The core/v1 Event of a PendingEvent, and references to objects."""

from typing import Final

from controller.cluster.event_queue import PendingEvent
from shared.kinds import EVENT, Kind
from shared.model.types import Body
from shared.naming import shortened
from shared.timestamp import rfc3339

MAX_MESSAGE: Final = 1024
MAX_REASON: Final = 128
MAX_NAME: Final = 253


def reference(kind: Kind, body: Body) -> Body:
    """ObjectReference to `body`."""
    metadata = body["metadata"]
    given = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "uid": metadata.get("uid", ""),
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
    return {key: value for key, value in given.items() if value}


def namespace_of(pending: PendingEvent) -> str:
    """Events about cluster-scoped objects are in namespace `default`, as Kubernetes requires."""
    return str(pending.involved.get("namespace") or "default")


def event(pending: PendingEvent, component: str, instance: str) -> Body:
    """A core/v1 Event. The time in nanoseconds makes its name unique, as in client-go."""
    suffix = f".{int(pending.at * 1e9) + pending.number:x}"
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {
            "name": pending.involved["name"][: MAX_NAME - len(suffix)] + suffix,
            "namespace": namespace_of(pending),
        },
        "involvedObject": pending.involved,
        "type": pending.note.type,
        "reason": pending.note.reason[:MAX_REASON],
        "message": shortened(pending.note.message, MAX_MESSAGE),
        "count": pending.count,
        "firstTimestamp": rfc3339(pending.at),
        "lastTimestamp": rfc3339(pending.last),
        "source": {"component": component, "host": instance},
        "reportingComponent": component,
        "reportingInstance": instance,
    }
