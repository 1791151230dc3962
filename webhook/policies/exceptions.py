"""JobFlowPolicyExceptions at admission: those of the namespace, and what users and the audit log are told of them."""

from collections.abc import Iterable, Iterator
from typing import Final

from shared.kinds import JOBFLOWPOLICYEXCEPTION
from shared.model.phases import PolicyMode
from shared.policy import Policies, PolicyFinding
from shared.policy.exceptions import Exceptions
from webhook.envelope.review import AdmissionVerdict
from webhook.subject.lookups import Lookups

_WARNINGS: Final = 5  # maximum number of warnings about exceptions of one response; the others are counted


def exceptions_of(lookups: Lookups, now: float | None) -> Exceptions:
    """The exceptions that have effect at `now`, in epoch seconds. None: the time is unknown, so none has."""
    return Exceptions(lambda namespace: lookups.all(JOBFLOWPOLICYEXCEPTION, namespace), now)


def may_be_excepted(verdict: AdmissionVerdict, policies: Policies, namespace: str) -> bool:
    """Whether an exception that the cache does not contain yet could change the verdict."""
    refusing = {each.policy for each in verdict.policies if each.counts and each.mode is PolicyMode.ENFORCE}
    return any(each.name in refusing and each.exception_namespaces.fits(namespace) for each in policies.compiled)


def exception_warnings(found: Iterable[PolicyFinding]) -> Iterator[str]:
    """A line for each exception that is used, because its end will be a refusal. Policies that only audit stay silent."""
    used = [each.excepted_warning for each in found if each.excepted_by and each.mode is not PolicyMode.AUDIT]
    lines = list(dict.fromkeys(used))
    yield from lines[:_WARNINGS]
    if len(lines) > _WARNINGS:
        yield f"{len(lines) - _WARNINGS} more rules of policies are excepted"
