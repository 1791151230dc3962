"""What a scan has found so far: counts, and of the violations the first few in the order of their names."""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from shared.policy import Finding, Given

Body = dict[str, Any]
LISTED: Final = 20  # in a policy's status
REPORTED: Final = 500  # in a namespace's report


class Seen(msgspec.Struct, frozen=True, order=True):
    """One violation of a stored object, sortable."""

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


class First:
    """The `most` smallest of what was added, and how many there were."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.items: list[Seen] = []
        self.count = 0

    def add(self, seen: Seen) -> None:
        self.count += 1
        if len(self.items) < self._most or seen < self.items[-1]:
            insort(self.items, seen)
            del self.items[self._most :]


class Census:
    """`by_policy`, `by_namespace`: violations; `passed`: how often an object of the namespace complied with a policy."""

    def __init__(self) -> None:
        self.by_policy: dict[str, First] = defaultdict(lambda: First(LISTED))
        self.by_namespace: dict[str, First] = defaultdict(lambda: First(REPORTED))
        self.results: dict[str, Counter[str]] = defaultdict(Counter)
        self.passed: Counter[str] = Counter()

    def add(self, given: Given, findings: Iterable[Finding]) -> None:
        """The findings of one policy that is about the object; none when it complies."""
        complied = True
        for finding in findings:
            complied = False
            seen = _seen(given, finding)
            self.by_policy[finding.policy].add(seen)
            self.by_namespace[given.namespace].add(seen)
            self.results[given.namespace][finding.mode] += 1
        self.passed[given.namespace] += complied


def _seen(given: Given, finding: Finding) -> Seen:
    metadata = given.metadata
    return Seen(
        namespace=given.namespace,
        kind=given.kind.kind,
        name=str(metadata.get("name", "")),
        policy=finding.policy,
        rule=finding.rule,
        path=finding.path,
        message=str(finding).partition(": ")[2],
        mode=finding.mode.value,
        api_version=given.kind.api_version,
        uid=str(metadata.get("uid", "")),
    )
