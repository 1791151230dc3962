"""Write certificates to files, for the local cluster and for `certs.mode: existing`."""

import os
from pathlib import Path

from certs.material import BUNDLE, CERTIFICATE, KEY, Material


def write(material: Material, directory: Path) -> None:
    """Write ca.crt, tls.crt and tls.key, readable by the owner only. Each file is replaced atomically."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in (
        (BUNDLE, material.bundle),
        (CERTIFICATE, material.serving.certificate),
        (KEY, material.serving.key),
    ):
        _replace(directory / name, content)


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.replace(path)
