"""The plugin for Krew, `kubectl jobflow`: an archive with a launcher, the wheel and the lock file, and its manifest.

One archive serves all platforms: packages with machine code are installed at the first call, with their hashes, for the Python
that is there. An archive with them inside would be needed for each platform and each version of Python.
"""

import hashlib
from pathlib import Path
from typing import Final

import yaml

from release import archive
from release.chart import Publication

LAUNCHER: Final = "kubectl-jobflow"
_PLATFORMS: Final = [("linux", "amd64"), ("linux", "arm64"), ("darwin", "amd64"), ("darwin", "arm64")]


def archive_of(root: Path, wheel: Path, lock: Path) -> bytes:
    """The archive: launcher, wheel, lock file, license."""
    members = {
        LAUNCHER: (root / "release/kubectl-jobflow.sh").read_bytes(),
        "LICENSE": (root / "LICENSE").read_bytes(),
        "requirements.lock": lock.read_bytes(),
        wheel.name: wheel.read_bytes(),
    }
    return archive.tar_gz(members, frozenset({LAUNCHER}))


def manifest(packed: Path, version: str, publication: Publication) -> str:
    """The manifest for Krew. Without `publication.files_url` it names the archive alone, which serves `--archive` only."""
    where = f"{publication.files_url.rstrip('/')}/{packed.name}" if publication.files_url else packed.name
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    platforms = [
        {
            "selector": {"matchLabels": {"os": system, "arch": machine}},
            "uri": where,
            "sha256": digest,
            "bin": LAUNCHER,
            "files": [{"from": "*", "to": "."}],
        }
        for system, machine in _PLATFORMS
    ]
    body = {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "jobflow"},
        "spec": {
            "version": f"v{version}",
            **({"homepage": publication.url} if publication.url else {}),
            "shortDescription": "Check, run, watch and control batch workflows",
            "description": "Lints, renders, draws, runs, watches and controls JobFlows and Volcano Jobs.\n",
            "caveats": "Needs Python 3.11 or newer. The first call installs Python packages into the plugin's folder.\n",
            "platforms": platforms,
        },
    }
    return yaml.safe_dump(body, sort_keys=False, width=120)
