"""The status of a pod as a kubelet reports it, from the states of its containers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.model.types import Body

_OURS = ("Initialized", "Ready", "ContainersReady", "PodScheduled", "PodReadyToStartContainers")


@dataclass
class ContainerState:
    """The state of one container. `state` and `last`: `{waiting|running|terminated: {...}}` as in the API."""

    container: Body
    init: bool = False
    state: Body = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: Body = field(default_factory=dict)
    ready: bool = False
    restarts: int = 0
    run: str = ""

    @property
    def sidecar(self) -> bool:
        return self.init and self.container.get("restartPolicy") == "Always"

    @property
    def exit_code(self) -> int | None:
        ended = self.state.get("terminated")
        return None if ended is None else int(ended["exitCode"])

    def report(self) -> Body:
        return {
            "name": self.container["name"],
            "image": self.container.get("image", ""),
            "imageID": self.container.get("image", "") if self.run else "",
            "containerID": self.run,
            "ready": self.ready,
            "started": "running" in self.state,
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": self.last,
        }


@dataclass(frozen=True)
class PodFacts:
    """Facts of the pod besides its containers. `failure`: (reason, message) of a pod that failed as a whole."""

    start_time: str
    host_ip: str
    pod_ip: str
    failure: tuple[str, str] = ("", "")
    finished: bool = False


def pod_status(pod: Body, states: Sequence[ContainerState], facts: PodFacts, now: str) -> Body:
    """The whole `.status` as a merge patch. `now`: the time for conditions that change."""
    before = pod.get("status") or {}
    phase = _phase(pod, states, facts)
    made = {
        "phase": phase,
        "startTime": facts.start_time,
        "hostIP": facts.host_ip,
        "hostIPs": [{"ip": facts.host_ip}],
        "podIP": facts.pod_ip,
        "podIPs": [{"ip": facts.pod_ip}],
        "conditions": _conditions(before.get("conditions") or [], states, phase, now),
        "containerStatuses": [each.report() for each in states if not each.init],
    }
    inits = [each.report() for each in states if each.init]
    if inits:
        made["initContainerStatuses"] = inits
    if facts.failure[0]:
        made |= {"reason": facts.failure[0], "message": facts.failure[1]}
    return made


def _phase(pod: Body, states: Sequence[ContainerState], facts: PodFacts) -> str:
    mains = [each for each in states if not each.init]
    if facts.failure[0]:
        return "Failed"
    if facts.finished:
        inits_failed = any(each.init and not each.sidecar and each.exit_code for each in states)
        return "Failed" if inits_failed or any(each.exit_code != 0 for each in mains) else "Succeeded"
    begun = any("running" in each.state or each.exit_code is not None or each.last for each in mains)
    return "Running" if begun else "Pending"


def _conditions(before: list[Body], states: Sequence[ContainerState], phase: str, now: str) -> list[Body]:
    ended = phase in ("Succeeded", "Failed")
    mains = [each for each in states if not each.init]
    initialized = all(each.exit_code == 0 or (each.sidecar and "running" in each.state) for each in states if each.init)
    ready = not ended and bool(mains) and all(each.ready for each in mains)
    unready = ("PodCompleted", "") if ended else ("ContainersNotReady", _unready(mains))
    wanted = [
        ("PodReadyToStartContainers", not ended, ("", "")),
        ("Initialized", initialized or ended, ("PodCompleted" if phase == "Succeeded" else "", "")),
        ("Ready", ready, ("", "") if ready else unready),
        ("ContainersReady", ready, ("", "") if ready else unready),
        ("PodScheduled", True, ("", "")),
    ]
    foreign = [each for each in before if each["type"] not in _OURS]
    return [*(_condition(before, kind, true, why, now) for kind, true, why in wanted), *foreign]


def _condition(before: list[Body], kind: str, true: bool, why: tuple[str, str], now: str) -> Body:
    status = "True" if true else "False"
    old = next((each for each in before if each["type"] == kind), {})
    since = old.get("lastTransitionTime") if old.get("status") == status else None
    made = {"type": kind, "status": status, "lastTransitionTime": since or now}
    return made | {key: text for key, text in zip(("reason", "message"), why, strict=True) if text}


def _unready(mains: Sequence[ContainerState]) -> str:
    names = " ".join(each.container["name"] for each in mains if not each.ready)
    return f"containers with unready status: [{names}]"
