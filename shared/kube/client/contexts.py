"""The contexts of kubeconfig files and the namespace in use. Reads the files only; credentials are `kubeconfig`'s."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from shared.kube.client.connect import HOME_KUBECONFIG, SERVICE_ACCOUNT

if TYPE_CHECKING:
    from shared.kube.client.kubeconfig import KubeconfigFile


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
    for file in _files(kubeconfig):
        current = current or file.current_context or ""
        for entry in file.contexts or ():
            found.setdefault(entry.name, (entry.context and entry.context.namespace) or "")
    return found, current


def in_pod(kubeconfig: str = "") -> bool:
    """Whether the service account of a Pod is used, because no kubeconfig is set."""
    return not (kubeconfig or os.environ.get("KUBECONFIG")) and bool(os.environ.get("KUBERNETES_SERVICE_HOST"))


def _files(kubeconfig: str) -> Iterator["KubeconfigFile"]:
    """The kubeconfig files that can be read. Faults in the others are reported by `connect.load`."""
    from shared.kube.client.kubeconfig import BadKubeconfig, read_file

    paths = kubeconfig or os.environ.get("KUBECONFIG", "") or HOME_KUBECONFIG
    for path in (Path(part).expanduser() for part in paths.split(os.pathsep) if part):
        with contextlib.suppress(BadKubeconfig):
            yield read_file(path)[0]
