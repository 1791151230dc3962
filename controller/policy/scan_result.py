"""What a scan has found: counts, and the first violations of each policy and namespace, sorted by name."""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

from shared.policy import PolicyContext, PolicyFinding

LISTED: Final = 20  # in a policy's status
REPORTED: Final = 500  # in a namespace's report


class StoredViolation(msgspec.Struct, frozen=True, order=True):
    """One violation of a policy by a stored object. The field order is the sort order. `exception`: the one that allows it."""

    namespace: str
    kind: str
    name: str
    policy: str
    rule: str
    path: str
    message: str
    mode: str
    api_version: str
    uid: str
    exception: str = ""


class FirstViolations:
    """The count of all violations added, and the `most` smallest of them. `excepted`: violations that exceptions allow; they
    are not among the others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.items: list[StoredViolation] = []
        self.count = 0
        self.excepted = 0

    def add(self, violation: StoredViolation) -> None:
        self.count += 1
        if len(self.items) < self._most or violation < self.items[-1]:
            insort(self.items, violation)
            del self.items[self._most :]


class ScanResult:
    """`by_policy`, `by_namespace`: violations; `results`: violations of a namespace by mode; `passed`: how often an object of
    the namespace complied with a policy. `excepted`: violations of a namespace that exceptions allow; they are not among the
    others."""

    def __init__(self) -> None:
        self.by_policy: dict[str, FirstViolations] = defaultdict(lambda: FirstViolations(LISTED))
        self.by_namespace: dict[str, FirstViolations] = defaultdict(lambda: FirstViolations(REPORTED))
        self.results: dict[str, Counter[str]] = defaultdict(Counter)
        self.passed: Counter[str] = Counter()
        self.excepted: dict[str, FirstViolations] = defaultdict(lambda: FirstViolations(REPORTED))

    def violations_of(self, policy: str) -> FirstViolations:
        return self.by_policy.get(policy) or FirstViolations(LISTED)

    def add(self, given: PolicyContext, findings: Iterable[PolicyFinding]) -> None:
        """Add the findings of one policy that applies to the object; without findings the object complies."""
        complied = True
        for finding in findings:
            complied = False
            violation = _violation(given, finding)
            if finding.excepted_by:
                self.excepted[given.namespace].add(violation)
                self.by_policy[finding.policy].excepted += 1
                continue
            self.by_policy[finding.policy].add(violation)
            self.by_namespace[given.namespace].add(violation)
            self.results[given.namespace][finding.mode] += 1
        self.passed[given.namespace] += complied


def _violation(given: PolicyContext, finding: PolicyFinding) -> StoredViolation:
    metadata = given.metadata
    return StoredViolation(
        namespace=given.namespace,
        kind=given.stored_kind.kind,
        name=str(metadata.get("name", "")),
        policy=finding.policy,
        rule=finding.rule,
        path=finding.path,
        message=str(finding).partition(": ")[2],
        mode=finding.mode.value,
        api_version=given.stored_kind.api_version,
        uid=str(metadata.get("uid", "")),
        exception=finding.excepted_by,
    )
