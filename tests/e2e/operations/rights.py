"""The rights that no full run uses, and those that switches of the chart remove."""

from pathlib import Path

from shared.model.types import Body

FLOW, BATCH, GANG = "flow.volcano.sh", "batch.volcano.sh", "scheduling.volcano.sh"
Right = tuple[str, str, str]
"""API group, resource with subresource, verb."""

QUEUES = Path("examples/seed/0-queue.yaml")

SCHEDULES = "flow.jobflow.dev"

# Granted though the run below does not need them, and why.
UNUSED: dict[Right, str] = {
    (FLOW, "jobflows/finalizers", "update"): "owner references that block deletion, where that admission plugin is on",
    (BATCH, "jobs/finalizers", "update"): "the same",
    (BATCH, "cronjobs/finalizers", "update"): "the same",
    (SCHEDULES, "cronjobflows/finalizers", "update"): "the same",
    (SCHEDULES, "cronjobflowbackfills/finalizers", "update"): "the same",
    (BATCH, "jobs", "patch"): "Jobs of a queue that extends to other clusters are marked",
    ("", "events", "patch"): "an event that happens again is counted in the first one",
    ("", "secrets", "create"): "the certificate's, where somebody deleted the one of the chart",
    ("", "namespaces", "get"): "one so new that a policy's selector cannot be judged yet",
    (FLOW, "jobflows", "get"): "before a Command that changes one is judged",
    (FLOW, "jobtemplates", "get"): "one so new that a policy for the flow that uses it cannot be judged yet",
    **{
        ("scheduling.k8s.io", resource, verb): "gangs of a cluster that schedules them itself, now or after its upgrade"
        for resource in ("workloads", "podgroups")
        for verb in ("list", "watch", "create", "patch", "delete")
    },
}

WRITES = frozenset({"create", "delete", "patch", "update"})

SWITCHES: dict[str, tuple[str, Body, set[Right]]] = {
    "Volcano runs Jobs": (
        "controller",
        {"jobController": {"enabled": False}},
        {
            ("", "pods", "create"),
            ("", "secrets", "get"),
            (BATCH, "jobs/status", "update"),
            (GANG, "podgroups", "list"),
        },
    ),
    "Volcano runs flows": (
        "controller",
        {"flowController": {"enabled": False}},
        {
            (FLOW, "jobflows", "list"),
            (FLOW, "jobflows", "create"),
            (SCHEDULES, "jobflowtemplates/status", "update"),
            (SCHEDULES, "cronjobflows", "list"),
            (SCHEDULES, "cronjobflowbackfills/status", "update"),
            ("wgpolicyk8s.io", "policyreports", "create"),
        },
    ),
    "Volcano runs flows and CronJobs": (
        "controller",
        {"flowController": {"enabled": False}, "cronController": {"enabled": False}},
        {
            (FLOW, "jobflows", "list"),
            (BATCH, "jobs", "create"),
            (BATCH, "cronjobs", "list"),
            ("wgpolicyk8s.io", "policyreports", "create"),
        },
    ),
    "no schedules": (
        "controller",
        {"cronController": {"enabled": False}},
        {
            (BATCH, "cronjobs", "list"),
            (BATCH, "cronjobs/status", "update"),
            (SCHEDULES, "cronjobflows", "list"),
            (SCHEDULES, "cronjobflows/status", "update"),
            (SCHEDULES, "cronjobflowbackfills", "list"),
        },
    ),
    "no ssh plugin": (
        "controller",
        {"sshPlugin": {"enabled": False}},
        {("", "secrets", verb) for verb in ("get", "create", "patch", "delete")},
    ),
    "Volcano's scheduler": (
        "controller",
        {"gang": {"backend": "volcano"}},
        {("", "pods", "patch")},
    ),
    "certificates of others": (
        "webhook",
        {"certificates": {"source": "cert-manager"}},
        {("", "secrets", "get"), ("admissionregistration.k8s.io", "validatingwebhookconfigurations", "patch")},
    ),
}
