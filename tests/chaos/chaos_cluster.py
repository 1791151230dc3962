"""The cluster on which faults are injected: two controllers that share a lease, a webhook and simulated nodes."""

import contextlib
import functools
import json
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client.parser import text_string_to_metric_families
from urllib3.exceptions import HTTPError

from controller.queue.decide import ALWAYS_THERE
from local.backends import READY_SECONDS, EmbeddedBackend
from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import ClusterOptions, LocalCluster
from local.ports import free_port
from local.processes import Process
from shared.kinds import JOB, JOBFLOW, NAMESPACE, QUEUE, Kind
from shared.model.types import Body
from tests.chaos.controller import TASKS
from tests.chaos.faults.fault import FAULT_TARGETS
from tests.chaos.faults.lost_lease import NAME as LEASE_NAME
from tests.chaos.recording.pod_recorder import LIMITS
from tests.chaos.workloads import FINAL
from tests.e2e.support import scenario

SPEED: Final = 40.0
SUBMIT_SECONDS: Final = 120.0
CONTROLLERS: Final = ("first", "second")
# parts of refusals that a fault causes and that pass with it
PASSING: Final = ("exceeded quota", "is closed", "is closing", "status is `Closed`", "status is `Closing`")
STANDBY_KEYS: Final = len(ALWAYS_THERE)
_ROOT: Final = Path(__file__).parents[2]
_OWN: Final = {"controller": "tests.chaos.controller", "webhook": "webhook"}


def passes(refusal: str) -> bool:
    """Whether the refusal of an object is due to a fault that ends: the object is then applied again."""
    return any(words in refusal for words in PASSING)


@dataclass(frozen=True)
class MemorySample:
    """Metrics of one process. `memory`: resident, MiB; the counts are sums over its controllers."""

    name: str
    pid: int
    memory: float
    waiting: int = 0
    active: int = 0
    tasks: int = 0
    panics: int = 0
    leads: int = 0

    @property
    def busy(self) -> bool:
        """Whether it has work. A standby controller always has the keys of the built-in queues waiting."""
        return bool(self.waiting > (0 if self.leads else STANDBY_KEYS) or self.active)


