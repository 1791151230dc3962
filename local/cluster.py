"""A local cluster: a backend, the CRDs, and webhook, controller and simulated nodes as child processes."""

import contextlib
import functools
import json
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from local import admission_policies, webhook_certificate
from local.backends import Backend, EmbeddedBackend, Endpoint
from local.client.blocking import BlockingClient, kind_of, until
from local.client.kubectl import Kubectl
from local.client.rest import RestError
from local.ports import free_port
from local.processes import Process, Processes, StartError, module_name
from shared import kinds
from shared.crd.definitions import DEFINITIONS, crd, file_name
from shared.kinds import CRD, MUTATING, NAMESPACE, VALIDATING, Kind
from shared.model.types import Body
from webhook.server.configurations import EXCLUDED_NAMESPACES, configurations

KINDS: Final = tuple(each for each in vars(kinds).values() if isinstance(each, Kind))
SYSTEM: Final = "jobflow-system"
BATCH_JOB: Final = {"apiVersion": "batch/v1", "kind": "Job", "resource": "jobs"}
_READY_SECONDS: Final = 60.0


@dataclass(frozen=True)
class ClusterOptions:
    """What to start.

    `speed`: factor for the time on the simulated nodes and of schedules; `host`: address of the webhook for the API
    server; `resource_kinds`: that steps may create; `in_process`: the API server itself enforces policies as well, which
    the embedded one cannot.
    """

    nodes: int = 3
    cpu: str = "8"
    memory: str = "32Gi"
    gpus: int = 0
    speed: float = 1.0
    run_commands: bool = False
    webhook: bool = True
    controller: bool = True
    host: str = "127.0.0.1"
    log_level: str = "info"
    controller_args: Sequence[str] = ()
    webhook_args: Sequence[str] = ()
    nodes_args: Sequence[str] = ()
    resource_kinds: Sequence[Mapping[str, str]] = (BATCH_JOB,)
    in_process: bool = False


