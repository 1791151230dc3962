"""The process that runs a local cluster until it gets SIGTERM.

`jobflow local up` starts it in the background as `python -m local.supervisor`; `jobflow local up --foreground` runs it
in the command's own process.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from local.client.rest import RestError
from local.cluster import LocalCluster
from local.processes import StartError, exit_on_signals
from local.request import ClusterRequest
from local.state_folder import ClusterRecord, StateFolder

START_ERRORS: Final = (StartError, RestError, TimeoutError, OSError, ValueError)
_LOOK_SECONDS: Final = 1.0


def supervise(folder: StateFolder, request: ClusterRequest, ready: Callable[[ClusterRecord], None]) -> None:
    """Run the cluster until an exception ends it: SystemExit on SIGTERM, KeyboardInterrupt on SIGINT.

    The caller holds the folder's lock. Raises one of START_ERRORS where the cluster does not start.
    """
    exit_on_signals()
    folder.begin()
    try:
        with request.cluster(folder.cluster) as cluster:
            record = ClusterRecord(request, str(_kubeconfig(folder, cluster)), _now(), cluster.processes.pids())
            folder.publish(record)
            ready(record)
            _follow(folder, record, cluster)
    finally:
        folder.clean()


def _follow(folder: StateFolder, record: ClusterRecord, cluster: LocalCluster) -> None:
    """Keep the record's processes up to date, for `jobflow local status`."""
    known = record.processes
    while True:
        time.sleep(_LOOK_SECONDS)
        found = cluster.processes.pids()
        if found != known:
            known = found
            folder.publish(ClusterRecord(record.request, record.kubeconfig, record.started, found))


def _kubeconfig(folder: StateFolder, cluster: LocalCluster) -> Path:
    """A cluster that already existed keeps its own file, which may name other files relative to itself."""
    if cluster.backend.name == "kubeconfig":
        return cluster.kubeconfig
    folder.keep_kubeconfig(cluster.kubeconfig)
    return folder.kubeconfig


def _now() -> float:
    return time.time()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}.supervisor", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="the state folder")
    parser.add_argument("--request", required=True, help="a ClusterRequest as JSON")
    values = parser.parse_args(argv)
    with contextlib.suppress(PermissionError):  # of a process that leads its session already
        os.setsid()
    folder = StateFolder(values.dir)
    with folder.locked() as held:
        if not held:
            print("another local cluster uses this folder", file=sys.stderr)
            return 1
        try:
            supervise(folder, ClusterRequest(**json.loads(values.request)), lambda _: None)
        except START_ERRORS as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
