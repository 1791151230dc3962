"""Command (bus.volcano.sh/v1alpha1): an action on a Job, Queue or JobFlow. Its fields are at the top level."""

from shared.model.meta import ObjectMeta, OwnerReference
from shared.model.types import Model


class Command(Model, frozen=True, kw_only=True):
    """An action on one object; the Command is deleted once it has taken effect."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    action: str = ""
    target: OwnerReference | None = None
    reason: str = ""
    message: str = ""
