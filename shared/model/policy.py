"""JobFlowPolicy (policy.jobflow.dev/v1alpha1): rules that an administrator sets for a cluster.

See docs/design/jobflow-api.md, section 9.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.model.meta import ObjectMeta
from shared.model.phases import PolicyMode, RetainPolicy
from shared.model.step import Expression
from shared.model.types import Count, Duration, Labels, Model, Positive, Raw, Time


class PolicyKind(StrEnum):
    JOBFLOW = "JobFlow"
    JOBTEMPLATE = "JobTemplate"
    JOB = "Job"
    CRONJOB = "CronJob"
    CRONJOBFLOW = "CronJobFlow"
    JOBFLOWTEMPLATE = "JobFlowTemplate"


class PolicyOperation(StrEnum):
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class MatchUsers(Model, frozen=True, kw_only=True):
    """Users, by patterns with the wildcards * and ?; one that matches is enough."""

    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    service_accounts: Annotated[tuple[str, ...], Meta(description="NAMESPACE/NAME of service accounts.")] = ()


class Match(Model, frozen=True, kw_only=True):
    """The objects and requests that the policy applies to; empty matches all."""

    kinds: Annotated[
        tuple[PolicyKind, ...],
        Meta(
            description="Job and JobFlow include the templates of CronJob, CronJobFlow, JobFlowTemplate; these select only them."
        ),
    ] = ()
    namespace_selector: Annotated[Raw | None, Meta(description="metav1.LabelSelector over the namespace's labels.")] = (
        None
    )
    object_selector: Annotated[Raw | None, Meta(description="metav1.LabelSelector over the object's labels.")] = None
    operations: Annotated[
        tuple[PolicyOperation, ...],
        Meta(description="Default: CREATE and UPDATE. Of deletions only rules are judged, over oldObject."),
    ] = ()
    users: Annotated[MatchUsers | None, Meta(description="Only requests of these users; empty: of all.")] = None


class TimeWindow(Model, frozen=True, kw_only=True):
    """A span of time that begins whenever the schedule is due."""

    schedule: Annotated[str, Meta(description="Cron expression, such as 0 18 * * FRI.")]
    duration: Annotated[str, Meta(description="How long each window lasts, such as 62h.")]
    time_zone: Annotated[str | None, Meta(description="IANA name of the time zone. Default UTC.")] = None


class Validity(Model, frozen=True, kw_only=True):
    """When the policy is in force, by the webhook's clock."""

    from_: Annotated[Time | None, Meta(description="Not before this time.")] = msgspec.field(default=None, name="from")
    until: Annotated[Time | None, Meta(description="No longer from this time on.")] = None
    windows: Annotated[tuple[TimeWindow, ...], Meta(description="Only within one of these; empty: at all times.")] = ()


class Exempt(Model, frozen=True, kw_only=True):
    """Users, groups and namespaces to which it does not apply."""

    usernames: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()


class DefaultField(StrEnum):
    """The fields that a value expression can set."""

    QUEUE = "queue"
    SCHEDULER_NAME = "schedulerName"
    PRIORITY_CLASS_NAME = "priorityClassName"
    ACTIVE_DEADLINE_SECONDS = "activeDeadlineSeconds"
    TTL_SECONDS_AFTER_FINISHED = "ttlSecondsAfterFinished"
    LABELS = "labels"
    NODE_SELECTOR = "nodeSelector"


class DefaultValue(Model, frozen=True, kw_only=True):
    """A default that is computed, for example from the labels of the namespace."""

    field: DefaultField
    key: Annotated[str, Meta(description="The key to set in labels and nodeSelector.")] = ""
    value_expression: Annotated[
        Expression, Meta(description="CEL expression of the value. Nothing is set if it fails or gives null or ''.")
    ]


