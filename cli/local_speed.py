"""How much faster than real time the schedules of a cluster run: `jobflow local up --speed`."""

import os
from pathlib import Path
from typing import Final

HOME_KUBECONFIG: Final = "~/.kube/config"


def schedule_speed(kubeconfig: str) -> float:
    """1, unless the kubeconfig in use is that of the local cluster that is up. `kubeconfig`: of the flags, or ''."""
    try:
        from local.state_folder import default_state_folder
    except ModuleNotFoundError:  # without the packages of the local cluster there is none
        return 1.0
    record = default_state_folder().record()
    if record is None:
        return 1.0
    used = kubeconfig or os.environ.get("KUBECONFIG", "") or HOME_KUBECONFIG
    same = Path(used).expanduser().absolute() == Path(record.kubeconfig).absolute()
    return max(1.0, record.request.speed) if same else 1.0
