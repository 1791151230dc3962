"""The kinds that this project reads or writes, and the paths under which the API server serves them."""

from typing import Final

import msgspec


class Kind(msgspec.Struct, frozen=True, cache_hash=True):
    """One kind. `api_version`: `v1` or `group/version`; `plural`: its name in URLs."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        return self.api_version.rpartition("/")[2]

    @property
    def resource(self) -> str:
        """The resource with its group, such as `jobs.batch.volcano.sh`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


JOBFLOW: Final = Kind("flow.volcano.sh/v1alpha1", "JobFlow", "jobflows")
JOBTEMPLATE: Final = Kind("flow.volcano.sh/v1alpha1", "JobTemplate", "jobtemplates")
JOB: Final = Kind("batch.volcano.sh/v1alpha1", "Job", "jobs")
CRONJOB: Final = Kind("batch.volcano.sh/v1alpha1", "CronJob", "cronjobs")
JOBFLOWTEMPLATE: Final = Kind("flow.jobflow.dev/v1alpha1", "JobFlowTemplate", "jobflowtemplates")
CRONJOBFLOW: Final = Kind("flow.jobflow.dev/v1alpha1", "CronJobFlow", "cronjobflows")
CRONJOBFLOWBACKFILL: Final = Kind("flow.jobflow.dev/v1alpha1", "CronJobFlowBackfill", "cronjobflowbackfills")
PODGROUP: Final = Kind("scheduling.volcano.sh/v1beta1", "PodGroup", "podgroups")
QUEUE: Final = Kind("scheduling.volcano.sh/v1beta1", "Queue", "queues", namespaced=False)
COMMAND: Final = Kind("bus.volcano.sh/v1alpha1", "Command", "commands")
JOBFLOWPOLICY: Final = Kind("policy.jobflow.dev/v1alpha1", "JobFlowPolicy", "jobflowpolicies", namespaced=False)
JOBFLOWPOLICYEXCEPTION: Final = Kind("policy.jobflow.dev/v1alpha1", "JobFlowPolicyException", "jobflowpolicyexceptions")
REPORT: Final = Kind("openreports.io/v1alpha1", "Report", "reports")
CLUSTERREPORT: Final = Kind("openreports.io/v1alpha1", "ClusterReport", "clusterreports", namespaced=False)
POLICYREPORT: Final = Kind("wgpolicyk8s.io/v1alpha2", "PolicyReport", "policyreports")
POD: Final = Kind("v1", "Pod", "pods")
SERVICE: Final = Kind("v1", "Service", "services")
CONFIGMAP: Final = Kind("v1", "ConfigMap", "configmaps")
SECRET: Final = Kind("v1", "Secret", "secrets")
PVC: Final = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
NODE: Final = Kind("v1", "Node", "nodes", namespaced=False)
NAMESPACE: Final = Kind("v1", "Namespace", "namespaces", namespaced=False)
EVENT: Final = Kind("v1", "Event", "events")
RESOURCEQUOTA: Final = Kind("v1", "ResourceQuota", "resourcequotas")
LIMITRANGE: Final = Kind("v1", "LimitRange", "limitranges")
NETWORKPOLICY: Final = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
PRIORITYCLASS: Final = Kind("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False)
LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases")
CRD: Final = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
ADMISSION_POLICY: Final = Kind(
    "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", namespaced=False
)
ADMISSION_POLICY_BINDING: Final = Kind(
    "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
    namespaced=False,
)
MUTATING: Final = Kind(
    "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False
)
VALIDATING: Final = Kind(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    namespaced=False,
)
