"""Runs kubectl against one cluster."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from local.client import binaries
from shared.model.types import Body

_SECONDS = 180


class KubectlError(RuntimeError):
    """kubectl failed; the message is its standard error."""


class Kubectl:
    """`home`: a folder for kubectl's discovery cache; `tool`: None if kubectl is not available."""

    def __init__(self, kubeconfig: Path, home: Path, download: bool = True) -> None:
        self.tool = binaries.find("kubectl", download)
        self._kubeconfig = kubeconfig
        self._home = home

    def __call__(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run it. Raises KubectlError with its standard error, unless `check` is off."""
        if self.tool is None:
            raise KubectlError("there is no kubectl: put one on PATH or set KUBEBUILDER_ASSETS")
        command = [str(self.tool), f"--kubeconfig={self._kubeconfig}", *arguments]
        env = dict(os.environ) | {"HOME": str(self._home)}
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=_SECONDS, env=env, check=False
        )
        if check and done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def apply(self, source: Path | Body | Sequence[Body]) -> str:
        """`kubectl apply` of a file, a folder, or manifests; what kubectl printed."""
        if isinstance(source, Path):
            return self("apply", "-f", str(source)).stdout
        documents = [source] if isinstance(source, dict) else list(source)
        return self("apply", "-f", "-", stdin=yaml.safe_dump_all(documents)).stdout

    def refusal(self, source: Body) -> str:
        """The message of kubectl for a refused `source`. Raises AssertionError if it is accepted."""
        done = self("apply", "-f", "-", stdin=yaml.safe_dump(source), check=False)
        if done.returncode == 0:
            raise AssertionError(f"accepted: {source['kind']} {source['metadata']['name']}")
        return done.stderr
