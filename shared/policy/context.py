"""What policies are held against: one object, who brought it, and what is around it. Raw and total: wrong types read as
absent, since the schema has reported them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import msgspec

from shared.expressions import PolicyInput
from shared.kinds import JOBFLOW, JOBTEMPLATE, Kind
from shared.model.types import Body
from shared.podtemplate.field import Field

CREATE: Final = "CREATE"
UPDATE: Final = "UPDATE"
_PLACEHOLDER: Final = "$("
_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True)
class JobPart:
    """A JobSpec, or of a flow's step the part that its patch says.

    `open`: strings may hold placeholders, which are judged on the finished Job; `partial`: what it leaves out is not
    absent, but the template's.
    """

    field: Field
    open: bool = False
    partial: bool = False

    def says(self, field: Field) -> bool:
        """Whether a text is there and can be judged."""
        return bool(field.text) and not (self.open and _PLACEHOLDER in field.text)

    @cached_property
    def tasks(self) -> tuple[Field, ...]:
        return tuple(self.field.get("tasks").items)

    @cached_property
    def pods(self) -> tuple[Field, ...]:
        """The pod spec of every task."""
        return tuple(task.get("template").get("spec") for task in self.tasks)

    @property
    def containers(self) -> Iterator[tuple[Field, Field]]:
        """(pod spec, container) of every container, init containers too."""
        for pod in self.pods:
            for name in _CONTAINERS:
                for container in pod.get(name).items:
                    yield pod, container


@dataclass(frozen=True)
class PolicyContext:
    """One object under judgement. `operation`: CREATE, UPDATE, or '' for an object that is stored already.

    `request`: what rules see of the AdmissionReview's request, None in a scan; `namespace_body`: the Namespace, None when
    it is not known; `template_exists`, `running_flows`: of its namespace, None where nobody knows. `running_flows` leaves
    the object itself out. `crd_defaults`: Volcano's CRD has filled in `queue: default` before us; `offline`: a
    linter asks, to whom no cluster is known.
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
    running_flows: Callable[[], int] | None = None
    crd_defaults: bool = False
    offline: bool = False

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
        """With the name's own label, which every API server sets."""
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
        """Whether a JobFlow made it: its flow's end is its end."""
        owners = Field("metadata", self.metadata).get("ownerReferences").items
        return any(owner.get("kind").text == JOBFLOW.kind for owner in owners)

    @cached_property
    def steps(self) -> tuple[Field, ...]:
        """Every step of `flows` and `finally`."""
        if not self.is_flow:
            return ()
        return (*self.spec.get("flows").items, *self.spec.get("finally").items)

    @cached_property
    def jobs(self) -> tuple[JobPart, ...]:
        """The JobSpecs in it: a Job's or template's own; of a flow what its steps patch in."""
        if not self.is_flow:
            return (JobPart(self.spec, open=self.kind is JOBTEMPLATE),)
        patches = (step.get("patch").get("jobSpec") for step in self.steps)
        return tuple(JobPart(patch, open=True, partial=True) for patch in patches if patch.present)

    @cached_property
    def variables(self) -> PolicyInput:
        """What the rules of all policies see, made once."""
        values = {
            "object": self.body,
            "oldObject": self.old,
            "request": self.request,
            "namespaceObject": self.namespace_body,
        }
        return PolicyInput(len(msgspec.json.encode(values)), values)


def mapping(value: Any) -> dict[str, Any]:
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
