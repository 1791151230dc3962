"""The kinds that the operator allows steps to create: `resourceSteps.kinds` of the chart, `--resource-kinds` of the processes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from shared.kinds import Kind
from shared.policy.selector import selects

_NEVER: Final[Mapping[str, str]] = {
    "": "kinds of the core group, such as Secret, ServiceAccount and Pod, are never allowed",
    "rbac.authorization.k8s.io": "it grants rights",
    "admissionregistration.k8s.io": "it changes what the API server admits",
    "apiextensions.k8s.io": "it changes what the API server serves",
    "apiregistration.k8s.io": "it changes what the API server serves",
    "certificates.k8s.io": "it issues credentials",
    "authentication.k8s.io": "it issues credentials",
    "authorization.k8s.io": "it grants rights",
    "bus.volcano.sh": "Commands steer flows and Jobs of others",
    "policy.jobflow.dev": "it holds the operator's policies",
    "batch.volcano.sh": "a step without `resource` creates Jobs from a JobTemplate",
    "flow.volcano.sh": "a step with `flow` runs a flow",
    "flow.jobflow.dev": "a step with `flow` runs a flow",
}


class InvalidKinds(ValueError):
    """The setting cannot be read, or allows a kind that is never allowed. The text says which and why."""


class AllowedKind(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A kind that steps may create in the namespaces that the selector selects; absent or empty: in all.

    `resource`: its name in URLs, such as `jobs`.
    """

    api_version: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9.-]*/)?v[a-z0-9]+$")]
    kind: Annotated[str, Meta(pattern=r"^[A-Z][A-Za-z0-9]*$")]
    resource: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*$")]
    namespace_selector: dict[str, Any] | None = None

    def in_namespace(self, labels: Mapping[str, str]) -> bool:
        """Whether it is allowed in a namespace with these labels."""
        return selects(self.namespace_selector, labels)

    @property
    def as_kind(self) -> Kind:
        return Kind(self.api_version, self.kind, self.resource)


def parse_kinds(text: str) -> tuple[AllowedKind, ...]:
    """The kinds in a JSON list; none in an empty text. Raises InvalidKinds."""
    try:
        found = msgspec.json.decode(text or "[]", type=tuple[AllowedKind, ...])
    except msgspec.DecodeError as error:
        raise InvalidKinds(f"not a list of {{apiVersion, kind, resource, namespaceSelector}}: {error}") from error
    faults = [f"{one.api_version} {one.kind}: {fault}" for one in found if (fault := never(one.as_kind.group))]
    names = [(one.api_version, one.kind) for one in found]
    faults += [
        f"{version} {kind} is given twice" for version, kind in {each for each in names if names.count(each) > 1}
    ]
    if faults:
        raise InvalidKinds("; ".join(faults))
    return found


def never(group: str) -> str:
    """Why no kind of this group may be allowed; "" if kinds of it may."""
    return _NEVER.get(group, "")


def names_of(allowed: Iterable[AllowedKind | Kind]) -> str:
    """The kinds, for people."""
    return ", ".join(sorted(_names(allowed))) or "none (the operator sets resourceSteps.kinds of the chart)"


def _names(allowed: Iterable[AllowedKind | Kind]) -> Iterator[str]:
    return (f"{one.api_version} {one.kind}" for one in allowed)
