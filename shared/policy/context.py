"""The context in which policies judge: one object, the user who submits it, and its namespace.

The object is raw JSON. Values of a wrong type read as absent, since the schema reports them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import msgspec

from shared.expressions import PolicyInput
from shared.kinds import JOBFLOW, JOBTEMPLATE, Kind
from shared.model.types import Body
from shared.podtemplate.field import Field
from shared.policy.embedded import Embedded
from shared.policy.quota.quota import Quota
from shared.policy.raw import mapping

CREATE: Final = "CREATE"
UPDATE: Final = "UPDATE"
DELETE: Final = "DELETE"
_PLACEHOLDER: Final = "$("
_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True)
class JobPart:
    """A JobSpec, or the patch of a flow's step.

    `open`: strings may contain placeholders, which are judged in the finished Job; `partial`: absent fields come from the
    template.
    """

    field: Field
    open: bool = False
    partial: bool = False

    def says(self, field: Field) -> bool:
        """Whether a field has a text that can be judged."""
        return bool(field.text) and not (self.open and _PLACEHOLDER in field.text)

    @cached_property
    def tasks(self) -> tuple[Field, ...]:
        return tuple(self.field.get("tasks").items)

    @cached_property
    def pods(self) -> tuple[Field, ...]:
        """The pod specs of all tasks."""
        return tuple(task.get("template").get("spec") for task in self.tasks)

    @property
    def containers(self) -> Iterator[tuple[Field, Field]]:
        """(pod spec, container) for every container, including init containers."""
        for pod in self.pods:
            for name in _CONTAINERS:
                for container in pod.get(name).items:
                    yield pod, container


class Census(Protocol):
    """Counts the active objects of a cluster, for quotas."""

    def ahead(self, quota: Quota, context: "PolicyContext", covers: Callable[[Body, Body | None], bool]) -> int:
        """How many active objects of the same group take a place before the object of the context.

        `covers`: whether the policy is about an object of the same kind, given with its Namespace (None: unknown).
        """
        ...


@dataclass(frozen=True)
class PolicyContext:
    """One object to be judged. `operation`: CREATE, UPDATE, DELETE (`body` and `old` are the same then), or '' for a
    stored object. `now`: epoch seconds; None if unknown, then policies are in force at all times.

    `request`: the variable `request` of rules, None in a scan; `namespace_body`: the Namespace, None if it is unknown;
    `template_exists`: for its namespace, None if unknown; `census`: what quotas count, None if unknown. `crd_defaults`:
    Volcano's CRD has already filled in `queue: default`; `offline`: in a linter, without a cluster. `embedded`: where it
    stands, if it is a template in another object.
    """

    kind: Kind
    body: Body
    namespace: str
    operation: str = ""
    old: Body | None = None
    username: str = ""
    groups: tuple[str, ...] = ()
    request: Body | None = None
    namespace_body: Body | None = None
    template_exists: Callable[[str], bool] | None = None
    census: Census | None = None
    crd_defaults: bool = False
    offline: bool = False
    embedded: Embedded | None = None
    now: float | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds by which a policy can select it."""
        return (self.kind.kind,) if self.embedded is None else (self.kind.kind, self.embedded.outer.kind)

    @property
    def stored_kind(self) -> Kind:
        """The kind of the object that is stored."""
        return self.kind if self.embedded is None else self.embedded.outer

    @property
    def creating(self) -> bool:
        return self.operation == CREATE

    @cached_property
    def metadata(self) -> Body:
        return mapping(self.body.get("metadata"))

    @cached_property
    def labels(self) -> Mapping[str, str]:
        return mapping(self.metadata.get("labels"))

    @cached_property
    def old_labels(self) -> Mapping[str, str]:
        return mapping(mapping((self.old or {}).get("metadata")).get("labels"))

    @cached_property
    def namespace_labels(self) -> Mapping[str, str]:
        """The labels of the namespace, with its name label, which every API server sets."""
        labels = mapping(mapping((self.namespace_body or {}).get("metadata")).get("labels"))
        return {"kubernetes.io/metadata.name": self.namespace, **labels}

    @cached_property
    def spec(self) -> Field:
        return Field("spec", self.body.get("spec"))

    @property
    def is_flow(self) -> bool:
        return self.kind is JOBFLOW

    @cached_property
    def of_a_flow(self) -> bool:
        """Whether a JobFlow owns it, so that it ends with its flow."""
        owners = Field("metadata", self.metadata).get("ownerReferences").items
        return any(owner.get("kind").text == JOBFLOW.kind for owner in owners)

    @cached_property
    def steps(self) -> tuple[Field, ...]:
        """All steps of `flows` and `finally`."""
        if not self.is_flow:
            return ()
        return (*self.spec.get("flows").items, *self.spec.get("finally").items)

    @cached_property
    def jobs(self) -> tuple[JobPart, ...]:
        """The JobSpecs in the object: that of a Job or template, or the patches of a flow's steps."""
        if not self.is_flow:
            return (JobPart(self.spec, open=self.kind is JOBTEMPLATE),)
        patches = (step.get("patch").get("jobSpec") for step in self.steps)
        return tuple(JobPart(patch, open=True, partial=True) for patch in patches if patch.present)

    @cached_property
    def variables(self) -> PolicyInput:
        """The variables for the rules of all policies, created once."""
        values = {
            "object": None if self.operation == DELETE else self.body,
            "oldObject": self.old,
            "request": self.request,
            "namespaceObject": self.namespace_body,
        }
        return PolicyInput(len(msgspec.json.encode(values)), values)
