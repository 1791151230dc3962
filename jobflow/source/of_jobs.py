"""Keyword arguments from a JobSpec: those that make exactly this spec again, else the spec in full. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from jobflow.jobs.job_spec import TASK, job_spec
from jobflow.jobs.pods import CONTAINER, GPU, pod_template
from jobflow.jobs.task import TaskSetup
from jobflow.manifests.spots import Spot
from jobflow.source.script import Call, Pairs
from shared.model.types import Body
from shared.substitution import references_in

Options = dict[str, Any]
_NOWHERE: Final = Spot("", 0)
_JOB_FIELDS: Final = {
    "minAvailable": "min_available",
    "minSuccess": "min_success",
    "queue": "queue",
    "priorityClassName": "priority",
    "schedulerName": "scheduler",
    "maxRetry": "max_retry",
    "ttlSecondsAfterFinished": "ttl",
    "runningEstimate": "running_estimate",
    "networkTopology": "network_topology",
}
_WRITTEN: Final = ("tasks", "plugins", "policies", "volumes")
_TASK_FIELDS: Final = {
    "minAvailable": "min_available",
    "maxRetry": "max_retry",
    "topologyPolicy": "topology_policy",
    "partitionPolicy": "partition_policy",
}
_POD_FIELDS: Final = {
    "serviceAccountName": "service_account",
    "nodeSelector": "node_selector",
    "tolerations": "tolerations",
}
_CONTAINER_FIELDS: Final = {"image": "image", "args": "args", "workingDir": "working_dir"}


def job_options(spec: Body) -> Options:
    """The arguments of Job or JobTemplate."""
    for options in (_job_options(spec), {"spec": spec}):
        try:
            if job_spec("", _evaluated(options), _NOWHERE)[0] == spec:
                return options
        except (TypeError, ValueError, KeyError, AttributeError):
            continue
    return {"spec": spec}


def _job_options(spec: Body) -> Options:
    options = {_JOB_FIELDS[field]: value for field, value in spec.items() if field in _JOB_FIELDS}
    tasks = spec.get("tasks") or []
    shared = {"minAvailable", "policies", "maxRetry"}
    alone = len(tasks) == 1 and tasks[0].get("name") == TASK and not shared & tasks[0].keys()
    inner: Options = task_options(tasks[0]) if alone else {"tasks": [_task(each) for each in tasks]}
    more = {field: value for field, value in spec.items() if field not in (*_JOB_FIELDS, *_WRITTEN)}
    if more:
        options["job"] = more
    if "plugins" in spec:
        plugins = spec["plugins"]
        options["plugins"] = list(plugins) if not any(plugins.values()) and None not in plugins.values() else plugins
    if "policies" in spec:
        options["policies"] = _policies(spec["policies"])
    if "volumes" in spec:
        options["volumes"] = _volumes(spec["volumes"])
    return inner | options


def _task(body: Body) -> Call:
    name = body.get("name", "")
    return Call("Task", (name,), task_options(body))


def task_options(body: Body) -> Options:
    """The arguments of Task, which are also those of a Job with one task."""
    options: Options = {}
    if body.get("replicas", 0) != 1:
        options["replicas"] = body.get("replicas", 0)
    options |= {_TASK_FIELDS[field]: value for field, value in body.items() if field in _TASK_FIELDS}
    if "policies" in body:
        options["policies"] = _policies(body["policies"])
    depends = body.get("dependsOn") or {}
    options |= {
        argument: depends[field]
        for field, argument in (("name", "after"), ("condition", "after_condition"), ("iteration", "after_iteration"))
        if field in depends
    }
    return _pod_options(body.get("template") or {}) | options


def _pod_options(template: Body) -> Options:
    """The shortest arguments that produce this pod template."""
    try:
        options = _taken_apart(template)
        if pod_template(_evaluated(options), _NOWHERE)[0] == template:
            return options
    except (TypeError, ValueError, KeyError, AttributeError, IndexError):
        pass
    return {"template": template}


def _taken_apart(template: Body) -> Options:
    spec = dict(template["spec"])
    (container,) = spec.pop("containers")
    options = _container_options(dict(container))
    restart = spec.pop("restartPolicy", "")
    if restart != "Never":
        options["restart_policy"] = restart
    options |= {argument: spec.pop(field) for field, argument in _POD_FIELDS.items() if field in spec}
    if secrets := spec.pop("imagePullSecrets", None):
        options["image_pull_secrets"] = [each["name"] for each in secrets]
    options |= {name: values for name, values in template.get("metadata", {}).items() if values}
    if spec:
        options["pod"] = spec
    return options


def _container_options(container: Body) -> Options:
    options: Options = {}
    for field, argument in _CONTAINER_FIELDS.items():
        if field in container:
            options[argument] = container.pop(field)
    command = container.pop("command", None)
    if command is not None:
        options |= _command(command)
    if "env" in container and _simple(container["env"]):
        options["env"] = {each["name"]: each.get("valueFrom", each.get("value")) for each in container.pop("env")}
    options |= _resources(container.pop("resources", None))
    if container.get("name") == CONTAINER:
        del container["name"]
    if container:
        options["container"] = container
    return options


def _command(command: list[str]) -> Options:
    shell = len(command) == 3 and command[:2] == ["sh", "-c"] and not references_in(command[2])
    return {"script": command[2]} if shell else {"command": command}


def _simple(variables: list[Body]) -> bool:
    names = [each.get("name") for each in variables]
    return len(set(names)) == len(names) and all(
        set(each) in ({"name", "value"}, {"name", "valueFrom"}) for each in variables
    )


def _resources(resources: Body | None) -> Options:
    if not resources:
        return {} if resources is None else {"resources": resources}
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    simple = set(resources) <= {"requests", "limits"} and set(requests) <= {"cpu", "memory"} and set(limits) <= {GPU}
    texts = all(isinstance(each, str) for each in (*requests.values(), *limits.values()))
    if not simple or not texts:
        return {"resources": resources}
    found: Options = dict(requests)
    if limits:
        found["gpus"] = int(limits[GPU]) if limits[GPU].isdigit() else limits[GPU]
    return found


def _policies(given: list[Body]) -> Any:
    entries = [(_when(each), each.get("action")) for each in given]
    keys = [when for when, _ in entries]
    if None in keys or len(set(map(repr, keys))) != len(keys):
        return given
    return Pairs(tuple(entries))


def _when(policy: Body) -> Any:
    """The key of a policy that says no more than when and what."""
    if set(policy) == {"event", "action"}:
        return str(policy["event"])
    if set(policy) == {"exitCode", "action"}:
        return int(policy["exitCode"])
    return tuple(policy["events"]) if set(policy) == {"events", "action"} else None


def _volumes(given: list[Body]) -> Any:
    found: dict[str, Any] = {}
    for each in given:
        if (
            set(each) not in ({"mountPath", "volumeClaimName"}, {"mountPath", "volumeClaim"})
            or each["mountPath"] in found
        ):
            return given
        found[each["mountPath"]] = each.get("volumeClaimName", each.get("volumeClaim"))
    return found


def _evaluated(options: Mapping[str, Any]) -> Any:
    """The options as Python values."""
    return {key: _evaluate(value) for key, value in options.items()}


def _evaluate(value: Any) -> Any:
    if isinstance(value, Pairs):
        return dict(value.entries)
    if isinstance(value, list):
        return [_evaluate(each) for each in value]
    if isinstance(value, Call):
        return TaskSetup(str(value.arguments[0]), **_evaluated(value.options))
    return value
