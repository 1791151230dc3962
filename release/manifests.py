"""Manifests for people without Helm: everything in one file, and the CRDs alone."""

import subprocess
from pathlib import Path
from typing import Final

from local.client import binaries
from release.chart import FOLDER
from release.layout import files

NAMESPACE: Final = "jobflow-system"
KUBERNETES: Final = "1.30.0"
"""Rendered for the oldest version that the chart takes, so that the result does not depend on the version of helm."""
_HEAD: Final = """\
# jobflow {version} in namespace {namespace}, as the chart renders it by default: kubectl apply --server-side -f install.yaml
---
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
"""


class ManifestError(RuntimeError):
    """There is no helm, or it refuses the chart."""


def install(chart: Path, version: str) -> str:
    """The rendered chart with its namespace. Raises ManifestError."""
    _helm("lint", "--strict", str(chart))
    options = ["--namespace", NAMESPACE, "--skip-tests", "--kube-version", KUBERNETES]
    return _HEAD.format(version=version, namespace=NAMESPACE) + _helm("template", "jobflow", str(chart), *options)


def crds(root: Path) -> str:
    """All CRDs as they are in the chart."""
    return "".join(f"---\n{path.read_text()}" for path in files(root / FOLDER / "files/crds"))


def _helm(*arguments: str) -> str:
    helm = binaries.find("helm")
    if helm is None:
        raise ManifestError("install.yaml needs helm, which is neither on PATH nor to be had from the package registry")
    ran = subprocess.run([str(helm), *arguments], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise ManifestError(f"helm {arguments[0]}: {ran.stdout}{ran.stderr}")
    return ran.stdout
