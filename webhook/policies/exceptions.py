"""JobFlowPolicyExceptions at admission: those of the namespace, and what users and the audit log are told of them."""

from collections.abc import Iterable, Iterator
from typing import Final

from shared.kinds import JOBFLOWPOLICYEXCEPTION
from shared.model.phases import PolicyMode
from shared.policy import PolicyFinding
from shared.policy.exceptions import Exceptions
from webhook.subject.lookups import Lookups

_WARNINGS: Final = 5  # maximum number of warnings about exceptions of one response; the others are counted


def exceptions_of(lookups: Lookups, now: float | None) -> Exceptions:
    """The exceptions that have effect at `now`, in epoch seconds. None: the time is unknown, so none has."""
    return Exceptions(lambda namespace: lookups.all(JOBFLOWPOLICYEXCEPTION, namespace), now)


def exception_warnings(found: Iterable[PolicyFinding]) -> Iterator[str]:
    """A line for each exception that is used, because its end will be a refusal. Policies that only audit stay silent."""
    used = [each.excepted_warning for each in found if each.excepted_by and each.mode is not PolicyMode.AUDIT]
    lines = list(dict.fromkeys(used))
    yield from lines[:_WARNINGS]
    if len(lines) > _WARNINGS:
        yield f"{len(lines) - _WARNINGS} more rules of policies are excepted"
