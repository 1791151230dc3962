"""Verbs on the local cluster, web pages, version and completion."""

from typing import Final

from cli.verbs.model import Argument, Verb, arg

_LOCAL_CLUSTER: Final = (
    arg("--nodes", type=int, default=3, metavar="N", help="simulated nodes; default: 3"),
    arg("--cpu", default="8", metavar="QUANTITY", help="allocatable CPU of each node; default: 8"),
    arg("--memory", default="32Gi", metavar="QUANTITY", help="allocatable memory of each node; default: 32Gi"),
    arg("--gpus", type=int, default=2, metavar="N", help="allocatable nvidia.com/gpu of each node; default: 2"),
    arg("--run-commands", action="store_true", help="run the commands of containers as processes of this machine"),
    arg(
        "--backend",
        choices=("embedded", "real", "kubeconfig"),
        help="API server: in memory (default), the binaries in $KUBEBUILDER_ASSETS, or that of --kubeconfig",
    ),
    arg(
        "--kubeconfig",
        default="",
        metavar="FILE",
        live="file",
        help="kubeconfig of an existing cluster, to add nodes and JobFlow to",
    ),
    arg("--port", type=int, default=0, metavar="PORT", help="port of the API server; default: any free port"),
)


def _local_speed(default: float) -> Argument:
    said = f"simulated seconds that pass on the nodes, and for schedules, in one real second; default: {default:g}"
    return arg("--speed", type=float, default=default, metavar="FACTOR", help=said)


MACHINE_VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "local up",
        "local:up",
        "start a cluster on this machine with JobFlow in it, and print the line that sets KUBECONFIG",
        (
            *_LOCAL_CLUSTER,
            _local_speed(1.0),
            arg("--foreground", action="store_true", help="stay in this terminal; Ctrl-C stops the cluster"),
        ),
        cluster=False,
        examples=('eval "$(jobflow local up)"', "jobflow local up --nodes 5 --gpus 8 --speed 10"),
    ),
    Verb(
        "local down",
        "local:down",
        "stop the local cluster",
        cluster=False,
        examples=("jobflow local down",),
    ),
    Verb(
        "local demo",
        "local:demo",
        "run an example flow on the local cluster; if none is running, start one and stop it afterwards",
        (
            *_LOCAL_CLUSTER,
            _local_speed(8.0),
            arg("--keep", action="store_true", help="leave the cluster running"),
        ),
        cluster=False,
        examples=("jobflow local demo", "jobflow local demo --keep"),
    ),
    Verb(
        "local status",
        "local:status",
        "show the local cluster: its processes, its kubeconfig, versions and nodes",
        (),
        ("json",),
        cluster=False,
        examples=("jobflow local status",),
    ),
    Verb(
        "ui",
        "ui:run",
        "serve the web pages on this machine, with the kubeconfig's rights, and open the browser",
        (
            arg("-A", "--all-namespaces", action="store_true", help="lists show all namespaces first"),
            arg("--port", type=int, default=0, metavar="PORT", help="default: any free port"),
            arg("--no-browser", action="store_true", help="only print the address"),
            arg("--read-only", action="store_true", help="without the buttons that change something"),
            arg("--offline", action="store_true", help="without a cluster: only the pages that need none"),
        ),
        examples=("jobflow ui", "jobflow ui --port 8080 --no-browser"),
    ),
    Verb("version", "about:version", "print the version", (), ("json",), cluster=False),
    Verb(
        "completion",
        "about:completion",
        "print the completion script of a shell",
        (arg("shell", choices=("bash", "zsh", "fish"), help="the shell"),),
        cluster=False,
        examples=(
            "source <(jobflow completion bash)",
            "jobflow completion fish > ~/.config/fish/completions/jobflow.fish",
        ),
    ),
)
