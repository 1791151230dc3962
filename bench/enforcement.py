"""(q) What an apply costs a real API server that enforces graphs and JobFlowPolicies itself, by the number of policies."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from bench import bodies
from bench.cluster import BenchCluster
from bench.peer import Side
from local import admission_policies
from local.client.blocking import path, until
from local.client.rest import RestError
from shared.kinds import JOB, JOBFLOW, JOBFLOWPOLICY, Kind
from shared.model.types import Body
from shared.policy import Compiler
from shared.policy.in_process import defaulted_fields, in_process, status_of

POLICIES: Final = (0, 5, 20, 50)
REQUESTS: Final = 300
_SECONDS: Final = 120.0
_NAME: Final = "bench"
_SPECS: Final[Sequence[Body]] = (
    {"limits": {"maxSteps": 100, "maxReplicas": 1000}},
    {"allowed": {"images": ["busybox", "registry.example.com/*"]}, "denied": {"imageTags": ["beta*"]}},
    {"allowed": {"queues": ["default", "team-*"], "serviceAccounts": ["default"]}},
    {"denied": {"plugins": ["ssh"], "priorityClassNames": ["system-*"]}, "mode": "Warn"},
    {"limits": {"maxRetry": 5}, "match": {"namespaceSelector": {"matchLabels": {"team": "other"}}}},
)
"""Typical policies; the last one does not apply."""


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    """CPU milliseconds of API server and etcd for each dry run of a creation. No webhook is asked."""
    if "controlplane" not in bench_cluster.cluster.processes:
        raise ValueError("only --backend real evaluates ValidatingAdmissionPolicies")
    count = max(int(REQUESTS * scale), 20)
    found = await _figures(bench_cluster, "without", count)
    await asyncio.to_thread(_install, bench_cluster)
    try:
        for number in POLICIES:
            await asyncio.to_thread(_enforce, bench_cluster, number)
            found |= await _figures(bench_cluster, f"{number}_policies", count)
    finally:
        await asyncio.to_thread(_remove, bench_cluster)
    return found


async def _figures(bench_cluster: BenchCluster, name: str, count: int) -> dict[str, float]:
    subjects = {
        "flow10": (JOBFLOW, bodies.flow("default", "probe", bodies.chain(10))),
        "job": (JOB, bodies.job("default", "probe", 3)),
    }
    return {
        f"{name}_{subject}_cpu_ms": await asyncio.to_thread(_cpu, bench_cluster, kind, body, count)
        for subject, (kind, body) in subjects.items()
    }


def _cpu(bench_cluster: BenchCluster, kind: Kind, body: Body, count: int) -> float:
    where = f"{path(kind, 'default')}?dryRun=All"
    before = bench_cluster.server_cpu()
    for _ in range(count):
        bench_cluster.cluster.kube.request("POST", where, body)
    return 1000 * (bench_cluster.server_cpu() - before) / count


def _install(bench_cluster: BenchCluster) -> None:
    kube = bench_cluster.cluster.kube
    for kind, body in admission_policies.objects(_NAME, ("kube-system",)):
        kube.apply(kind, body)


def _enforce(bench_cluster: BenchCluster, number: int) -> None:
    """As many policies, and one for objects with a label, by which it is seen that all are in force."""
    kube = bench_cluster.cluster.kube
    last = f"last-{number}"
    label = {_NAME: last}
    marker = {"limits": {"maxSteps": 0}, "match": {"objectSelector": {"matchLabels": label}}}
    for name, spec in (*((f"p{at}", _SPECS[at % len(_SPECS)]) for at in range(number)), (last, marker)):
        stored = kube.apply(JOBFLOWPOLICY, _policy(name, spec))
        kube.request("PUT", f"{path(JOBFLOWPOLICY, '', name)}/status", {**stored, "status": _status(stored)})
    probe = bodies.flow("default", "refused", bodies.chain(1))
    probe["metadata"]["labels"] = label

    def refused() -> bool:
        try:
            kube.request("POST", f"{path(JOBFLOW, 'default')}?dryRun=All", probe)
        except RestError as error:
            return "ValidatingAdmissionPolicy" in error.message
        return False

    until(refused, _SECONDS, lambda: "the policies do not come into force")
    kube.delete(JOBFLOWPOLICY, "", last)


def _policy(name: str, spec: Body) -> Body:
    metadata = {"name": name}
    return {"apiVersion": JOBFLOWPOLICY.api_version, "kind": JOBFLOWPOLICY.kind, "metadata": metadata, "spec": spec}


def _status(stored: Body) -> Body:
    """As the controller writes it."""
    (compiled,) = Compiler().compile([stored]).compiled
    rules = in_process(compiled, defaulted_fields([compiled]))
    return {"inProcess": status_of(rules, stored["metadata"]["generation"])}


def _remove(bench_cluster: BenchCluster) -> None:
    kube = bench_cluster.cluster.kube
    for body in kube.list(JOBFLOWPOLICY):
        kube.delete(JOBFLOWPOLICY, "", body["metadata"]["name"])
    for kind, body in admission_policies.objects(_NAME, ()):
        kube.delete(kind, "", body["metadata"]["name"])
