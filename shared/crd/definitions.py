"""The CustomResourceDefinitions: kinds, names, printer columns and subresources.

The schemas come from `schema`. Names, short names and columns of Volcano's kinds equal those of Volcano's own CRDs
(docs/design/volcano-behaviour.md, section 0), so that scripts that parse kubectl's output work with both.
"""

from typing import Any, Final

import msgspec

from shared import kinds
from shared.crd.schema import Mode, Schema, kind_schema
from shared.kinds import Kind
from shared.model.command import Command
from shared.model.flow import JobFlow
from shared.model.job import Job
from shared.model.podgroup import PodGroup
from shared.model.policy import JobFlowPolicy
from shared.model.policy_exception import JobFlowPolicyException
from shared.model.queue import Queue
from shared.model.schedules.backfill import CronJobFlowBackfill
from shared.model.schedules.cron_job import CronJob
from shared.model.schedules.cron_job_flow import CronJobFlow
from shared.model.schedules.flow_template import JobFlowTemplate
from shared.model.template import JobTemplate
from shared.model.types import Model


class Column(msgspec.Struct, frozen=True):
    """A printer column. With `priority` 1 it is shown only by `-o wide`."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0
    description: str = ""


class Definition(msgspec.Struct, frozen=True):
    """How the API server serves one kind."""

    kind: Kind
    model: type[Model]
    short_names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    status: bool = True  # has a status subresource
    mode: Mode = Mode.STRICT


_AGE: Final = Column("AGE", ".metadata.creationTimestamp", "date")
_QUEUE: Final = Column("QUEUE", ".spec.queue", priority=1)
_READY: Final = '.status.conditions[?(@.type=="Ready")].status'

DEFINITIONS: Final[tuple[Definition, ...]] = (
    Definition(
        kinds.JOBFLOW,
        JobFlow,
        ("jf",),
        (
            Column("STATUS", ".status.state.phase"),
            Column("PROGRESS", ".status.progress", description="Ended steps of all steps."),
            Column("RUNNING", ".status.counts.running", "integer"),
            Column("FAILED", ".status.counts.failed", "integer"),
            _AGE,
            Column("NEXT", ".status.nextSummary", priority=1, description="The next steps and what they wait for."),
            Column("REASON", ".status.state.reason", priority=1),
            Column("DURATION", ".status.duration", priority=1),
        ),
    ),
    Definition(kinds.JOBTEMPLATE, JobTemplate, ("jt",), mode=Mode.TEMPLATE),
    Definition(
        kinds.JOB,
        Job,
        ("vcjob", "vj"),
        (
            Column("STATUS", ".status.state.phase"),
            Column("minAvailable", ".status.minAvailable", "integer"),
            Column("RUNNINGS", ".status.running", "integer"),
            _AGE,
            _QUEUE,
        ),
    ),
    Definition(
        kinds.CRONJOB,
        CronJob,
        ("cronvcjob", "cronvj"),
        (
            Column("SCHEDULE", ".spec.schedule"),
            Column("TIMEZONE", ".spec.timeZone"),
            Column("SUSPEND", ".spec.suspend", "boolean"),
            Column("LAST", ".status.lastScheduleTime", "date"),
            _AGE,
            Column("READY", _READY, priority=1),
        ),
    ),
    Definition(
        kinds.JOBFLOWTEMPLATE,
        JobFlowTemplate,
        ("jft",),
        (Column("PARAMS", ".status.params"), Column("READY", _READY), _AGE),
    ),
    Definition(
        kinds.CRONJOBFLOW,
        CronJobFlow,
        ("cjf",),
        (
            Column("SCHEDULE", ".spec.schedules"),
            Column("SUSPEND", ".spec.suspend", "boolean"),
            Column("ACTIVE", ".status.activeCount", "integer"),
            Column("LAST", ".status.lastScheduleTime", "date"),
            Column("NEXT", ".status.nextScheduleTimes[0]"),
            _AGE,
            Column("READY", _READY, priority=1),
        ),
    ),
    Definition(
        kinds.CRONJOBFLOWBACKFILL,
        CronJobFlowBackfill,
        ("cjfb",),
        (
            Column("SCHEDULE", ".spec.cronJobFlow"),
            Column("PROGRESS", ".status.progress"),
            Column("FAILED", ".status.failed"),
            Column("COMPLETE", '.status.conditions[?(@.type=="Complete")].status'),
            _AGE,
            Column("READY", _READY, priority=1),
        ),
    ),
    Definition(
        kinds.PODGROUP,
        PodGroup,
        ("pg", "podgroup-v1beta1"),
        (
            Column("STATUS", ".status.phase"),
            Column("minMember", ".spec.minMember", "integer"),
            Column("RUNNINGS", ".status.running", "integer"),
            _AGE,
            _QUEUE,
        ),
        status=False,
    ),
    Definition(
        kinds.QUEUE, Queue, ("q", "queue-v1beta1"), (Column("PARENT", ".spec.parent"), Column("STATE", ".status.state"))
    ),
    Definition(kinds.COMMAND, Command, status=False),
    Definition(
        kinds.JOBFLOWPOLICY,
        JobFlowPolicy,
        ("jfp",),
        (
            Column("MODE", ".spec.mode"),
            Column("READY", _READY),
            Column("VIOLATIONS", ".status.violations", "integer"),
            Column("IN-PROCESS", ".status.inProcess.rules", priority=1),
            _AGE,
            Column("SEVERITY", ".spec.severity", priority=1),
        ),
    ),
    Definition(
        kinds.JOBFLOWPOLICYEXCEPTION,
        JobFlowPolicyException,
        ("jfpe",),
        (
            Column("POLICIES", ".status.policies"),
            Column("STATE", ".status.state"),
            Column("EXPIRES", ".spec.expiresAt"),
            _AGE,
            Column("REASON", ".spec.reason", priority=1),
        ),
    ),
)


def crd(definition: Definition) -> dict[str, Any]:
    """The whole CustomResourceDefinition object."""
    kind = definition.kind
    return {
        "apiVersion": kinds.CRD.api_version,
        "kind": kinds.CRD.kind,
        "metadata": {"name": kind.resource},
        "spec": {
            "group": kind.group,
            "names": _names(definition),
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [_version(definition)],
        },
    }


def file_name(definition: Definition) -> str:
    return f"{definition.kind.group}_{definition.kind.plural}.yaml"


def _names(definition: Definition) -> dict[str, Any]:
    kind = definition.kind
    names: dict[str, Any] = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.kind.lower(),
    }
    return names | ({"shortNames": list(definition.short_names)} if definition.short_names else {})


def _version(definition: Definition) -> dict[str, Any]:
    schema: Schema = kind_schema(definition.model, definition.mode)
    version: dict[str, Any] = {
        "name": definition.kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    if definition.columns:
        version["additionalPrinterColumns"] = [_column(column) for column in definition.columns]
    if definition.status:
        version["subresources"] = {"status": {}}
    return version


def _column(column: Column) -> dict[str, Any]:
    body: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.priority:
        body["priority"] = column.priority
    return body | ({"description": column.description} if column.description else {})
