"""The two sides of a comparison: our controller, and another controller for the same CRDs.

BENCH_PEER='other-controller --kubeconfig={kubeconfig} ...'   the command for loads of flows whose Jobs are simulated
BENCH_PEER_PODS='...'     the command for loads with pods (default: BENCH_PEER)
BENCH_PEER_CRDS=FOLDER    CRDs that it needs besides ours
BENCH_PEER_AGENT=NAME     how its User-Agent begins (default: the name of its program)
BENCH_ACCESS=pod          our controller has a mounted service account, as in a Pod, instead of a kubeconfig (real backend)
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from bench.cluster import BenchCluster
from bench.procstat import Usage, usage
from bench.report import OURS, PEER
from bench.service_account import mounted
from local.cluster import SYSTEM
from local.ports import free_port

PODS: Final = "pods"
FLOWS: Final = "flows"  # the benchmark completes Jobs, so no other controller may reconcile them
_ARGUMENTS: Final[Mapping[str, Sequence[str]]] = {
    FLOWS: ("--no-leader-elect", "--no-job-controller"),
    PODS: ("--no-leader-elect", "--gang-backend=gate"),
}


class Side(Protocol):
    """One controller under test. `gates`: whether it admits pod groups itself; otherwise a scheduler does."""

    @property
    def name(self) -> str: ...

    @property
    def agent(self) -> str: ...

    @property
    def gates(self) -> bool: ...

    def start(self, bench_cluster: BenchCluster, what: str) -> None: ...

    def usage(self, bench_cluster: BenchCluster) -> Usage: ...

    def stop(self, bench_cluster: BenchCluster) -> None: ...


class Ours(msgspec.Struct, frozen=True):
    name: str = OURS
    agent: str = "jobflow-controller"
    gates: bool = True
    in_pod: bool = False

    def start(self, bench_cluster: BenchCluster, what: str) -> None:
        cluster = bench_cluster.cluster
        if self.in_pod:
            health = free_port()
            arguments = [f"--health-port={health}", "--log-level=warning", f"--namespace={SYSTEM}", *_ARGUMENTS[what]]
            cluster.run("controller", "bench.in_pod", arguments, health, mounted(cluster))
        else:
            cluster.start_controller(more=_ARGUMENTS[what])
        cluster.await_ready("controller")

    def usage(self, bench_cluster: BenchCluster) -> Usage:
        return usage(bench_cluster.cluster.processes["controller"].pid)

    def stop(self, bench_cluster: BenchCluster) -> None:
        bench_cluster.cluster.processes.stop("controller")


class Other(msgspec.Struct, frozen=True):
    """Ready when the first Job of a flow exists; loads wait for that on both sides."""

    commands: Mapping[str, str]
    agent: str
    name: str = PEER
    gates: bool = False

    def start(self, bench_cluster: BenchCluster, what: str) -> None:
        command = self.commands[what].replace("{kubeconfig}", str(bench_cluster.cluster.kubeconfig))
        bench_cluster.cluster.processes.start("peer", shlex.split(command))

    def usage(self, bench_cluster: BenchCluster) -> Usage:
        return usage(bench_cluster.cluster.processes["peer"].pid)

    def stop(self, bench_cluster: BenchCluster) -> None:
        bench_cluster.cluster.processes.stop("peer")


def sides(environ: Mapping[str, str] = os.environ) -> list[Side]:
    """Our side, and the peer if BENCH_PEER names one."""
    command = environ.get("BENCH_PEER", "")
    ours = Ours(in_pod=environ.get("BENCH_ACCESS") == "pod")
    if not command:
        return [ours]
    commands = {FLOWS: command, PODS: environ.get("BENCH_PEER_PODS") or command}
    agent = environ.get("BENCH_PEER_AGENT") or Path(shlex.split(command)[0]).name
    return [ours, Other(commands, agent)]
