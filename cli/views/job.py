"""The output of `job view`: blocks of text, similar to `vcctl job view` and `kubectl describe`. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from cli.views.table import columns
from drawing.phase_style import COLOURS
from drawing.styled_line import StyledLine
from shared.duration import age, lasted
from shared.model.types import Body
from shared.names import TASK_SPEC
from shared.podstatus.podproblem import pod_problem
from shared.podstatus.taskstatus import TaskStatus, task_status
from shared.timestamp import epoch_or_none

_LABEL: Final = 15
_COUNTERS: Final = ("pending", "running", "succeeded", "failed", "terminating", "unknown")


def description(job: Body, pods: Sequence[Body], events: Sequence[Body], now: float) -> Iterator[StyledLine]:
    """Name, spec, tasks, status, conditions, pods and events."""
    yield from _top(job, now)
    yield StyledLine()
    yield StyledLine("Tasks:", "bold")
    yield from _indented(columns(("NAME", "REPLICAS", "MIN", "IMAGE", "REQUESTS", "PODS"), _tasks(job, pods)))
    yield StyledLine()
    yield from _status(job, now)
    if pods:
        yield StyledLine("Pods:", "bold")
        yield from _indented(columns(("NAME", "TASK STATUS", "RESTARTS", "NODE", "AGE", "PROBLEM"), _pods(pods, now)))
        yield StyledLine()
    yield StyledLine("Events:", "bold")
    yield from _indented(columns(("LAST", "TYPE", "REASON", "MESSAGE"), _events(events, now)) if events else _NONE)


_NONE: Final = (StyledLine("<none>", "dim"),)


def _top(job: Body, now: float) -> Iterator[StyledLine]:
    metadata, spec = job["metadata"], job.get("spec") or {}
    yield _line("Name", metadata["name"])
    yield _line("Namespace", metadata.get("namespace") or "")
    yield _line(
        "Created", f"{metadata.get('creationTimestamp')} ({age(_time(metadata.get('creationTimestamp')), now)})"
    )
    yield from _map("Labels", metadata.get("labels") or {})
    yield from _map("Annotations", metadata.get("annotations") or {})
    yield _line("Queue", spec.get("queue") or "")
    yield _line("Scheduler", spec.get("schedulerName") or "")
    for head, field in (
        ("Priority class", "priorityClassName"),
        ("Min success", "minSuccess"),
        ("TTL", "ttlSecondsAfterFinished"),
    ):
        if spec.get(field) not in (None, ""):
            yield _line(head, str(spec[field]))
    yield _line("Min available", str(spec.get("minAvailable", "")))
    yield _line("Max retry", str(spec.get("maxRetry", "")))
    if spec.get("plugins"):
        yield _line("Plugins", ", ".join(_plugin(name, given) for name, given in spec["plugins"].items()))
    for policy in spec.get("policies") or ():
        yield _line("Policy", _policy(policy))


def _status(job: Body, now: float) -> Iterator[StyledLine]:
    status = job.get("status") or {}
    state = status.get("state") or {}
    phase = state.get("phase") or "Pending"
    yield StyledLine.of((f"{'Status:':<{_LABEL}} ", "bold"), (phase, COLOURS.get(phase, "")))
    if said := ": ".join(part for part in (state.get("reason"), state.get("message")) if part):
        yield _line("Why", said)
    counts = ", ".join(f"{status[name]} {name}" for name in _COUNTERS if status.get(name))
    yield _line("Pods", counts or "none")
    if status.get("retryCount"):
        yield _line("Restarts", str(status["retryCount"]))
    started, ended = _time(status.get("startTime")), _time(status.get("completionTime"))
    if started is not None:
        yield _line("Duration", lasted((ended or now) - started))
    yield StyledLine()
    if conditions := status.get("conditions"):
        yield StyledLine("Conditions:", "bold")
        rows = [(each.get("status") or "", each.get("lastTransitionTime") or "") for each in conditions]
        yield from _indented(columns(("PHASE", "SINCE"), rows))
        yield StyledLine()


def _tasks(job: Body, pods: Iterable[Body]) -> Iterator[tuple[str, ...]]:
    states: dict[str, Counter[TaskStatus]] = {}
    for pod in pods:
        task = (pod["metadata"].get("labels") or {}).get(TASK_SPEC, "")
        states.setdefault(task, Counter())[task_status(pod)] += 1
    for task in (job.get("spec") or {}).get("tasks") or ():
        pod = (task.get("template") or {}).get("spec") or {}
        containers = pod.get("containers") or [{}]
        requests = (containers[0].get("resources") or {}).get("requests") or {}
        found = states.get(task.get("name") or "", Counter())
        yield (
            task.get("name") or "",
            str(task.get("replicas", 0)),
            str(task.get("minAvailable", "")),
            ",".join(str(container.get("image", "")) for container in containers),
            ",".join(f"{name}={amount}" for name, amount in requests.items()),
            ", ".join(f"{found[state]} {state}" for state in TaskStatus if found[state]),
        )


def _pods(pods: Iterable[Body], now: float) -> Iterator[tuple[str, ...]]:
    for pod in sorted(pods, key=lambda each: str(each["metadata"]["name"])):
        metadata = pod["metadata"]
        node = (pod.get("spec") or {}).get("nodeName") or "-"
        since = age(_time(metadata.get("creationTimestamp")), now)
        problem = pod_problem(pod)
        yield metadata["name"], task_status(pod), _restarts(pod), node, since, str(problem or "")


def _restarts(pod: Body) -> str:
    status = pod.get("status") or {}
    containers = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    return str(sum(each.get("restartCount") or 0 for each in containers))


def _events(events: Iterable[Body], now: float) -> Iterator[tuple[str, ...]]:
    for event in sorted(events, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or "")):
        last = _time(event.get("lastTimestamp") or event.get("eventTime"))
        yield age(last, now), event.get("type") or "", event.get("reason") or "", event.get("message") or ""


def _line(head: str, text: str) -> StyledLine:
    return StyledLine.of((f"{head + ':':<{_LABEL}} ", "bold"), text)


def _map(head: str, values: Mapping[str, str]) -> Iterator[StyledLine]:
    for place, (key, value) in enumerate(sorted(values.items())):
        line = f"{key}={value}"
        yield _line(head, line) if place == 0 else StyledLine(f"{'':<{_LABEL}} {line}")


def _plugin(name: str, arguments: Sequence[str] | None) -> str:
    return f"{name} ({' '.join(arguments)})" if arguments else name


def _policy(policy: Body) -> str:
    when = policy.get("event") or ", ".join(policy.get("events") or ()) or _cause(policy)
    after = f" after {policy['timeout']}" if policy.get("timeout") else ""
    return f"on {when}{after}: {policy.get('action')}"


def _cause(policy: Body) -> str:
    if codes := policy.get("exitCodes"):
        words = "exit codes but" if codes.get("operator") == "NotIn" else "exit codes"
        return f"{words} {', '.join(map(str, codes.get('values') or ()))}"
    if conditions := policy.get("podConditions"):
        return ", ".join(f"{each.get('type')}={each.get('status') or 'True'}" for each in conditions)
    return f"exit code {policy.get('exitCode')}"


def _indented(lines: Iterable[StyledLine]) -> Iterator[StyledLine]:
    for line in lines:
        yield line.indented("  ")


def _time(text: str | None) -> float | None:
    return epoch_or_none(text)
