"""JobFlowPolicyException (policy.jobflow.dev/v1alpha1): objects of a namespace that may violate rules of a policy for a time.

Who may create one is decided by RBAC; where, and for how long, by `spec.exceptions` of the policy. See docs/policies.md.
"""

from typing import Annotated

from msgspec import Meta

from shared.model.meta import ObjectMeta
from shared.model.policy import PolicyCondition, PolicyKind
from shared.model.types import Model, Raw

_TIME = {"format": "date-time"}


class ExceptedPolicy(Model, frozen=True, kw_only=True):
    """A policy and those of its rules that may be violated."""

    name: Annotated[str, Meta(min_length=1, max_length=253, description="Name of the JobFlowPolicy.")]
    rules: Annotated[
        tuple[str, ...], Meta(description="Rules as refusals name them, such as limits.maxSteps; empty: all.")
    ] = ()


class ExceptionMatch(Model, frozen=True, kw_only=True):
    """The objects of the namespace that may violate them; empty matches all."""

    kinds: Annotated[
        tuple[PolicyKind, ...], Meta(description="Kinds of the objects, as in match.kinds of policies; empty: all.")
    ] = ()
    names: Annotated[tuple[str, ...], Meta(description="Names, with the wildcards * and ?; empty: all.")] = ()
    object_selector: Annotated[Raw | None, Meta(description="metav1.LabelSelector over the object's labels.")] = None


class JobFlowPolicyExceptionSpec(Model, frozen=True, kw_only=True):
    """Immutable: create another exception instead."""

    policies: Annotated[
        tuple[ExceptedPolicy, ...],
        Meta(min_length=1, max_length=50, description="Policies that the objects may violate."),
    ]
    match: ExceptionMatch | None = None
    expires_at: Annotated[
        str, Meta(description="RFC 3339 time from which the rules are enforced again.", extra_json_schema=_TIME)
    ]
    reason: Annotated[str, Meta(min_length=1, max_length=1024, description="Why, for those who review exceptions.")]


class JobFlowPolicyExceptionStatus(Model, frozen=True, kw_only=True):
    """Whether it is in effect, as the controller saw it last."""

    state: Annotated[str, Meta(description="Active, Expired or Ineffective; `conditions` say why.")] = ""
    policies: Annotated[tuple[str, ...], Meta(description="Names of the policies, for kubectl's column.")] = ()
    observed_generation: int | None = None
    conditions: tuple[PolicyCondition, ...] = ()


class JobFlowPolicyException(Model, frozen=True, kw_only=True):
    """Objects of its namespace that may violate rules of policies until a time."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: JobFlowPolicyExceptionSpec
    status: JobFlowPolicyExceptionStatus = JobFlowPolicyExceptionStatus()
