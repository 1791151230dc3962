"""The columns of pods: READY, STATUS and RESTARTS as kube-apiserver's pod printer works them out."""

from typing import Any

from local.apiserver import clock
from local.apiserver.printing import durations
from local.apiserver.types.resources import PrinterColumn
from shared.model.types import Body

COLUMNS = (
    PrinterColumn("Ready", description="The aggregate readiness state of this pod for accepting traffic."),
    PrinterColumn("Status", description="The aggregate status of the containers in this pod."),
    PrinterColumn("Restarts", description="The number of times the containers in this pod have been restarted."),
    PrinterColumn(
        "Age", description="CreationTimestamp is a timestamp representing the server time when this object was created."
    ),
    *(PrinterColumn(name, priority=1) for name in ("IP", "Node", "Nominated Node", "Readiness Gates")),
)


def cells(pod: Body) -> list[Any]:
    spec, status, meta = pod.get("spec") or {}, pod.get("status") or {}, pod["metadata"]
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    total = len(spec.get("containers") or ()) + len(sidecars)
    reason, ready, restarts, last = _state(pod, sidecars)
    if meta.get("deletionTimestamp") and status.get("reason") == "NodeLost":
        reason = "Unknown"
    elif meta.get("deletionTimestamp") and status.get("phase") not in ("Succeeded", "Failed"):
        reason = "Terminating"
    shown = f"{restarts} ({durations.since(last)} ago)" if restarts and last else str(restarts)
    addresses = status.get("podIPs") or [{}]
    wide = [
        addresses[0].get("ip") or status.get("podIP") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        _gates(spec, status),
    ]
    return [meta["name"], f"{ready}/{total}", reason, shown, durations.since(meta.get("creationTimestamp")), *wide]


def _gates(spec: Body, status: Body) -> str:
    wanted = [gate.get("conditionType") for gate in spec.get("readinessGates") or ()]
    if not wanted:
        return "<none>"
    held = {c["type"] for c in status.get("conditions") or () if c.get("status") == "True"}
    return f"{sum(name in held for name in wanted)}/{len(wanted)}"


def _state(pod: Body, sidecars: set[str]) -> tuple[str, int, int, str]:
    """STATUS, ready containers, restarts, and the end of the last run before a restart."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    reason = status.get("reason") or status.get("phase") or ""
    if conditions.get("PodScheduled", {}).get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    starting, ready, restarts, last = _initial(spec, status, sidecars)
    if starting and conditions.get("Initialized", {}).get("status") != "True":
        return starting, ready, restarts, last
    found = status.get("containerStatuses") or []
    sidecar_states = [item for item in status.get("initContainerStatuses") or () if item.get("name") in sidecars]
    restarts = sum(item.get("restartCount", 0) for item in [*found, *sidecar_states])
    last = max((_ended(item) for item in [*found, *sidecar_states]), default="")
    running, failed = False, ""
    for item in reversed(found):
        state = item.get("state") or {}
        ended = state.get("terminated")
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif ended is not None:
            reason = _end(ended, "")
            failed = reason if ended.get("exitCode") else failed
        elif item.get("ready") and "running" in state:
            running = True
            ready += 1
    if reason == "Completed":
        if running and conditions.get("Ready", {}).get("status") == "True":
            reason = "Running"
        elif failed or running:
            reason = failed or "NotReady"
    return reason, ready, restarts, last


def _initial(spec: Body, status: Body, sidecars: set[str]) -> tuple[str, int, int, str]:
    """`Init:...` while an init container has not completed (else ""), and the totals of its predecessors."""
    ready, restarts, last = 0, 0, ""
    for index, item in enumerate(status.get("initContainerStatuses") or ()):
        restarts += item.get("restartCount", 0)
        last = max(last, _ended(item))
        state = item.get("state") or {}
        ended, waiting = state.get("terminated"), (state.get("waiting") or {}).get("reason")
        if ended is not None and not ended.get("exitCode"):
            continue
        if item.get("name") in sidecars and item.get("started"):
            ready += bool(item.get("ready"))
            continue
        if ended is not None:
            return "Init:" + _end(ended, ""), ready, restarts, last
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}", ready, restarts, last
        return f"Init:{index}/{len(spec.get('initContainers') or ())}", ready, restarts, last
    return "", ready, restarts, last


def _end(ended: Body, prefix: str) -> str:
    if ended.get("reason"):
        return prefix + str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _ended(item: Body) -> str:
    stamp = ((item.get("lastState") or {}).get("terminated") or {}).get("finishedAt")
    return stamp if stamp and clock.seconds(stamp) else ""