class Defaults(Model, frozen=True, kw_only=True):
    """Set where absent, on CREATE only."""

    queue: str = ""
    scheduler_name: str = ""
    priority_class_name: str = ""
    job_retain_policy: RetainPolicy | None = None
    ttl_seconds_after_finished: Count | None = None
    active_deadline_seconds: Positive | None = None
    labels: Labels = {}
    node_selector: Labels = {}
    tolerations: Annotated[tuple[Raw, ...], Meta(description="core/v1 Toleration.")] = ()
    values: Annotated[tuple[DefaultValue, ...], Meta(description="Defaults that are computed.")] = ()


class CountPer(Model, frozen=True, kw_only=True):
    """The groups in which active objects are counted; each namespace is one unless a label is named."""

    namespace_label: Annotated[
        str,
        Meta(description="Namespaces with the same value of this label are counted together, and those without it."),
    ] = ""
    object_label: Annotated[
        str, Meta(description="Objects with the same value of this label are counted together, in all namespaces.")
    ] = ""


class Limits(Model, frozen=True, kw_only=True):
    max_steps: Count | None = None
    max_depth: Count | None = None
    max_parallelism: Count | None = None
    max_replicas: Annotated[Count | None, Meta(description="A Job's pods in total.")] = None
    max_retry: Count | None = None
    max_active_deadline_seconds: Count | None = None
    max_ttl_seconds_after_finished: Count | None = None
    max_active_flows: Annotated[
        Count | None,
        Meta(
            description="JobFlows that run at once, or are suspended with unfinished Jobs. Those of steps are not counted."
        ),
    ] = None
    max_running_flows: Annotated[Count | None, Meta(description="The former name of maxActiveFlows.")] = None
    max_held_flows: Annotated[
        Count, Meta(description="JobFlows beyond maxActiveFlows that are admitted and wait, Pending, for their turn.")
    ] = 0
    max_active_jobs: Annotated[
        Count | None,
        Meta(description="Jobs that are active at once: from their start until they have ended and have no pods left."),
    ] = None
    max_held_jobs: Annotated[
        Count,
        Meta(
            description="Jobs beyond maxActiveJobs that are admitted and wait, Pending, for their turn. Jobs of JobFlows"
            " are always admitted."
        ),
    ] = 0
    count_per: Annotated[CountPer | None, Meta(description="What maxActiveFlows and maxActiveJobs count together.")] = (
        None
    )

    @property
    def has_quota(self) -> bool:
        """Whether it limits the number of active objects."""
        return any(most is not None for most in (self.max_active_flows, self.max_running_flows, self.max_active_jobs))


class UsageLists(Model, frozen=True, kw_only=True):
    """Patterns with the wildcards * and ?; an empty list restricts nothing."""

    queues: tuple[str, ...] = ()
    images: Annotated[
        tuple[str, ...], Meta(description="[REGISTRY/]REPOSITORY[:TAG][@DIGEST], such as registry.example.com/*.")
    ] = ()
    registries: Annotated[tuple[str, ...], Meta(description="Registries of images, with their port if any.")] = ()
    image_tags: Annotated[
        tuple[str, ...], Meta(description="Tags of images without a digest; an absent tag is latest.")
    ] = ()
    scheduler_names: tuple[str, ...] = ()
    priority_class_names: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    resource_kinds: Annotated[
        tuple[str, ...],
        Meta(description="APIVERSION/KIND of the objects that steps with resource create, such as */TrainJob."),
    ] = ()


class Required(Model, frozen=True, kw_only=True):
    resource_requests: Annotated[tuple[str, ...], Meta(description="Resources that every container must request.")] = ()
    resource_limits: Annotated[tuple[str, ...], Meta(description="Resources that every container must limit.")] = ()
    existing_templates: Annotated[bool, Meta(description="A JobFlow's templates must exist when it is applied.")] = (
        False
    )
    labels: tuple[str, ...] = ()
    label_values: Annotated[
        dict[str, tuple[str, ...]],
        Meta(description="Labels that must be set, each to a value that matches one of the patterns."),
    ] = {}
    image_digests: Annotated[bool, Meta(description="Images must be given by digest.")] = False


class Approvals(Model, frozen=True, kw_only=True):
    """What a policy allows about approvals, which is refused otherwise."""

    own_flows: Annotated[bool, Meta(description="People may approve steps of flows that they created.")] = False
    on_timeout: Annotated[bool, Meta(description="Steps may count as approved after their timeout.")] = False


