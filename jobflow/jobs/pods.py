"""A pod template with one container from keyword arguments. Pure."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from jobflow.expressions.cel_value import CelValue
from jobflow.jobs.task_arguments import PodArguments
from jobflow.manifests.json_values import Plain, as_text, merged, plain, without_none
from jobflow.manifests.placed import Origin, Origins, by_key
from jobflow.manifests.spots import Spot
from shared.model.types import Body
from shared.substitution import references_in

CONTAINER: Final = "main"
GPU: Final = "nvidia.com/gpu"
_SHELL: Final = re.compile(r"[|&;<>`*?~#]|\$[({A-Za-z_]")
_REFERENCE: Final = re.compile(r"\$\([A-Za-z0-9_.-]+\)")
_PATHS: Final = {
    "image": "spec.containers[0].image",
    "command": "spec.containers[0].command",
    "script": "spec.containers[0].command",
    "args": "spec.containers[0].args",
    "env": "spec.containers[0].env",
    "cpu": "spec.containers[0].resources.requests.cpu",
    "memory": "spec.containers[0].resources.requests.memory",
    "gpus": "spec.containers[0].resources.limits",
    "resources": "spec.containers[0].resources",
    "working_dir": "spec.containers[0].workingDir",
    "service_account": "spec.serviceAccountName",
    "node_selector": "spec.nodeSelector",
    "tolerations": "spec.tolerations",
    "image_pull_secrets": "spec.imagePullSecrets",
    "restart_policy": "spec.restartPolicy",
    "labels": "metadata.labels",
    "annotations": "metadata.annotations",
    "container": "spec.containers[0]",
    "pod": "spec",
    "template": "",
}


def pod_template(arguments: PodArguments, spot: Spot) -> tuple[Body, Origins]:
    """The template, and which argument wrote each of its fields. Raises TypeError and ValueError."""
    origins = {path: Origin(spot, name) for name, path in _PATHS.items() if name in arguments}
    origins |= by_key("spec.containers[0].env", "env", arguments.get("env", ()), spot)
    if "template" in arguments:
        others = sorted(set(arguments) & set(_PATHS) - {"template"})
        if others:
            raise TypeError(f"template= is the whole pod template, so {', '.join(others)} cannot be given too")
        return merged({}, arguments["template"]), origins
    restart = arguments.get("restart_policy", "Never")
    spec: Body = {"restartPolicy": restart} if restart else {}
    spec |= without_none(
        serviceAccountName=arguments.get("service_account"),
        nodeSelector=arguments.get("node_selector"),
        tolerations=arguments.get("tolerations"),
    )
    if "image_pull_secrets" in arguments:
        spec["imagePullSecrets"] = [{"name": name} for name in arguments["image_pull_secrets"]]
    container = _container(arguments)
    spec["containers"] = [merged(container, arguments.get("container", {}))]
    metadata = {
        name: {key: as_text(value) for key, value in given.items()}
        for name, given in (("labels", arguments.get("labels")), ("annotations", arguments.get("annotations")))
        if given
    }
    template = {"metadata": metadata} if metadata else {}
    return {**template, "spec": merged(spec, arguments.get("pod", {}))}, origins


def _container(arguments: PodArguments) -> Body:
    given: Mapping[str, Any] = {**arguments}
    made: Body = {"name": CONTAINER}
    if "image" in arguments:
        made["image"] = as_text(arguments["image"])
    if "command" in arguments and "script" in arguments:
        raise TypeError("give command= or script=, not both")
    for name, write in _WRITERS.items():
        if name in given:
            field, value = write(given[name])
            made[field] = value
    resources = _resources(arguments)
    if resources:
        made["resources"] = resources
    return made


def words(line: str) -> list[str]:
    """The words of a line, as a shell would split it. Raises ValueError for what needs a shell."""
    rest = _REFERENCE.sub("", line)
    if _SHELL.search(rest) or "\n" in line:
        raise ValueError(
            f"command={line!r} needs a shell; write script={line!r}, or the words as a list for no shell at all"
        )
    return shlex.split(line)


def _command(given: str | Sequence[str | CelValue]) -> tuple[str, Plain]:
    return "command", list[Plain](words(given) if isinstance(given, str) else map(as_text, given))


def _script(given: str) -> tuple[str, Plain]:
    found = references_in(given)
    if found:
        name = found[0].text
        raise ValueError(
            f"script= holds {name}, whose value the shell would read as commands; pass it as a variable: "
            f'env={{"VALUE": ...}}, and write "$VALUE" in the script'
        )
    return "command", ["sh", "-c", given]


def _args(given: Sequence[Any]) -> tuple[str, Plain]:
    return "args", [as_text(each) for each in given]


def _env(given: Mapping[str, Any]) -> tuple[str, Plain]:
    return "env", [_variable(name, value) for name, value in given.items()]


def _variable(name: str, value: Any) -> Plain:
    if isinstance(value, Mapping):
        return {"name": name, "valueFrom": plain(value)}
    return {"name": name, "value": as_text(value)}


_WRITERS: Final[dict[Any, Callable[[Any], tuple[str, Plain]]]] = {
    "command": _command,
    "script": _script,
    "args": _args,
    "env": _env,
    "working_dir": lambda given: ("workingDir", as_text(given)),
}


def _resources(arguments: PodArguments) -> Body:
    if "resources" in arguments:
        return merged({}, arguments["resources"])
    amounts = (("cpu", arguments.get("cpu")), ("memory", arguments.get("memory")))
    requests = {name: as_text(value) for name, value in amounts if value is not None}
    gpus = as_text(arguments.get("gpus", 0))
    limits = {arguments.get("gpu_resource", GPU): gpus} if gpus != "0" else {}
    return {name: found for name, found in (("requests", requests), ("limits", limits)) if found}


def secret(name: str, key: str) -> Mapping[str, Mapping[str, str]]:
    """The value of an environment variable, taken from a Secret: `env={"TOKEN": secret("hub", "token")}`."""
    return {"secretKeyRef": {"name": name, "key": key}}


def config_map(name: str, key: str) -> Mapping[str, Mapping[str, str]]:
    """The value of an environment variable, taken from a ConfigMap."""
    return {"configMapKeyRef": {"name": name, "key": key}}
