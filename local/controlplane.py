"""A real control plane from `KUBEBUILDER_ASSETS`: etcd, kube-apiserver, and other components if present.

    python -m local.controlplane --dir DIR [--crds FOLDER] [--scheduler] [--audit]

prints one line of JSON, `{"kubeconfig": ..., "server": ..., "audit": ...}`, when it is ready, and runs until it gets a
signal. The controller manager (garbage collection, namespaces, service accounts) is started after the CRDs of `--crds`
are installed, because it discovers new kinds only twice a minute.
"""

import argparse
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.pki import CertificateAuthority, kubeconfig, signing_key
from local.ports import free_port
from local.processes import Process, Processes, StartError, exit_on_signals
from local.served import READY, USED_BY_KUBECTL, Get, missing, openapi_of

_READY_SECONDS = 90.0
_AUDIT_POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules: [{level: Metadata}]
"""


@dataclass(frozen=True)
class ControlPlaneOptions:
    """What to start. `assets`: the folder of binaries; `folder`: where data, certificates and logs go."""

    assets: Path
    folder: Path
    crds: Path | None = None
    controller_manager: bool = True
    scheduler: bool = False
    audit: bool = False
    apiserver_args: Sequence[str] = ()
    manager_args: Sequence[str] = ()
    scheduler_args: Sequence[str] = ()
    port: int = 0


class ControlPlane:
    """Starts all components in `start`; the given `processes` stop them."""

    def __init__(self, plan: ControlPlaneOptions, processes: Processes) -> None:
        self._plan = plan
        self._processes = processes
        self._authority = CertificateAuthority()
        self._port = plan.port or free_port()
        self.server = f"https://127.0.0.1:{self._port}"
        self.kubeconfig = plan.folder / "kubeconfig"
        self.audit = plan.folder / "audit.log"

    def start(self) -> None:
        self._write_files()
        etcd, peers = free_port(), free_port()
        database = self._run("etcd", self._etcd(etcd, peers))
        needed = (database, self._run("kube-apiserver", self._apiserver(etcd)))
        get = self._getter()
        _await_served(needed, lambda: missing(get, READY))
        _await_served(needed, lambda: missing(get, USED_BY_KUBECTL))
        if self._plan.crds is not None:
            self._apply_crds(self._plan.crds)
            documents = openapi_of(self._plan.crds)
            _await_served(needed, lambda: missing(get, documents))
        if self._has_manager:
            self._run("kube-controller-manager", self._manager())
        if self._plan.scheduler:
            self._run("kube-scheduler", self._scheduler())

    @property
    def _has_manager(self) -> bool:
        return self._plan.controller_manager and self._binary("kube-controller-manager").exists()

    def _binary(self, name: str) -> Path:
        return self._plan.assets / name

    def _run(self, name: str, arguments: Sequence[str]) -> Process:
        try:
            return self._processes.start(name, [str(self._binary(name)), *arguments])
        except OSError as error:
            raise _not_executable(self._binary(name), error) from error

    def _file(self, name: str) -> str:
        return str(self._plan.folder / name)

    def _write_files(self) -> None:
        folder = self._plan.folder
        folder.mkdir(parents=True, exist_ok=True)
        self._authority.pair().write(folder, "ca")
        self._authority.serving().write(folder, "server")
        private, public = signing_key()
        (folder / "sa.key").write_bytes(private)
        (folder / "sa.pub").write_bytes(public)
        (folder / "audit-policy.yaml").write_text(_AUDIT_POLICY)
        people = {
            "kubeconfig": ("admin", "system:masters"),
            "manager.kubeconfig": ("system:kube-controller-manager", ""),
            "scheduler.kubeconfig": ("system:kube-scheduler", ""),
        }
        for name, (user, group) in people.items():
            pair = self._authority.client(user, group)
            (folder / name).write_text(kubeconfig(self.server, self._authority.pem, pair))

    def _etcd(self, port: int, peers: int) -> list[str]:
        client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peers}"
        return [
            f"--data-dir={self._file('etcd')}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=error",
        ]

    def _apiserver(self, etcd: int) -> list[str]:
        audit = [f"--audit-log-path={self.audit}", f"--audit-policy-file={self._file('audit-policy.yaml')}"]
        return [
            f"--etcd-servers=http://127.0.0.1:{etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self._port}",
            f"--tls-cert-file={self._file('server.crt')}",
            f"--tls-private-key-file={self._file('server.key')}",
            f"--client-ca-file={self._file('ca.crt')}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={self._file('sa.pub')}",
            f"--service-account-signing-key-file={self._file('sa.key')}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",
            "--allow-privileged=true",
            *([] if self._has_manager else ["--disable-admission-plugins=ServiceAccount"]),
            *(audit if self._plan.audit else []),
            *self._plan.apiserver_args,
        ]

    def _manager(self) -> list[str]:
        return [
            f"--kubeconfig={self._file('manager.kubeconfig')}",
            f"--service-account-private-key-file={self._file('sa.key')}",
            f"--root-ca-file={self._file('ca.crt')}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            "--secure-port=0",
            *self._plan.manager_args,
        ]

    def _scheduler(self) -> list[str]:
        given = list(self._plan.scheduler_args)
        kubeconfig_given = any(each.startswith("--config") for each in given)
        own = [] if kubeconfig_given else [f"--kubeconfig={self._file('scheduler.kubeconfig')}"]
        return [*own, "--leader-elect=false", "--secure-port=0", *given]

    def _getter(self) -> Get:
        context = ssl.create_default_context(cafile=self._file("ca.crt"))
        pair = self._authority.client("admin", "system:masters").write(self._plan.folder, "admin")
        context.load_cert_chain(*pair)
        return lambda path: _get(f"{self.server}{path}", context)

    def _apply_crds(self, folder: Path) -> None:
        self._kubectl("apply", "--server-side", "-f", str(folder))
        self._kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", str(folder))

    def _kubectl(self, verb: str, *arguments: str) -> None:
        """Run kubectl. Its messages go to the log. Raises StartError."""
        program = self._binary("kubectl")
        try:
            subprocess.run(
                [str(program), f"--kubeconfig={self.kubeconfig}", verb, *arguments], check=True, stdout=sys.stderr
            )
        except OSError as error:
            raise _not_executable(program, error) from error
        except subprocess.CalledProcessError as error:
            raise StartError(f"kubectl {verb} ended with exit code {error.returncode}; see the lines before") from error


def _not_executable(program: Path, error: OSError) -> StartError:
    return StartError(f"{program} cannot be executed: {error.strerror}; is it built for this machine?")


def _await_served(needed: Sequence[Process], look: Callable[[], list[str]]) -> None:
    """Wait until `look` finds nothing missing. `needed`: etcd and the API server.

    Raises StartError, which names a process that has ended or, after a time-out, what is not served.
    """
    end = time.monotonic() + _READY_SECONDS
    while lacking := look():
        for process in needed:
            if not process.running:
                code = process.wait(0)
                raise StartError(
                    f"{process.name} ended with exit code {code}:\n{process.tail().strip() or '(no output)'}"
                )
        if time.monotonic() > end:
            lines = "\n".join(f"  {each}" for each in lacking)
            raise StartError(f"kube-apiserver does not serve what kubectl needs:\n{lines}\n{needed[-1].tail()}")
        time.sleep(0.1)


def _get(url: str, context: ssl.SSLContext) -> bytes:
    """The body of a 200 answer. Raises OSError otherwise."""
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        content: bytes = answer.read()
        return content


def main(argv: list[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog=f"python -m {__package__}.controlplane", description=__doc__)
    made.add_argument("--dir", type=Path, required=True)
    made.add_argument("--crds", type=Path)
    made.add_argument("--no-controller-manager", dest="controller_manager", action="store_false")
    made.add_argument("--scheduler", action="store_true")
    made.add_argument("--audit", action="store_true")
    made.add_argument("--port", type=int, default=0)
    made.add_argument("--apiserver-arg", action="append", default=[], dest="apiserver_args")
    made.add_argument("--manager-arg", action="append", default=[], dest="manager_args")
    made.add_argument("--scheduler-arg", action="append", default=[], dest="scheduler_args")
    values = vars(made.parse_args(argv))
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        print("KUBEBUILDER_ASSETS must name the folder of kube-apiserver, etcd and kubectl", file=sys.stderr)
        return 2
    folder = values.pop("dir").absolute()
    exit_on_signals()
    with Processes(folder / "logs") as processes:
        plane = ControlPlane(ControlPlaneOptions(Path(assets), folder, **values), processes)
        try:
            plane.start()
        except StartError as error:
            print(error, file=sys.stderr)
            return 1
        ready = {"kubeconfig": str(plane.kubeconfig), "server": plane.server, "audit": str(plane.audit)}
        print(json.dumps(ready), flush=True)
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