class PolicyVariable(Model, frozen=True, kw_only=True):
    """A CEL expression that rules and later variables read as variables.NAME."""

    name: str
    expression: Expression


class PolicyRule(Model, frozen=True, kw_only=True):
    """CEL over object, oldObject, request, namespaceObject and variables; true is compliant."""

    name: str
    expression: Expression
    message: str = ""
    message_expression: Annotated[
        Expression, Meta(description="CEL expression of the message; `message` is used if it fails.")
    ] = ""


class PolicySeverity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class AllowedExceptions(Model, frozen=True, kw_only=True):
    """Where JobFlowPolicyExceptions to the policy are in effect, and for how long. Absent: nowhere."""

    allowed_namespaces: Annotated[
        tuple[str, ...], Meta(description="Namespaces, with the wildcards * and ?; at least one.")
    ]
    max_duration: Annotated[
        Duration, Meta(description="The longest time from the creation of an exception to its expiresAt, such as 168h.")
    ]


class JobFlowPolicySpec(Model, frozen=True, kw_only=True):
    match: Match | None = None
    exempt: Exempt | None = None
    validity: Annotated[Validity | None, Meta(description="When it is in force. Default: always.")] = None
    mode: Annotated[
        PolicyMode | None,
        Meta(description="Enforce (default): refuse; Warn: kubectl prints a warning; Audit: only recorded."),
    ] = None
    defaults: Defaults | None = None
    limits: Limits | None = None
    allowed: Annotated[UsageLists | None, Meta(description="Values that may be used; all others are refused.")] = None
    denied: Annotated[UsageLists | None, Meta(description="Values that are refused, even if they are allowed.")] = None
    required: Required | None = None
    approvals: Annotated[
        Approvals | None, Meta(description="Leave for approvals of own flows, and for onTimeout: Approve.")
    ] = None
    variables: tuple[PolicyVariable, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    exceptions: Annotated[
        AllowedExceptions | None, Meta(description="Allows JobFlowPolicyExceptions to this policy; absent: none.")
    ] = None
    severity: Annotated[PolicySeverity | None, Meta(description="Copied into reports.")] = None


class PolicyCondition(Model, frozen=True, kw_only=True):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    observed_generation: int | None = None
    last_transition_time: Time | None = None


class PolicyViolation(Model, frozen=True, kw_only=True):
    """An existing object that violates the policy, found by the scan."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    rule: str = ""
    message: str = ""


class LeftToWebhook(Model, frozen=True, kw_only=True):
    """A rule that the API server does not judge, or not completely. `*`: every rule of the policy."""

    rule: str
    why: str = ""


class InProcessRules(Model, frozen=True, kw_only=True):
    """The rules that the API server itself enforces, also while no webhook answers."""

    rules: Annotated[tuple[str, ...], Meta(description="Names of rules, such as limits.maxSteps.")] = ()
    webhook_only: Annotated[
        tuple[LeftToWebhook, ...],
        Meta(description="Rules that only the webhook enforces; those that are in rules as well only in part."),
    ] = ()
    observed_generation: int | None = None


class JobFlowPolicyStatus(Model, frozen=True, kw_only=True):
    observed_generation: int | None = None
    conditions: tuple[PolicyCondition, ...] = ()
    violations: Count = 0
    excepted: Annotated[Count, Meta(description="Violations that exceptions allowed at the last scan.")] = 0
    last_scan_time: Time | None = None
    last_violations: tuple[PolicyViolation, ...] = ()
    in_process: Annotated[
        InProcessRules | None,
        Meta(description="What the API server itself enforces; absent where the chart's inProcess.policies is off."),
    ] = None


class JobFlowPolicy(Model, frozen=True, kw_only=True):
    """Rules for JobFlows, JobTemplates and Jobs, enforced on creation and update."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: JobFlowPolicySpec = JobFlowPolicySpec()
    status: JobFlowPolicyStatus = JobFlowPolicyStatus()
