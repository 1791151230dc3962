"""The input of rules that read nothing but an object and its spec."""

from dataclasses import dataclass

from shared.model.command import Command
from shared.model.podgroup import PodGroupSpec
from shared.model.queue import QueueSpec
from webhook.subject.subjects import Subject


@dataclass(frozen=True)
class QueueSubject(Subject[QueueSpec]):
    """A Queue."""


@dataclass(frozen=True)
class GroupSubject(Subject[PodGroupSpec]):
    """A PodGroup."""


@dataclass(frozen=True)
class CommandSubject(Subject[Command]):
    """A Command. Its fields are at top level: `spec` is the whole object without metadata."""
