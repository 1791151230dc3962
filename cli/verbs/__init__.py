"""Every verb of the command as data. The parser, the reference page and the completion are generated from it."""

from typing import Final

from cli.verbs.flows import FLOW_VERBS
from cli.verbs.machine import MACHINE_VERBS
from cli.verbs.model import CLUSTER_FLAGS, Argument, Verb, defaults_of
from cli.verbs.objects import OBJECT_VERBS

__all__ = ["CLUSTER_FLAGS", "GROUPS", "VERBS", "Argument", "Verb", "defaults_of"]

VERBS: Final[tuple[Verb, ...]] = (*FLOW_VERBS, *OBJECT_VERBS, *MACHINE_VERBS)
GROUPS: Final[dict[str, str]] = {
    "local": "a cluster on this machine: up, down, demo, status",
    "job": "Jobs: list, view, suspend, resume, scale, delete, from-template",
    "cron": "schedules: list, next, run, backfill, suspend, resume",
    "policy": "JobFlowPolicies: test, explain, scan",
    "queue": "Queues: list, get, open, close",
    "template": "JobTemplates: from-job",
}
