"""A local cluster for people.

python -m local.local up      starts one and prints the KUBECONFIG line; Ctrl-C ends it
python -m local.local demo    runs the example flow; --keep leaves the cluster up in the background
python -m local.local down    ends what `demo --keep` left
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from local import demo
from local.backends import chosen
from local.client.blocking import BlockingClient, until
from local.client.kubectl import Kubectl
from local.cluster import ClusterOptions, LocalCluster
from local.processes import exit_on_signals

STATE: Final = Path(".cluster/up.json")  # what runs in the background
LOG: Final = Path(".cluster/up.log")
_UP_SECONDS: Final = 120.0
_DOWN_SECONDS: Final = 30.0
_DEMO_SPEED: Final = 8.0
_INTERRUPTED: Final = 130


def main(argv: list[str] | None = None) -> int:
    values = _arguments(argv)
    verbs = {"up": up, "demo": keep_demo if values.keep else run_demo, "down": down}
    try:
        return verbs[values.verb](values)
    except KeyboardInterrupt:
        return _INTERRUPTED


def up(values: argparse.Namespace) -> int:
    """Run a cluster until told to stop."""
    with _cluster(values) as cluster:
        print(f"export KUBECONFIG={cluster.kubeconfig}", flush=True)
        if values.background:
            _remember(cluster.kubeconfig)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    if values.background:
        STATE.unlink(missing_ok=True)
    return 0


def run_demo(values: argparse.Namespace) -> int:
    """The demo on a cluster of its own, which ends with it."""
    console = demo.console()
    console.print(f"Starting a local cluster ({values.backend or 'embedded'}) ...", style="dim")
    begun = time.monotonic()
    with _cluster(values) as cluster:
        console.print(f"Up after {time.monotonic() - begun:.1f} s.", style="dim", highlight=False)
        code = demo.Demo(cluster.kube, cluster.kubectl, values.speed, console).run()
        if code:
            print(f"--- the end of the controller's log:\n{cluster.logs('controller', 3000)}", file=sys.stderr)
        return code


def keep_demo(values: argparse.Namespace) -> int:
    """The demo on a cluster in the background, which stays."""
    console = demo.console()
    state = _running()
    if state is None:
        console.print("Starting a local cluster that stays ...", style="dim")
        state = _start_background(values)
    kubeconfig = Path(str(state["kubeconfig"]))
    with tempfile.TemporaryDirectory() as home:
        kubectl = Kubectl(kubeconfig, Path(home))
        code = demo.Demo(BlockingClient(kubeconfig), kubectl, values.speed, console).run()
    console.out(f"export KUBECONFIG={kubeconfig}", highlight=False)
    console.print("The cluster stays up; end it with: .venv/bin/python -m local.local down", style="dim")
    return code


def down(values: argparse.Namespace) -> int:
    """End the cluster in the background, if there is one."""
    state = _running()
    if state is None:
        print("no cluster is running in the background")
        return 0
    os.kill(int(str(state["pid"])), signal.SIGTERM)
    until(lambda: _running() is None, _DOWN_SECONDS, lambda: f"process {state['pid']} does not end")
    print("the cluster has ended")
    return 0


def _cluster(values: argparse.Namespace) -> LocalCluster:
    options = ClusterOptions(
        nodes=values.nodes,
        cpu=values.cpu,
        memory=values.memory,
        gpus=values.gpus,
        speed=values.speed,
        run_commands=values.run_commands,
    )
    return LocalCluster(chosen(values.backend, values.kubeconfig), options)


def _start_background(values: argparse.Namespace) -> dict[str, object]:
    LOG.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "local.local", "up", "--background", "--speed", str(values.speed)]
    command += ["--backend", values.backend, "--kubeconfig", values.kubeconfig, "--nodes", str(values.nodes)]
    with LOG.open("wb") as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    return until(
        lambda: _running() if child.poll() is None else _give_up(),
        _UP_SECONDS,
        lambda: f"the cluster does not come up; see {LOG}",
    )


def _give_up() -> None:
    raise SystemExit(f"the cluster did not come up:\n{LOG.read_text()}")


def _remember(kubeconfig: Path) -> None:
    STATE.parent.mkdir(exist_ok=True)
    STATE.write_text(json.dumps({"pid": os.getpid(), "kubeconfig": str(kubeconfig)}))


def _running() -> dict[str, object] | None:
    """What STATE tells, if that process is still alive."""
    try:
        state: dict[str, object] = json.loads(STATE.read_text())
        os.kill(int(str(state["pid"])), 0)
    except (OSError, ValueError):
        return None
    return state


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    made = argparse.ArgumentParser(prog="python -m local.local", description=__doc__)
    made.add_argument("verb", choices=["up", "demo", "down"])
    made.add_argument("--backend", default="", help="embedded (default), real (KUBEBUILDER_ASSETS) or kubeconfig")
    made.add_argument("--kubeconfig", default="", help="of a cluster that is already there")
    made.add_argument("--nodes", type=int, default=ClusterOptions.nodes)
    made.add_argument("--cpu", default=ClusterOptions.cpu)
    made.add_argument("--memory", default=ClusterOptions.memory)
    made.add_argument("--gpus", type=int, default=ClusterOptions.gpus)
    made.add_argument("--speed", type=float, help="simulated seconds in a real one (demo: 8, up: 1)")
    made.add_argument("--run-commands", action="store_true", help="run containers' commands as local processes")
    made.add_argument(
        "--keep", action="store_true", default=os.environ.get("KEEP", "") not in ("", "0"), help="demo: leave it up"
    )
    made.add_argument("--background", action="store_true", help=argparse.SUPPRESS)
    values = made.parse_args(argv)
    values.speed = values.speed or (_DEMO_SPEED if values.verb == "demo" else 1.0)
    return values


if __name__ == "__main__":
    exit_on_signals()
    sys.exit(main())
