"""Bills of materials (CycloneDX) of the Python packages in the images.

They are those of requirements-images.lock. What this environment says of them goes into an environment of its own, which
the CycloneDX tool reads: it takes no download, and nothing that is there for development gets in. The packages of the base
image are not part of it.
"""

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

from release.requirements import entries

LOCK: Final = "requirements-images.lock"


class SbomError(RuntimeError):
    """This environment does not have what the lock file says."""


def bills(root: Path, components: Sequence[str], version: str) -> dict[str, str]:
    """The bill of each image `jobflow-COMPONENT` as JSON, which differ in what they are of. Raises SbomError."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": folder}))
        for requirement in pins((root / LOCK).read_text()):
            _copy_metadata(requirement, site)
        command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--short-PURLs"]
        ran = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SbomError(ran.stderr)
    return {
        each: json.dumps(_about(json.loads(ran.stdout), each, version), indent=2, sort_keys=True) + "\n"
        for each in components
    }


def pins(lock: str) -> list[Requirement]:
    """The packages of a lock file for this platform."""
    texts = [entry.partition("--hash")[0].rstrip(" \\\n") for entry in entries(lock) if not entry.startswith("#")]
    found = [Requirement(text) for text in texts if text]
    return [each for each in found if not each.marker or each.marker.evaluate()]


def _copy_metadata(requirement: Requirement, site: Path) -> None:
    """The dist-info of an installed package: what it is called, its license, what it requires."""
    try:
        found = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError:
        raise SbomError(f"{requirement} is not installed: run `make install`") from None
    if not requirement.specifier.contains(found.version):
        raise SbomError(f"{requirement} is pinned, {found.version} is installed: run `make install`")
    source = Path(str(found.locate_file(""))) / f"{found.metadata['Name']}-{found.version}.dist-info"
    folder = source if source.is_dir() else _folder(found)
    shutil.copytree(
        folder, site / folder.name, ignore=shutil.ignore_patterns("RECORD", "INSTALLER", "REQUESTED", "direct_url*")
    )


def _folder(found: metadata.Distribution) -> Path:
    file = next(each for each in found.files or () if each.name == "METADATA")
    return Path(str(found.locate_file(file))).parent


def _about(bom: dict[str, Any], component: str, version: str) -> dict[str, Any]:
    """Say which image the bill is of."""
    reference = f"jobflow-{component}@{version}"
    roots = [each["bom-ref"] for each in bom.get("components", ())]
    bom["metadata"]["component"] = {
        "type": "container",
        "bom-ref": reference,
        "name": f"jobflow-{component}",
        "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    bom["dependencies"] = [*bom.get("dependencies", ()), {"ref": reference, "dependsOn": sorted(roots)}]
    bom["metadata"].pop("properties", None)
    return bom