class ChaosCluster(LocalCluster):
    """`namespace_of_run`: of the current run; `begun`: submissions of active faults, by key; `fault_rules`: rules of the API
    server by the key of their fault; `injected`: how often each fault took effect in this run, by key."""

    def __init__(self) -> None:
        arguments = ("--keep-state", "--port", str(free_port()))
        options = ClusterOptions(nodes=4, cpu="64", memory="256Gi", speed=SPEED, controller=False)
        super().__init__(EmbeddedBackend(arguments), options)
        self.fault_rules: dict[str, list[Body]] = {}
        self.injected: Counter[str] = Counter()
        self.paused_leaders: dict[str, str] = {}
        self.deleted_namespaces: dict[str, str] = {}
        self.begun: dict[str, Future[None]] = {}
        self.restarts = 0
        self.namespace_of_run = ""
        self._hands = ThreadPoolExecutor(4)
        self._submissions: list[Future[None]] = []

    def _start(self) -> None:
        super()._start()
        for name in CONTROLLERS:
            self.start_controller(name, ("--leader-elect", f"--lease-name={LEASE_NAME}"))
        for name in CONTROLLERS:
            self.await_ready(name)
        self._check_reach()
        for name, cpus in LIMITS.items():
            spec = {"capability": {"cpu": f"{cpus:g}"}, "reclaimable": False}
            meta = {"name": name}
            self.apply({"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": meta, "spec": spec})

    def _check_reach(self) -> None:
        """Raises AssertionError when faults would not reach our processes, because then no run would test anything."""
        asked = {each["user"] for each in self.kube.request("GET", "/testing/audit")}
        assert set(FAULT_TARGETS) <= asked, (
            f"faults select requests by user, and {set(FAULT_TARGETS) - asked} sent none"
        )
        for name in CONTROLLERS:
            assert TASKS in self._figures(name), f"{name} is not the controller of the fault runs"

    def run(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        health: int = 0,
        env: Mapping[str, str] | None = None,
    ) -> Process:
        if module == "controller":
            arguments = [*arguments, f"--clock-file={self.folder / name}.clock"]
        if module in _OWN:
            arguments = [*arguments, f"--kubeconfig={self._kubeconfig_of(name)}"]
            # Processes start with `python -P`, and the installed package has no tests.
            env = {"PYTHONPATH": str(_ROOT), **(env or {})}
        return super().run(name, _OWN.get(module, module), arguments, health, env)

    def _kubeconfig_of(self, user: str) -> Path:
        """A kubeconfig with a user of its own, so that faults can select our processes by user."""
        place = self.folder / f"{user}.kubeconfig"
        if not place.exists():
            asked = {"user": user, "groups": ["system:masters"]}
            place.write_text(self.kube.request("POST", "/testing/tokens", asked)["kubeconfig"])
        return place

    # --- faults --------------------------------------------------------------------------------------------------------

    def apply_fault_rules(self) -> None:
        texts = [rule | {"key": key} for key, rules in self.fault_rules.items() for rule in rules]
        for rule in self.kube.request("PUT", "/testing/faults", texts)["replaced"]:
            self.injected[rule["key"]] += rule["injected"]

    def seed(self, seed: int) -> None:
        self.injected.clear()
        self.kube.request("PUT", "/testing/seed", {"seed": seed})
        self.kube.request("DELETE", "/testing/audit")

    def named(self, who: str) -> str:
        """The name of the process that `who` means; "" for "leader" while no controller leads."""
        return self.leader() if who == "leader" else who

    def leader(self) -> str:
        for name in CONTROLLERS:
            with contextlib.suppress(OSError, ValueError):
                if self._figures(name).get("leader_election_master_status"):
                    return name
        return ""

    def kill(self, name: str, number: signal.Signals) -> bool:
        """Send the signal. Whether the process was running."""
        ran = self.processes[name].running
        self.processes[name].signal(number)
        if number == signal.SIGKILL:
            self.processes[name].wait(30)
        return ran

    def restart_ended(self) -> None:
        """Restart processes that have ended, as a kubelet would."""
        for name in FAULT_TARGETS:
            if not self.processes[name].running:
                self.processes.restart(name)
                self.restarts += 1

    def pids(self) -> list[int]:
        """Of the processes whose work shows in statuses."""
        running = self.processes.pids()
        return [pid for name in (*FAULT_TARGETS, "apiserver", "nodes") if (pid := running.get(name)) is not None]

    def set_clock(self, who: str, seconds: float) -> None:
        for name in CONTROLLERS if who == "both" else (who,):
            place = self.folder / f"{name}.clock"
            draft = place.with_suffix(".draft")
            draft.write_text(str(seconds))
            draft.replace(place)

    def restart_api(self, away: float) -> None:
        """Restart it on the same port with the same state after `away` seconds; active faults stay active."""
        argv, env = self.processes["apiserver"].argv, self.processes["apiserver"].env
        self.processes.stop("apiserver")
        time.sleep(away)
        again = self.processes.start("apiserver", argv, env, piped=True)
        json.loads(again.first_line(READY_SECONDS))
        self.apply_fault_rules()

    def extra_namespace(self, key: str) -> str:
        name = f"{self.namespace_of_run}-{key}"
        self.kube.apply(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.deleted_namespaces[key] = name
        return name

    def submit_at(self, change: float, objects: Sequence[Body], after: Future[None] | None = None) -> Future[None]:
        """Apply them at that time (monotonic clock), in the background, so that a stopped webhook does not delay recovery;
        not before the submission `after` has ended."""
        submitted = self._hands.submit(self._submit, change, objects, after)
        self._submissions.append(submitted)
        return submitted

    def delete_after(self, submitted: Future[None], kind: Kind, name: str) -> None:
        """Delete the cluster-scoped object once it has been submitted, in the background."""

        def delete() -> None:
            submitted.result()
            self.kube.delete(kind, "", name)

        self._submissions.append(self._hands.submit(delete))

    def await_submitted(self) -> None:
        """Wait until all objects are applied. Raises the first error of applying."""
        while self._submissions:
            self._submissions.pop().result()

    def _submit(self, change: float, objects: Sequence[Body], after: Future[None] | None) -> None:
        """Retry while the webhook is down or the API server refuses the objects for a passing reason."""
        if after is not None:
            after.result()
        time.sleep(max(0.0, change - time.monotonic()))
        for body in objects:
            until(functools.partial(self._submitted, body), SUBMIT_SECONDS, lambda: "the API server takes no objects")

    def _submitted(self, body: Body) -> bool:
        try:
            self.apply(body)
        except RestError as error:
            deleted_namespaces = body["metadata"].get("namespace") in self.deleted_namespaces.values()
            if deleted_namespaces and error.code in (403, 404):
                return True  # its namespace is being deleted
            if error.code < 500 and not passes(error.message):
                raise
            return False
        except (HTTPError, OSError):
            return False
        return True

    # --- looking ------------------------------------------------------------------------------------------------------

    def unfinished(self, namespace: str) -> int:
        """The number of JobFlows and Jobs in the namespace that have not ended."""
        found = [*self.kube.list(JOBFLOW, namespace), *self.kube.list(JOB, namespace)]
        return sum(scenario.phase(each) not in FINAL for each in found)

    def refused(self) -> int:
        """The number of requests of our processes in the run's namespace that were forbidden, as a quota does."""
        asked = self.kube.request("GET", "/testing/audit")
        keys = ("user", "namespace", "code")
        return sum(
            user in FAULT_TARGETS and namespace == self.namespace_of_run and code == 403
            for user, namespace, code in ([each[key] for key in keys] for each in asked)
        )

    def samples(self) -> list[MemorySample]:
        """One sample of each of our processes that runs and answers."""
        return [sample for name in FAULT_TARGETS if (sample := self._sample(name)) is not None]

    def _sample(self, name: str) -> MemorySample | None:
        process = self.processes[name]
        try:
            figures = self._figures(name)
            status = Path(f"/proc/{process.pid}/status").read_text()
        except (OSError, ValueError):
            return None
        memory = next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:")), None)
        if memory is None:  # it ended just now
            return None
        sums = {field: int(figures.get(metric, 0)) for field, metric in _SUMS.items()}
        return msgspec.convert({"name": name, "pid": process.pid, "memory": memory, **sums}, MemorySample)

    def _figures(self, name: str) -> Mapping[str, float]:
        url = f"http://127.0.0.1:{self._health[name]}/metrics"
        with urllib.request.urlopen(url, timeout=2) as answer:
            text = answer.read().decode()
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for each in family.samples:
                sums[each.name] = sums.get(each.name, 0.0) + each.value
        return sums


_SUMS: Final = {
    "waiting": "workqueue_depth",
    "active": "controller_runtime_active_workers",
    "tasks": TASKS,
    "panics": "controller_runtime_reconcile_panics_total",
    "leads": "leader_election_master_status",
}
