"""Table of the built-in kinds that this server serves."""

from local.apiserver.types.resources import ALL_VERBS, Resource
from local.apiserver.types.schemas import Definitions

CREATE_ONLY = ("create",)
STATUS = ("status",)
SCALED = ("status", "scale")
ALL = ("all",)

# group, version, plural, kind, namespaced, short names, categories, subresources
_Row = tuple[str, str, str, str, bool, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
_ADMISSION = "admissionregistration.k8s.io"
_FLOW = "flowcontrol.apiserver.k8s.io"
_CRDS = "customresourcedefinitions"
ROWS: tuple[_Row, ...] = (
    ("", "v1", "configmaps", "ConfigMap", True, ("cm",), (), ()),
    ("", "v1", "endpoints", "Endpoints", True, ("ep",), (), ()),
    ("", "v1", "events", "Event", True, ("ev",), (), ()),
    ("", "v1", "limitranges", "LimitRange", True, ("limits",), (), ()),
    ("", "v1", "namespaces", "Namespace", False, ("ns",), (), ("status", "finalize")),
    ("", "v1", "nodes", "Node", False, ("no",), (), STATUS),
    ("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, ("pvc",), (), STATUS),
    ("", "v1", "persistentvolumes", "PersistentVolume", False, ("pv",), (), STATUS),
    ("", "v1", "pods", "Pod", True, ("po",), ALL, ("status", "binding", "log", "eviction", "ephemeralcontainers")),
    ("", "v1", "podtemplates", "PodTemplate", True, (), (), ()),
    ("", "v1", "replicationcontrollers", "ReplicationController", True, ("rc",), ALL, SCALED),
    ("", "v1", "resourcequotas", "ResourceQuota", True, ("quota",), (), STATUS),
    ("", "v1", "secrets", "Secret", True, (), (), ()),
    ("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",), (), ("token",)),
    ("", "v1", "services", "Service", True, ("svc",), ALL, STATUS),
    (_ADMISSION, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False, (), (), ()),
    (_ADMISSION, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False, (), (), ()),
    (_ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", False, (), (), STATUS),
    (_ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", False, (), (), ()),
    (
        "apiextensions.k8s.io",
        "v1",
        _CRDS,
        "CustomResourceDefinition",
        False,
        ("crd", "crds"),
        ("api-extensions",),
        STATUS,
    ),
    ("apiregistration.k8s.io", "v1", "apiservices", "APIService", False, (), ("api-extensions",), STATUS),
    ("apps", "v1", "controllerrevisions", "ControllerRevision", True, (), (), ()),
    ("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), ALL, STATUS),
    ("apps", "v1", "deployments", "Deployment", True, ("deploy",), ALL, SCALED),
    ("apps", "v1", "replicasets", "ReplicaSet", True, ("rs",), ALL, SCALED),
    ("apps", "v1", "statefulsets", "StatefulSet", True, ("sts",), ALL, SCALED),
    ("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True, ("hpa",), ALL, STATUS),
    ("batch", "v1", "cronjobs", "CronJob", True, ("cj",), ALL, STATUS),
    ("batch", "v1", "jobs", "Job", True, (), ALL, STATUS),
    ("coordination.k8s.io", "v1", "leases", "Lease", True, (), (), ()),
    ("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True, (), (), ()),
    (_FLOW, "v1", "flowschemas", "FlowSchema", False, (), (), STATUS),
    (_FLOW, "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration", False, (), (), STATUS),
    ("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False, (), (), ()),
    ("networking.k8s.io", "v1", "ingresses", "Ingress", True, ("ing",), (), STATUS),
    ("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",), (), ()),
    ("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", False, (), (), ()),
    ("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",), (), STATUS),
    ("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False, (), (), ()),
    ("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False, (), (), ()),
    ("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", True, (), (), ()),
    ("rbac.authorization.k8s.io", "v1", "roles", "Role", True, (), (), ()),
    ("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False, ("pc",), (), ()),
    ("storage.k8s.io", "v1", "csidrivers", "CSIDriver", False, (), (), ()),
    ("storage.k8s.io", "v1", "csinodes", "CSINode", False, (), (), ()),
    ("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", False, (), (), STATUS),
    ("storage.k8s.io", "v1", "storageclasses", "StorageClass", False, ("sc",), (), ()),
)
REVIEWS: tuple[tuple[str, str, str, bool], ...] = (
    ("authentication.k8s.io", "tokenreviews", "TokenReview", False),
    ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", False),
    ("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview", True),
    ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False),
    ("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False),
    ("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview", False),
)
NO_COLLECTION_DELETE = {"namespaces": tuple(verb for verb in ALL_VERBS if verb != "deletecollection")}


def resources(definitions: Definitions) -> tuple[Resource, ...]:
    """All built-in resources, each with its OpenAPI schema."""
    kept = tuple(
        Resource(
            group=group,
            version=version,
            plural=plural,
            kind=kind,
            namespaced=namespaced,
            singular=kind.lower(),
            short_names=short,
            categories=categories,
            subresources=frozenset(subresources),
            verbs=NO_COLLECTION_DELETE.get(plural, ALL_VERBS),
            schema=definitions.of(group, version, kind),
        )
        for group, version, plural, kind, namespaced, short, categories, subresources in ROWS
    )
    asked = tuple(
        Resource(group, "v1", plural, kind, namespaced, kind.lower(), verbs=CREATE_ONLY)
        for group, plural, kind, namespaced in REVIEWS
    )
    return kept + asked
