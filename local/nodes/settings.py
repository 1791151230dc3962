"""The settings of the simulated nodes, from the command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NodeSettings:
    """`speed`: simulated seconds in a real second; `run_seconds`: duration of a command that is not simulated."""

    kubeconfig: Path
    nodes: int = 3
    prefix: str = "node"
    cpu: str = "8"
    memory: str = "32Gi"
    pods: int = 500
    gpus: int = 0
    gpu_resource: str = "nvidia.com/gpu"
    labels: tuple[tuple[str, str], ...] = ()
    speed: float = 1.0
    run_seconds: float = 1.0
    run_commands: bool = False
    scheduler: bool = True
    scheduler_names: frozenset[str] = frozenset()
    heartbeat_seconds: float = 10.0
    keep_nodes: bool = False

    def simulated(self, seconds: float) -> float:
        """Real seconds that `seconds` of simulated time take."""
        return seconds / self.speed


def parse(argv: list[str] | None = None) -> NodeSettings:
    known = parser().parse_args(argv)
    values = vars(known)
    values["labels"] = tuple(_label(text) for text in values.pop("label"))
    values["scheduler"] = not values.pop("no_scheduler")
    values["scheduler_names"] = frozenset(filter(None, values["scheduler_names"].split(",")))
    return NodeSettings(**values)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=f"python -m {__package__}", description="Stand-in for nodes.")
    add = made.add_argument
    add("--kubeconfig", type=Path, required=True)
    add("--nodes", type=int, default=NodeSettings.nodes, help="how many (default %(default)s)")
    add("--prefix", default=NodeSettings.prefix, help="nodes are named PREFIX-0, PREFIX-1, ...")
    add("--cpu", default=NodeSettings.cpu, help="allocatable CPU of each node")
    add("--memory", default=NodeSettings.memory, help="allocatable memory of each node")
    add("--pods", type=int, default=NodeSettings.pods, help="allocatable pods of each node")
    add("--gpus", type=int, default=NodeSettings.gpus, help="allocatable GPUs of each node")
    add("--gpu-resource", default=NodeSettings.gpu_resource)
    add("--label", action="append", default=[], metavar="KEY=VALUE", help="label of every node; may be repeated")
    add("--speed", type=float, default=NodeSettings.speed, help="simulated seconds in one real second")
    add(
        "--run-seconds", type=float, default=NodeSettings.run_seconds, help="how long an unknown command is said to run"
    )
    add("--run-commands", action="store_true", help="run the containers' commands as local processes")
    add("--no-scheduler", action="store_true", help="bind no pods: a real scheduler does")
    add("--scheduler-names", default="", help="bind only pods of these schedulers, comma-separated (default all)")
    add("--heartbeat-seconds", type=float, default=NodeSettings.heartbeat_seconds)
    add("--keep-nodes", action="store_true", help="leave the Node objects behind at the end")
    return made


def _label(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value
