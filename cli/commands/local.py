"""`local up`, `local down`, `local status` and `local demo`: a cluster on this machine for developing flows."""

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from cli.exits import CliError, Exit
from cli.output import console, note, print_data, print_lines, say
from cli.views.table import columns
from drawing.styled_line import StyledLine

try:
    from local import background, overview, supervisor
    from local.client import binaries
    from local.client.blocking import BlockingClient
    from local.client.kubectl import Kubectl
    from local.demo import Demo
    from local.request import ClusterRequest
    from local.state_folder import ClusterRecord, StateFolder, StateFolderError, default_state_folder
except ModuleNotFoundError as error:
    if error.name == "fcntl":
        raise CliError("the local cluster does not run on Windows", hint="use WSL") from error
    missing = f"the local cluster needs the Python package {error.name}, which is not installed"
    raise CliError(missing, hint="pip install 'jobflow[local]'") from error

NO_KUBECTL: Final = "kubectl was not found on PATH; to install it, see https://kubernetes.io/docs/tasks/tools/"


def up(arguments: argparse.Namespace) -> int:
    """Start the cluster in the background, or with --foreground in this process."""
    folder, request = default_state_folder(), _request(arguments)
    if (record := _running(folder)) is not None:
        return _already_up(record, request)
    _check(request)
    note(_starting(request))
    if arguments.foreground:
        return _foreground(folder, request)
    with _start_errors():
        _announce(background.start(folder, request))
    note("The cluster runs in the background; `jobflow local down` stops it.")
    return Exit.OK


def down(arguments: argparse.Namespace) -> int:
    """Stop the cluster; not an error if none is running."""
    with _start_errors():
        ended = background.stop(default_state_folder())
    note("The local cluster has stopped." if ended else "No local cluster is running.")
    return Exit.OK


def demo(arguments: argparse.Namespace) -> int:
    """Run the demo on the running cluster, or on a new one, which is stopped after the demo unless --keep is given."""
    folder, request = default_state_folder(), _request(arguments)
    if (record := _running(folder)) is not None:
        note("Using the local cluster that is running; options for the cluster are ignored.")
        return _demo_on(Path(record.kubeconfig), record.request.speed)
    _check(request)
    note(_starting(request))
    if not arguments.keep:
        return _demo_on_temporary_cluster(request)
    with _start_errors():
        record = background.start(folder, request)
    code = _demo_on(Path(record.kubeconfig), request.speed)
    _announce(record)
    note(f"To look at it in the browser: KUBECONFIG={record.kubeconfig} {_command()} ui")
    note("The cluster stays up; `jobflow local down` stops it.")
    return code


def _command() -> str:
    """How this command is called: by its path where it is not on PATH, as in a virtual environment."""
    return "jobflow" if shutil.which("jobflow") else sys.argv[0]


def status(arguments: argparse.Namespace) -> int:
    """Return exit code 1 if no cluster is running or a part of it is not running."""
    folder = default_state_folder()
    record = folder.record() if folder.is_running() else None
    if record is None:
        running = folder.is_running()
        message = "The local cluster is starting." if running else "No local cluster is running."
        print_data(json.dumps({"running": False}) if arguments.output == "json" else message)
        return Exit.NO
    seen = overview.observe(record)
    if arguments.output == "json":
        print_data(json.dumps(_status_body(folder, record, seen), indent=2))
    else:
        _print_status(folder, record, seen)
    return Exit.OK if seen.healthy and all(record.processes.values()) else Exit.NO


# --- starting --------------------------------------------------------------------------------------------------------


def _request(arguments: argparse.Namespace) -> "ClusterRequest":
    return ClusterRequest(
        backend=arguments.backend or ("kubeconfig" if arguments.kubeconfig else "embedded"),
        kubeconfig=str(Path(arguments.kubeconfig).expanduser().absolute()) if arguments.kubeconfig else "",
        port=arguments.port,
        nodes=arguments.nodes,
        cpu=arguments.cpu,
        memory=arguments.memory,
        gpus=arguments.gpus,
        speed=arguments.speed,
        run_commands=arguments.run_commands,
    )


def _check(request: "ClusterRequest") -> None:
    if problems := request.problems():
        raise CliError("\n  ".join(("the cluster cannot be started:", *problems)) if problems[1:] else problems[0])


