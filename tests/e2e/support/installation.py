"""The chart installed by helm, its two processes run with the rendered arguments and no more rights than it grants."""

import base64
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml

from local.backends import Backend, EmbeddedBackend
from local.client import binaries
from local.client.blocking import BlockingClient, path, until
from local.client.rest import RestError
from local.cluster import ClusterOptions, LocalCluster
from local.ports import free_port
from local.processes import Process
from shared.kinds import MUTATING, SECRET, VALIDATING, Kind
from shared.model.types import Body

CHART: Final = Path("helm/jobflow")
RELEASE, NAMESPACE = "flows", "batch-system"
NAME: Final = "flows-jobflow"
CONFIGURATION: Final = f"{NAMESPACE}.{NAME}"
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
_SECONDS: Final = 300.0  # for one helm command on a busy machine
SERVICE_ACCOUNT: Final = Kind("v1", "ServiceAccount", "serviceaccounts")


class HelmError(Exception):
    """The error message of helm."""


class Installation:
    """A context manager: API server and nodes, nothing else until `install` and `start_...`."""

    def __init__(self, backend: Backend, options: ClusterOptions | None = None) -> None:
        own = backend if backend.name != "kubeconfig" else EmbeddedBackend()  # never somebody's cluster
        self.cluster = LocalCluster(
            own, options or ClusterOptions(nodes=3, speed=20.0, webhook=False, controller=False)
        )
        self.port = free_port()
        self.source = Path()
        """The repository, or a copy of another version, whose chart and programs are used from now on."""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as started:
            started.enter_context(self.cluster)
            if self.embedded:
                self.testing("PUT", "rbac", {"enforce": True})
                self.testing("PUT", "services", {f"{NAMESPACE}/{NAME}-webhook": f"127.0.0.1:{self.port}"})
            self._exit = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    @property
    def kube(self) -> BlockingClient:
        return self.cluster.kube

    @property
    def embedded(self) -> bool:
        return self.cluster.backend.name == "embedded"

    def testing(self, method: str, what: str, body: Any = None) -> Any:
        """The embedded server's switches and records."""
        return self.kube.request(method, f"/testing/{what}", body)

    # --- helm -----------------------------------------------------------------------------------------------------

    def helm(self, verb: str, *arguments: str) -> str:
        found = binaries.find("helm")
        if found is None:
            raise HelmError("helm is neither on PATH nor to be had from the package registry")
        command = [str(found), verb, RELEASE, *arguments, f"--namespace={NAMESPACE}"]
        command += [f"--kubeconfig={self.cluster.kubeconfig}"]
        env = os.environ | {"HOME": str(self.cluster.folder)}  # what it caches is of this API server alone
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False, env=env)
        if done.returncode:
            raise HelmError(f"{' '.join(command)}\n{done.stderr}{done.stdout}")
        return done.stdout

    def install(self, *arguments: str) -> None:
        """CRDs are there already, as where Volcano is: hence `--take-ownership`."""
        port = f"--set=webhook.servicePort={self.port}"
        self.helm("install", str(self.source / CHART), "--create-namespace", "--take-ownership", port, *arguments)
        self.reach_webhook()

    def reach_webhook(self) -> None:
        if not self.embedded:
            # An API server outside the cluster network cannot reach a cluster IP; a name it can resolve.
            change = {"spec": {"type": "ExternalName", "externalName": "localhost"}}
            where = path(Kind("v1", "Service", "services"), NAMESPACE, f"{NAME}-webhook")
            self.kube.request("PATCH", where, change, "application/merge-patch+json")

    def upgrade(self, *arguments: str) -> None:
        self.helm("upgrade", str(self.source / CHART), f"--set=webhook.servicePort={self.port}", *arguments)

    # --- processes ------------------------------------------------------------------------------------------------

    def start(self, component: str, name: str = "", *more: str, port: int = 0) -> Process:
        """The component's process with the arguments in its Deployment and its service account's token."""
        deployment = self.kube.get(DEPLOYMENT, NAMESPACE, f"{NAME}-{component}")
        name, health = name or component, free_port()
        arguments = [*self.mounted(deployment), f"--kubeconfig={self.credentials(component)}"]
        arguments.append(f"--health-port={health}")
        if component == "webhook":
            arguments += [f"--port={port or self.port}"]
        env = {"PYTHONPATH": str(self.source)} if self.source.is_absolute() else None
        return self.cluster.run(name, component, [*arguments, *more], health, env)

    def mounted(self, deployment: Body) -> list[str]:
        """The container's arguments; its Secrets are files, where those arguments then look for them."""
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        volumes = {each["name"]: each["secret"] for each in pod.get("volumes") or ()}
        text = "\n".join(container["args"])
        for mount in container.get("volumeMounts") or ():
            secret, place = volumes[mount["name"]], self.cluster.folder / mount["name"]
            data = self.kube.get(SECRET, NAMESPACE, secret["secretName"])["data"]
            place.mkdir(exist_ok=True)
            for item in secret["items"]:
                (place / item["path"]).write_bytes(base64.b64decode(data[item["key"]]))
            text = text.replace(f"={mount['mountPath']}/", f"={place}/")
        return text.split("\n")

    def run(self) -> None:
        """Both processes, ready, and the API server asking the webhook."""
        self.start("webhook")
        self.start("controller")
        for name in ("webhook", "controller"):
            self.cluster.await_ready(name, 120)
        self.await_checked()

    def credentials(self, component: str) -> Path:
        """A kubeconfig of the component's service account."""
        account = path(SERVICE_ACCOUNT, NAMESPACE, f"{NAME}-{component}")
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        token = self.kube.request("POST", f"{account}/token", asked)["status"]["token"]
        body = yaml.safe_load(self.cluster.kubeconfig.read_text())
        body["users"] = [{"name": body["users"][0]["name"], "user": {"token": token}}]
        file = self.cluster.folder / f"{component}.kubeconfig"
        file.write_text(yaml.safe_dump(body))
        return file

    def await_checked(self, name: str = "webhook") -> None:
        """Wait until the webhook refuses a flow without steps; `name`: of the process whose log is shown if it does
        not."""
        where = "/apis/flow.volcano.sh/v1alpha1/namespaces/default/jobflows?dryRun=All"
        said = ""

        def refused() -> bool:
            nonlocal said
            try:
                self.kube.request("POST", where, EMPTY)
            except RestError as error:
                said = error.message
                return "denied the request" in said
            return False

        until(refused, 120, lambda: f"not refused by the webhook: {said}\n{self.cluster.logs(name, 3000)}")

    def bundles(self) -> set[str]:
        """The CA bundles of both configurations."""
        return {
            base64.b64decode(hook["clientConfig"].get("caBundle", "")).decode()
            for kind in (MUTATING, VALIDATING)
            for hook in self.kube.get(kind, "", CONFIGURATION)["webhooks"]
        }


def refusal(installed: Installation, manifest: Body) -> str:
    """What kubectl prints when the API server refuses to create the object; '' if it accepts it."""
    sent = {**manifest, "metadata": {**manifest["metadata"], "namespace": "default"}}
    tried = ("create", "-f", "-", "--dry-run=server")
    done = installed.cluster.kubectl(*tried, stdin=json.dumps(sent), check=False)
    return done.stderr if done.returncode else ""


def certs(*arguments: str) -> str:
    """The output of `python -m certs`."""
    command = [sys.executable, "-m", "certs", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS).stdout


EMPTY: Final[Body] = {
    "apiVersion": "flow.volcano.sh/v1alpha1",
    "kind": "JobFlow",
    "metadata": {"name": "empty", "namespace": "default"},
    "spec": {"flows": []},
}
