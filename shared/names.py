"""Constants that more than one process must agree on: API groups, label and annotation keys, defaults and limits."""

from typing import Final

# --- API groups -------------------------------------------------------------------------------------------------
BATCH: Final = "batch.volcano.sh/v1alpha1"
FLOW: Final = "flow.volcano.sh/v1alpha1"
SCHEDULING: Final = "scheduling.volcano.sh/v1beta1"
BUS: Final = "bus.volcano.sh/v1alpha1"
POLICY: Final = "policy.jobflow.dev/v1alpha1"

# --- labels and annotations that Volcano defines (docs/design/volcano-behaviour.md, section 1.10) ------------------
TASK_INDEX: Final = "volcano.sh/task-index"
TASK_SPEC: Final = "volcano.sh/task-spec"
JOB_NAME: Final = "volcano.sh/job-name"
JOB_NAMESPACE: Final = "volcano.sh/job-namespace"
QUEUE_NAME: Final = "volcano.sh/queue-name"
JOB_VERSION: Final = "volcano.sh/job-version"
JOB_RETRY_COUNT: Final = "volcano.sh/job-retry-count"
TEMPLATE_UID: Final = "volcano.sh/template-uid"
PARTITION_ID: Final = "volcano.sh/partition-id"
NUMA_TOPOLOGY_POLICY: Final = "volcano.sh/numa-topology-policy"
PREEMPTABLE: Final = "volcano.sh/preemptable"
COOLDOWN_TIME: Final = "volcano.sh/cooldown-time"
REVOCABLE_ZONE: Final = "volcano.sh/revocable-zone"
JDB_MIN_AVAILABLE: Final = "volcano.sh/jdb-min-available"
JDB_MAX_UNAVAILABLE: Final = "volcano.sh/jdb-max-unavailable"
JOB_FORWARDING: Final = "volcano.sh/job-forwarding"
OUT_OF_SYNC: Final = "volcano.sh/controller-out-of-sync"
JOB_TYPE: Final = "volcano.sh/job-type"
CREATED_BY_TEMPLATE: Final = "volcano.sh/createdByJobTemplate"
CREATED_BY_FLOW: Final = "volcano.sh/createdByJobFlow"
CLOSED_BY_PARENT: Final = "volcano.sh/closed-by-parent"
HIERARCHY: Final = "volcano.sh/hierarchy"
HIERARCHY_WEIGHTS: Final = "volcano.sh/hierarchy-weights"
CRONJOB_SCHEDULED: Final = "volcano.sh/cronjob-scheduled-timestamp"
GROUP_NAME: Final = "scheduling.k8s.io/group-name"
NAMESPACE_QUEUE: Final = "scheduling.volcano.sh/queue-name"
GROUP_MIN_MEMBER: Final = "scheduling.volcano.sh/group-min-member"
HCCL_RANK_INDEX: Final = "hccl/rankIndex"

# --- ours ---------------------------------------------------------------------------------------------------------
STEP: Final = "flow.volcano.sh/step"  # Job label and annotation: the step that created it
ITERATION: Final = "flow.volcano.sh/iteration"  # Job label: index in a `for`
ATTEMPT: Final = "flow.volcano.sh/attempt"  # Job label: 0 for the first try
DEFAULTED: Final = (
    "policy.jobflow.dev/defaulted"  # Job annotation: values that policies set and that may not change later
)
JOB_CONTROLLER: Final = "jobflow.dev/job-controller"  # value of spec.managedBy for this controller
SUSPEND: Final = "batch.jobflow.dev/suspend"  # Job annotation: spec.suspend where the CRD does not have the field
MANAGED_BY: Final = "batch.jobflow.dev/managed-by"  # Job annotation: the same for spec.managedBy
DEFAULTED_MINIMUMS: Final = "batch.jobflow.dev/defaulted-min-available"  # Job annotation: which the webhook has set
TERMINATED_AT: Final = "flow.jobflow.dev/terminated-at"  # annotation of an object that its step has stopped by a patch
BY_JOBFLOW: Final = "JobFlow"  # reason of the Commands by which a flow stops its Jobs; the Job's status records it
STEP_DIGEST: Final = "flow.volcano.sh/step-digest"  # Job annotation: hash of the spec of the step that created it
GANG_GATE: Final = "jobflow.dev/gang"  # scheduling gate that the `gate` backend removes
CRON_SCHEDULED: Final = "flow.jobflow.dev/scheduled-time"  # JobFlow annotation: the due time it was created for
CRON_NAME: Final = "flow.jobflow.dev/cronjobflow"  # JobFlow label: the CronJobFlow that created it
BACKFILL_NAME: Final = "flow.jobflow.dev/backfill"  # JobFlow label: the backfill that created it
COMMANDED_BY: Final = (
    "flow.jobflow.dev/commanded-by"  # JobFlow annotation: uid of the Command that last changed its spec
)
FLOW_TEMPLATE: Final = "flow.jobflow.dev/template"  # JobFlow annotation: the JobFlowTemplate it was made from
CREATOR: Final = "flow.jobflow.dev/creator"  # JobFlow annotation: the user who created it, stamped by the webhook
APPROVER: Final = "flow.jobflow.dev/approver"  # Command annotation: the user who sends it, compared by a policy
RESOURCE_KINDS: Final = "flow.jobflow.dev/resource-kinds"  # annotation: see shared/resource_steps/rights.py
REQUESTED_AT: Final = "flow.jobflow.dev/requested-at"  # JobFlow annotation: creation of the schedule that created it
GANG_PUT_BACK: Final = (
    "jobflow.dev/gang-put-back"  # PodGroup annotation: how often it was admitted but not bound in time
)
GANG_PUT_BACK_AT: Final = "jobflow.dev/gang-put-back-at"  # PodGroup annotation: the last time

INVALID_SPEC: Final = "InvalidSpec"  # reason of a JobFlow or JobFlowTemplate that only an edit makes valid
QUOTA_EXCEEDED: Final = "QuotaExceeded"  # status.state.reason of a JobFlow or Job that a quota of a policy holds

# --- annotations of other tools, which are not copied from a template to its Jobs ----------------------------------
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
FOREIGN_ANNOTATION_PREFIXES: Final = (
    LAST_APPLIED,
    "meta.helm.sh/",
    "argocd.argoproj.io/",
)

# --- defaults -----------------------------------------------------------------------------------------------------
DEFAULT_QUEUE: Final = "default"
ROOT_QUEUE: Final = "root"
DEFAULT_SCHEDULER: Final = "volcano"
DEFAULT_MAX_RETRY: Final = 3

# --- limits -------------------------------------------------------------------------------------------------------
MAX_NAME: Final = 63  # DNS-1123 label; Jobs, pods and hostnames
MAX_CRON_NAME: Final = 52  # a CronJob; its Jobs add a dash and ten digits
MAX_STEPS: Final = 1000
MAX_ITERATIONS: Final = 2000
DEFAULT_MAX_ITERATIONS: Final = 100
MAX_FLOW_JOBS: Final = 10_000
MAX_OUTPUT_BYTES: Final = 4096
MAX_FLOW_OUTPUT_BYTES: Final = 65_536
MAX_STATUS_BYTES: Final = 900 * 1024
MAX_EXPRESSION_BYTES: Final = 4096
MAX_FINISHED_JOBS_LISTED: Final = 500
MAX_FINISHED_JOBS_LISTED_IN_PROGRESS: Final = 50  # of a flow with more than 500 Jobs, until it has ended
MAX_JOBS_PER_STEP_LISTED: Final = 10
MAX_HANDLED_COMMANDS: Final = 20
