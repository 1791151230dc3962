"""The input of a decision about a JobFlow: frozen values that were read before deciding.

A decision reads nothing else: no cache, no clock, no API server. Raw children are parsed in controller/jobflow/children.
"""

import math
from collections.abc import Mapping

import msgspec

from controller.decision import Child, Refusal
from shared.kinds import JOB, Kind
from shared.model.flow import JobFlow
from shared.model.flow_status import JobFlowStatus
from shared.model.job_status import JobCondition, JobStatus
from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.names import BY_JOBFLOW
from shared.policy.quota.places import QuotaPlace
from shared.resource_steps.rights import NO_CLAIM, Claim


class ObservedTask(msgspec.Struct, frozen=True):
    """A task of a Job. `needed`: pods that a probe asks of it."""

    name: str
    needed: int = 1


class ObservedChild(msgspec.Struct, frozen=True):
    """A Job, or another object that a step created, as far as a flow needs it.

    `owner`: "Kind/name" of its controller, "" for none; `ended_at`: RFC3339 or ""; `status`: that of a Job, or of
    another kind in terms of a Job, so that its phases, counts and reasons mean the same; `outputs`: values that it
    gives itself, for kinds that do; `tasks`: of Jobs; `resumable`: it has ended without success and can continue from
    there;
    `stays`: the conditions of this and of earlier versions, in the order in which the Job entered the phases;
    `forced_stop`: of a JobFlow, the message of a Command that stops it with its `finally` and those below it;
    `fault`: why a condition of a step with `resource` has no value, since `fault_since` (epoch seconds).
    """

    name: str
    kind: Kind = JOB
    uid: str = ""
    owner: str = ""
    owner_uid: str = ""
    deleting: bool = False
    step: str = ""
    index: int | None = None
    attempt: int = 0
    digest: str = ""
    created: str = ""
    ended: bool = False
    ended_at: str = ""
    status: JobStatus = JobStatus()
    tasks: tuple[ObservedTask, ...] = ()
    outputs: Mapping[str, str] = {}
    resumable: bool = False
    stays: tuple[JobCondition, ...] = ()
    forced_stop: str = ""
    fault: str = ""
    fault_since: float = 0.0

    @property
    def phase(self) -> JobPhase | None:
        return self.status.state.phase

    @property
    def was_stopped(self) -> bool:
        """Whether a Command of the flow has terminated the Job."""
        state = self.status.state
        return state.phase is JobPhase.TERMINATED and state.reason == BY_JOBFLOW

    @property
    def counted(self) -> int:
        """Pods that its status counts."""
        status = self.status
        return status.pending + status.running + status.succeeded + status.failed + status.terminating + status.unknown


class ParentFlow(msgspec.Struct, frozen=True):
    """A JobFlow of which a step created this flow, directly or through other flows. `template`: the JobFlowTemplate that
    it was created from by a step itself, or ""."""

    name: str
    template: str = ""
    suspended: bool = False


class ApprovalRules(msgspec.Struct, frozen=True):
    """What approvals count. `since`: epoch seconds; Commands that are older do not count, because no policy had
    compared their sender; infinite while none does. `missing`: what is missing then; `own_flows`, `on_timeout`: a
    policy allows it."""

    since: float = math.inf
    missing: str = "the controller runs without an approval policy"
    own_flows: bool = False
    on_timeout: bool = False


class GrantedKinds(msgspec.Struct, frozen=True):
    """Which kinds the steps of a flow may create (shared/resource_steps/rights.py). `checked`: false where nobody else has
    access, so that each kind is granted. `since`: epoch seconds; claims of older objects were not compared with
    rights; infinite while no policy compares them. `missing`: what is missing then. `claim`: of this flow, as far as
    it counts.
    """

    checked: bool = False
    since: float = 0.0
    missing: str = ""
    claim: Claim = NO_CLAIM


class FlowCommand(msgspec.Struct, frozen=True):
    """A Command on this JobFlow, or on an earlier one of its name: `target_uid`, "" if it does not say.

    `message`: text for people, or JSON (shared.model.command_message); `approver`: who says to have sent it; `claim`: the kinds that its
    sender may create.
    """

    name: str
    uid: str
    action: str
    created: str = ""
    target_uid: str = ""
    message: str = ""
    approver: str = ""
    claim: Claim = NO_CLAIM


class PodResults(msgspec.Struct, frozen=True):
    """What an ended Job's pods left behind.

    `messages`: termination message by (task, container) of the task's pod 0; a container of "" is the pod's first;
    `exit_code`: that of the first failed pod, None if no pod failed or none is left; `cut`: keys of messages that are
    as long as Kubernetes keeps them, so that part of them may be missing.
    """

    messages: Mapping[tuple[str, str], str] = {}
    exit_code: int | None = None
    cut: frozenset[tuple[str, str]] = frozenset()


class ProbeResult(msgspec.Struct, frozen=True):
    """Whether a step's network probes hold; `failing`: in words, what does not."""

    holds: bool
    failing: str = ""


class ObservedFlow(msgspec.Struct, frozen=True):
    """A JobFlow and everything that the decision about it may read.

    `flow.status`: what the last decision left, stored or not; `stored`: what the API server has; `jobs`: the children, those
    whose controller is this flow, by name; `others`: any object of the namespace by kind and name; `templates`,
    `flow_templates`: raw JobTemplates and JobFlowTemplates by name; `now`: epoch seconds; `refusals`: of Jobs, Commands and of
    the flow's own change, by name; `refused_before`: the last refusal, set when so many creates were refused in this pass that
    no other one is tried; `pods`: of ended Jobs, as far as they were read; `deleted_jobs`: children that a live read did not
    find; `terminate_sent`: epoch seconds at which a child was last told to stop or to continue, by its uid; `probes`:
    by step;
    `write_after`: no status write before this moment unless it cannot wait; `settle_until`: nor one that another is about to
    follow; `most_jobs`: to create in this decision; `queue_states`: by queue, where they are known; `parents`: the flows above
    this one, the nearest first; `approvals`: which of them count; `resource_kinds`: that steps with `resource` may create in
    this namespace; `unserved`: those of them that the API server does not serve; `granted`: those that the flow itself may
    create; `quota`: whether a quota lets it create anything, None without one.
    """

    flow: JobFlow
    stored: JobFlowStatus
    jobs: Mapping[str, ObservedChild]
    others: Mapping[Child, ObservedChild]
    templates: Mapping[str, Body]
    now: float
    commands: tuple[FlowCommand, ...] = ()
    refusals: Mapping[str, Refusal] = {}
    refused_before: Refusal | None = None
    pods: Mapping[str, PodResults] = {}
    deleted_jobs: frozenset[str] = frozenset()
    terminate_sent: Mapping[str, float] = {}
    probes: Mapping[str, ProbeResult] = {}
    write_after: float = 0.0
    settle_until: float = 0.0
    most_jobs: int = 500
    queue_states: Mapping[str, str] = {}
    flow_templates: Mapping[str, Body] = {}
    parents: tuple[ParentFlow, ...] = ()
    approvals: ApprovalRules = ApprovalRules()
    resource_kinds: tuple[Kind, ...] = ()
    unserved: frozenset[Kind] = frozenset()
    granted: GrantedKinds = GrantedKinds()
    quota: QuotaPlace | None = None