def _running(folder: "StateFolder") -> "ClusterRecord | None":
    """The running cluster. Waits for one that is being started."""
    if not folder.is_running():
        return None
    return folder.record() or background.wait_ready(folder)


def _already_up(record: "ClusterRecord", request: "ClusterRequest") -> int:
    note("A local cluster is already running.")
    print_data(f"export KUBECONFIG={record.kubeconfig}")
    if request in (record.request, replace(record.request, port=0)):
        return Exit.OK
    asked, found = asdict(request), asdict(record.request)
    other = [f"{name} is {found[name]}, not {asked[name]}" for name in asked if asked[name] != found[name]]
    hint = "run `jobflow local down` first"
    raise CliError(f"the running cluster has other options: {', '.join(other)}", Exit.NO, hint)


def _foreground(folder: "StateFolder", request: "ClusterRequest") -> int:
    with folder.locked() as held, _start_errors():
        if not held:
            raise CliError("another command is starting a local cluster", Exit.NO)
        supervisor.supervise(folder, request, _announce)
    return Exit.OK


def _demo_on_temporary_cluster(request: "ClusterRequest") -> int:
    begun = time.monotonic()
    with contextlib.ExitStack() as stack, _start_errors():
        made = tempfile.TemporaryDirectory(prefix="jobflow-", ignore_cleanup_errors=True)
        cluster = stack.enter_context(request.cluster(Path(stack.enter_context(made))))
        note(f"The cluster is up after {time.monotonic() - begun:.1f} s.")
        code = _demo_on(cluster.kubeconfig, request.speed)
        if code:
            note(f"--- the end of the controller's log:\n{cluster.logs('controller', 3000)}")
    return code


def _demo_on(kubeconfig: Path, speed: float) -> int:
    with tempfile.TemporaryDirectory() as home:
        kubectl = Kubectl(kubeconfig, Path(home), download=False)
        if kubectl.tool is None:
            note(NO_KUBECTL)
        succeeded = Demo(BlockingClient(kubeconfig), kubectl, speed, console(sys.stdout)).run()
    return Exit.OK if succeeded else Exit.NO


@contextlib.contextmanager
def _start_errors() -> Iterator[None]:
    try:
        yield
    except StateFolderError as error:
        raise CliError(str(error)) from error
    except supervisor.START_ERRORS as error:
        raise CliError(f"the local cluster: {error}", Exit.NO) from error


# --- printing --------------------------------------------------------------------------------------------------------


def _starting(request: "ClusterRequest") -> str:
    nodes = f"{request.nodes} node{'' if request.nodes == 1 else 's'}"
    return f"Starting a local cluster ({request.backend}, {nodes}) ..."


def _announce(record: "ClusterRecord") -> None:
    """Print only this line to stdout, so that `eval "$(jobflow local up)"` sets the variable."""
    print_data(f"export KUBECONFIG={record.kubeconfig}")
    if binaries.find("kubectl", download=False) is None:
        note(NO_KUBECTL)


def _status_body(folder: "StateFolder", record: "ClusterRecord", seen: "overview.ClusterOverview") -> dict[str, object]:
    return {
        "running": True,
        "kubeconfig": record.kubeconfig,
        "logs": str(folder.cluster / "logs"),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.started)),
        "request": asdict(record.request),
        "processes": dict(record.processes),
        **asdict(seen),
    }


def _print_status(folder: "StateFolder", record: "ClusterRecord", seen: "overview.ClusterOverview") -> None:
    request = record.request
    rows = {
        "Backend": request.backend,
        "Speed": f"{request.speed:g}",
        "Kubeconfig": record.kubeconfig,
        "Server": seen.server,
        "Kubernetes": seen.kubernetes or f"unknown: {seen.error}",
        "JobFlow": seen.jobflow,
        "Logs": str(folder.cluster / "logs"),
    }
    for name, value in rows.items():
        say(f"{name + ':':<12} {value}")
    _print_rows(
        ("PROCESS", "PID", "STATE"),
        [(name, str(pid or "-"), "running" if pid else "ended") for name, pid in record.processes.items()],
    )
    _print_rows(
        ("NODE", "STATE", "CPU", "MEMORY", "GPUS", "PODS"),
        [
            (node.name, "Ready" if node.ready else "NotReady", node.cpu, node.memory, node.gpus, str(node.pods))
            for node in seen.nodes
        ],
    )


def _print_rows(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    print_lines([StyledLine(), *columns(head, rows)])