class LocalCluster:
    """A context manager: its processes run inside it, and none is left after it.

    `folder`: for data and logs; by default a temporary one, removed at the end.
    """

    kube: BlockingClient
    endpoint: Endpoint

    def __init__(
        self, backend: Backend | None = None, options: ClusterOptions | None = None, folder: Path | None = None
    ) -> None:
        self.backend = backend or EmbeddedBackend()
        self.options = options or ClusterOptions()
        self._given_folder = folder
        self._exit = contextlib.ExitStack()
        self._health: dict[str, int] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as started:
            self.folder = self._given_folder or _temporary_folder(started)
            self.processes = started.enter_context(Processes(self.folder / "logs"))
            started.callback(self._unregister)
            self._start()
            self._exit = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    @property
    def kubeconfig(self) -> Path:
        return self.endpoint.kubeconfig

    def _start(self) -> None:
        self.endpoint = self.backend.start(self.processes, self.folder, self._write_crds())
        self.kube = BlockingClient(self.kubeconfig)
        if self.options.nodes:
            self.start_nodes()
        self._install_crds()
        self.kube.apply(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
        if self.options.in_process:
            for kind, body in admission_policies.objects(webhook_certificate.NAME, (*EXCLUDED_NAMESPACES, SYSTEM)):
                self.kube.apply(kind, body)
        if self.options.webhook:
            self.start_webhook()
        if self.options.controller:
            self.start_controller()
        for name in list(self._health):
            self.await_ready(name)
        if self.options.webhook:
            self.register_webhook()

    def _write_crds(self) -> Path:
        """The folder of our CRDs as files, for a backend that installs them early."""
        folder = self.folder / "crds"
        folder.mkdir(parents=True, exist_ok=True)
        for definition in DEFINITIONS:
            (folder / file_name(definition)).write_text(json.dumps(crd(definition)))  # JSON is YAML
        return folder

    def _install_crds(self) -> None:
        for definition in DEFINITIONS:
            self.kube.apply(CRD, crd(definition))
        for definition in DEFINITIONS:
            self.kube.wait(CRD, "", crd(definition)["metadata"]["name"], _established)

    # --- processes ------------------------------------------------------------------------------------------------

    def start_nodes(self) -> Process:
        set_by = self.options
        arguments = ["--kubeconfig", str(self.kubeconfig), "--nodes", str(set_by.nodes), "--cpu", set_by.cpu]
        arguments += ["--memory", set_by.memory, "--gpus", str(set_by.gpus), "--speed", str(set_by.speed)]
        arguments += [*(["--run-commands"] if set_by.run_commands else []), *set_by.nodes_args]
        return self.run("nodes", module_name("local.nodes"), arguments)

    def start_webhook(self) -> Process:
        port, health = free_port(), free_port()
        self.bundle = webhook_certificate.issue(self.folder / "webhook", self.options.host)
        self.webhook_url = f"https://{self.options.host}:{port}"
        arguments = [f"--kubeconfig={self.kubeconfig}", f"--port={port}", f"--health-port={health}"]
        arguments += [f"--log-level={self.options.log_level}", f"--namespace={SYSTEM}"]
        arguments += [f"--tls-cert-file={self.folder / 'webhook/tls.crt'}"]
        arguments += [f"--tls-private-key-file={self.folder / 'webhook/tls.key'}", "--drain-seconds=0"]
        arguments += [*self._shared_arguments(), *self.options.webhook_args]
        return self.run("webhook", module_name("webhook"), arguments, health)

    def start_controller(self, name: str = "controller", more: Sequence[str] = ()) -> Process:
        """`more`: further arguments, for this start only."""
        health = free_port()
        arguments = [f"--kubeconfig={self.kubeconfig}", f"--health-port={health}"]
        arguments += [f"--log-level={self.options.log_level}", f"--namespace={SYSTEM}"]
        if self.options.nodes:
            arguments.append("--probe-allow-loopback")  # our pods' processes listen on 127.10.0.0/16
        if self.options.speed > 1:
            arguments.append(f"--schedule-speed={self.options.speed:g}")
        arguments += [*self._shared_arguments(), *self.options.controller_args, *more]
        return self.run(name, module_name("controller"), arguments, health)

    def _shared_arguments(self) -> Sequence[str]:
        """Of webhook and controller."""
        kinds_ = f"--resource-kinds={json.dumps(list(self.options.resource_kinds))}"
        return (kinds_, "--in-process-policies") if self.options.in_process else (kinds_,)

    def kill_controller(self, number: signal.Signals = signal.SIGKILL, name: str = "controller") -> None:
        """Send a signal to a controller, by default SIGKILL, and wait for its end."""
        self.processes[name].signal(number)
        if number != signal.SIGSTOP:
            self.processes[name].wait(30)

    def restart_controller(self, name: str = "controller") -> None:
        self.start_controller(name)
        self.await_ready(name)

    def await_ready(self, name: str, seconds: float = _READY_SECONDS) -> None:
        """Wait until /readyz of that process answers 200. Raises StartError with the end of its log."""
        process = self.processes[name]

        def look() -> bool:
            if not process.running:
                raise StartError(f"{name} ended:\n{process.tail()}")
            return self.ready(name)

        until(look, seconds, lambda: f"{name} is not ready:\n{process.tail()}")

    def ready(self, name: str) -> bool:
        """Whether /readyz of that process answers 200."""
        return _answers(f"http://127.0.0.1:{self._health[name]}/readyz")

    def metrics(self, name: str = "controller") -> str:
        """The process's metrics page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._health[name]}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    def logs(self, name: str, length: int = 20_000) -> str:
        return self.processes[name].tail(length)

    def run(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        health: int = 0,
        env: Mapping[str, str] | None = None,
    ) -> Process:
        """`python -m MODULE` as one of the cluster's processes; one of the same name is stopped first.

        `health`: the port that `await_ready`, `ready` and `metrics` ask. `env`: variables added to ours.
        """
        if health:
            self._health[name] = health
        return self.processes.start(name, [sys.executable, "-P", "-m", module, *arguments], env)

    def register_webhook(self) -> None:
        for kind, body in configurations(webhook_certificate.NAME, {"url": self.webhook_url}, self.bundle):
            self.kube.apply(kind, body)
        probe = {
            "apiVersion": "flow.volcano.sh/v1alpha1",
            "kind": "JobFlow",
            "metadata": {"name": "is-it-checked", "namespace": "default"},
            "spec": {"flows": []},
        }
        until(lambda: self._refused(probe), _READY_SECONDS, lambda: "the API server does not ask the webhook")

    # --- helpers for scenarios --------------------------------------------------------------------------------------

    @functools.cached_property
    def kubectl(self) -> Kubectl:
        """Real kubectl on this cluster: `cluster.kubectl("get", "pods")`, `.apply(...)`, `.refusal(...)`."""
        return Kubectl(self.kubeconfig, self.folder)

    def apply(self, *documents: Body) -> None:
        """Create or merge manifests without kubectl. Raises RestError for a refused one."""
        for document in documents:
            self.kube.apply(kind_of(document, KINDS), document)

    @contextlib.contextmanager
    def namespace(self, name: str) -> Iterator[str]:
        """A namespace for one scenario."""
        self.kube.apply(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        yield name
        self.kube.delete(NAMESPACE, "", name)

    def await_service_account(self, namespace: str) -> None:
        """Wait for the default service account, without which pods are refused where a controller manager runs."""
        if "controlplane" not in self.processes:
            return
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        until(lambda: self.kube.request("GET", path)["items"], 30, lambda: f"{namespace} gets no service account")

    def wait_for(
        self, kind: Kind, namespace: str, name: str, holds: Callable[[Body], bool], seconds: float = 60.0
    ) -> Body:
        """Wait until `holds` is true. On time-out the error has the status and the end of the controller's log."""
        try:
            return self.kube.wait(kind, namespace, name, holds, seconds)
        except TimeoutError as error:
            log = self.logs("controller", 3000) if "controller" in self.processes else ""
            raise TimeoutError(f"{error}\n--- controller:\n{log}") from error

    def _refused(self, probe: Body) -> bool:
        try:
            self.kube.request("POST", "/apis/flow.volcano.sh/v1alpha1/namespaces/default/jobflows?dryRun=All", probe)
        except RestError as error:
            return error.code in (403, 422, 400) and "flows" in error.message
        return False

    def _unregister(self) -> None:
        """Delete the webhook configurations in an existing cluster, because the webhook is about to end."""
        if self.backend.name == "kubeconfig":
            for kind in (MUTATING, VALIDATING):
                self.kube.delete(kind, "", webhook_certificate.NAME)


def _temporary_folder(stack: contextlib.ExitStack) -> Path:
    made = tempfile.TemporaryDirectory(prefix="jobflow-", ignore_cleanup_errors=True)
    return Path(stack.enter_context(made))


def _established(definition: Body) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        pass
    return False
