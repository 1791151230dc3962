"""A limit on the number of active objects, and the groups in which they are counted."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from shared.kinds import JOB, JOBFLOW, Kind
from shared.model.policy import CountPer, Limits

_EVERYWHERE: Final = CountPer()
_COUNTED: Final[Mapping[str, Kind]] = {
    "limits.maxActiveFlows": JOBFLOW,
    "limits.maxRunningFlows": JOBFLOW,  # the former name, which means the same
    "limits.maxActiveJobs": JOB,
}
QUOTA_RULES: Final = tuple(_COUNTED)
"""The names of the rules that are quotas."""


class Quota(msgspec.Struct, frozen=True):
    """`policy`: the name of its policy; `rule`: such as `limits.maxActiveFlows`; `most`: objects that may be active at
    once; `held`: objects beyond these that are admitted and wait."""

    policy: str
    rule: str
    kind: Kind
    most: int
    held: int = 0
    per: CountPer = _EVERYWHERE

    @property
    def spans_namespaces(self) -> bool:
        """Whether a group may contain objects of several namespaces."""
        return bool(self.per.namespace_label or self.per.object_label)

    def group(self, namespace: str, labels: Mapping[str, str], namespace_labels: Mapping[str, str]) -> str:
        """The group of an object, in words for messages. Objects without the label are one group."""
        if key := self.per.object_label:
            value = labels.get(key)
            return f"the label {key}={value}" if value else f"no label {key}"
        if key := self.per.namespace_label:
            value = namespace_labels.get(key)
            return f"namespaces with {key}={value}" if value else f"namespaces without the label {key}"
        return f'namespace "{namespace}"'


def quotas_of(policy: str, limits: Limits | None) -> Iterator[Quota]:
    """The quotas of a policy."""
    if limits is None:
        return
    given = (limits.max_active_flows, limits.max_running_flows, limits.max_active_jobs)
    held = {JOBFLOW: limits.max_held_flows, JOB: limits.max_held_jobs}
    for (rule, kind), most in zip(_COUNTED.items(), given, strict=True):
        if most is not None:
            yield Quota(policy, rule, kind, most, held[kind], limits.count_per or _EVERYWHERE)
