"""Rules of probe dependencies (docs/design/jobflow-api.md, section 4)."""

from collections.abc import Iterator

from shared.model.phases import PodPhase
from shared.model.step import Probe
from shared.violation import Reason, Violation
from webhook.hints.names import quoted
from webhook.subject.subjects import FlowSubject

_PHASES = tuple(phase.value for phase in PodPhase if phase is not PodPhase.UNKNOWN)


def probe_needs_targets(flow: FlowSubject) -> Iterator[Violation]:
    for path, _, targets in _probes(flow):
        if not targets:
            message = "a probe checks pods of the steps that it depends on: name these steps"
            yield Violation(f"{path}.dependsOn.targets", message, reason=Reason.REQUIRED)


def probe_looks_at_something(flow: FlowSubject) -> Iterator[Violation]:
    for path, probe, _ in _probes(flow):
        if not (probe.http_get_list or probe.tcp_socket_list or probe.task_status_list):
            message = "set at least one of httpGetList, tcpSocketList and taskStatusList"
            yield Violation(f"{path}.dependsOn.probe", message, reason=Reason.REQUIRED)


def probe_names_a_task(flow: FlowSubject) -> Iterator[Violation]:
    for path, probe, _ in _probes(flow):
        for place, task in _tasks(probe):
            if not task:
                where = f"{path}.dependsOn.probe.{place}.taskName"
                yield Violation(where, "set the name of a task of the target's Job", reason=Reason.REQUIRED)


def probe_ports_are_ports(flow: FlowSubject) -> Iterator[Violation]:
    for path, probe, _ in _probes(flow):
        ports = [(f"httpGetList[{index}]", item.port) for index, item in enumerate(probe.http_get_list)]
        ports += [(f"tcpSocketList[{index}]", item.port) for index, item in enumerate(probe.tcp_socket_list)]
        for place, port in ports:
            if not 1 <= port <= 65535:
                yield Violation(f"{path}.dependsOn.probe.{place}.port", "must be between 1 and 65535, inclusive", port)


def probe_requests_are_plain(flow: FlowSubject) -> Iterator[Violation]:
    """Neither path nor header can inject another host or header line."""
    for path, probe, _ in _probes(flow):
        for index, item in enumerate(probe.http_get_list):
            where, header = f"{path}.dependsOn.probe.httpGetList[{index}]", item.http_header
            if item.path and not item.path.startswith("/"):
                yield Violation(f"{where}.path", "must begin with '/'", item.path)
            if not item.path.isprintable():
                yield Violation(f"{where}.path", "must not contain control characters", item.path)
            if header is not None and not (header.name and (header.name + header.value).isprintable()):
                message = "needs a name; name and value must not contain control characters"
                yield Violation(f"{where}.httpHeader", message, header.name)


def probe_phases_are_pod_phases(flow: FlowSubject) -> Iterator[Violation]:
    for path, probe, _ in _probes(flow):
        for index, item in enumerate(probe.task_status_list):
            if item.phase not in _PHASES:
                where = f"{path}.dependsOn.probe.taskStatusList[{index}].phase"
                yield Violation(where, f"supported values: {quoted(_PHASES)}", item.phase, Reason.NOT_SUPPORTED)


def probes_of_unknown_tasks(flow: FlowSubject) -> Iterator[str]:
    """Warn about unknown tasks. The JobTemplates may still change before the step runs."""
    for path, probe, targets in _probes(flow):
        known = {step.name: flow.templates.get(step.template_name) for _, step in flow.steps if step.name in targets}
        if not known or any(template is None for template in known.values()):
            continue
        tasks = {task.name for template in known.values() if template for task in template.tasks or ()}
        for name in dict.fromkeys(name for _, name in _tasks(probe)):
            if name and name not in tasks:
                yield f'{path}.dependsOn.probe: no target has a task "{name}"'


def _tasks(probe: Probe) -> Iterator[tuple[str, str]]:
    """(path in the probe, task name) of all checks."""
    yield from ((f"httpGetList[{index}]", item.task_name) for index, item in enumerate(probe.http_get_list))
    yield from ((f"tcpSocketList[{index}]", item.task_name) for index, item in enumerate(probe.tcp_socket_list))
    yield from ((f"taskStatusList[{index}]", item.task_name) for index, item in enumerate(probe.task_status_list))


def _probes(flow: FlowSubject) -> Iterator[tuple[str, Probe, tuple[str, ...]]]:
    for path, step in flow.special:
        if step.depends_on is not None and step.depends_on.probe is not None:
            yield path, step.depends_on.probe, step.depends_on.targets
