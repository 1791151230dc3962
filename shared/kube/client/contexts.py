"""The contexts of kubeconfig files and the namespace in use. Reads the files only; credentials are `kubeconfig`'s."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from shared.kube.client.connect import HOME_KUBECONFIG, SERVICE_ACCOUNT
from shared.model.types import Body


def namespace_in_use(kubeconfig: str = "", context: str = "") -> str:
    """The namespace of the kubeconfig's context, or of the Pod that this process runs in, or `default`."""
    mounted = Path(SERVICE_ACCOUNT) / "namespace"
    if in_pod(kubeconfig) and mounted.is_file():
        return mounted.read_text().strip()
    found, current = contexts(kubeconfig)
    return found.get(context or current, "") or "default"


def contexts(kubeconfig: str = "") -> tuple[dict[str, str], str]:
    """(namespace of each context, the current one); files are merged as kubectl does: the first one that sets a value
    wins.
    """
    found: dict[str, str] = {}
    current = ""
    for config in _configs(kubeconfig):
        current = current or str(config.get("current-context") or "")
        for entry in config.get("contexts") or ():
            found.setdefault(entry.get("name") or "", (entry.get("context") or {}).get("namespace") or "")
    return found, current


def in_pod(kubeconfig: str = "") -> bool:
    """Whether the service account of a Pod is used, because no kubeconfig is set."""
    return not (kubeconfig or os.environ.get("KUBECONFIG")) and bool(os.environ.get("KUBERNETES_SERVICE_HOST"))


def _configs(kubeconfig: str) -> Iterator[Body]:
    """The kubeconfig files that can be parsed. Faults in the others are reported by `connect.load`."""
    from shared.kube.client.kubeconfig import parsed

    paths = kubeconfig or os.environ.get("KUBECONFIG", "") or HOME_KUBECONFIG
    for path in (Path(part).expanduser() for part in paths.split(os.pathsep) if part):
        with contextlib.suppress(OSError, ValueError):
            config = parsed(path.read_text())
            if isinstance(config, dict):
                yield config
