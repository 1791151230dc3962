"""Immutable Job fields that were set by a policy's defaults. An annotation on the Job lists them.

An update that leaves such a field out, as the applied manifest does, gets the stored value, even if the policy changed.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from shared.names import DEFAULT_QUEUE, DEFAULTED
from shared.policy import PolicyContext
from webhook.envelope.patch import Path, Setting, value_at
from webhook.subject.subjects import body_or_empty

_FIELDS: Final = ("queue", "schedulerName", "ttlSecondsAfterFinished", "maxRetry")
_OF_PODS: Final = ("nodeSelector", "tolerations")
_MARK: Final[Path] = ("metadata", "annotations", DEFAULTED)
_PART: Final = re.compile(r"(\w+)(?:\[([^]]*)\])?")


def mark(paths: Iterable[Path]) -> Iterator[Setting]:
    """The annotation that lists the fields set by policies, e.g. `queue,nodeSelector[pool]`."""
    names = dict.fromkeys(name for path in paths for name in _name(path))
    if names:
        yield Setting(_MARK, ",".join(names))


def kept(given: PolicyContext) -> Iterator[Setting]:
    """The fields set by policies that the update leaves out, with their stored values."""
    text = body_or_empty(body_or_empty((given.old or {}).get("metadata")).get("annotations")).get(DEFAULTED)
    if not isinstance(text, str):
        return
    for path in (_MARK, *(path for part in text.split(",") for path in _paths(part, given))):
        if _absent(given, path):
            yield Setting(path, value_at(given.old, path))


def _name(path: Path) -> Iterator[str]:
    if path[-2] == "nodeSelector":
        yield f"nodeSelector[{path[-1]}]"
    elif path[-1] in _OF_PODS or (len(path) == 2 and path[-1] in _FIELDS):
        yield str(path[-1])


def _paths(part: str, given: PolicyContext) -> Iterator[Path]:
    found = _PART.fullmatch(part)
    if found is None:
        return
    name, key = found[1], found[2]
    if name in _FIELDS:
        yield "spec", name
    elif name in _OF_PODS:
        for index, pod in enumerate(given.jobs[0].pods):
            if pod.holds:
                yield ("spec", "tasks", index, "template", "spec", name, *([key] if key else []))


def _absent(given: PolicyContext, path: Path) -> bool:
    value = value_at(given.body, path)
    return value in (None, "", []) or (path[-1] == "queue" and given.crd_defaults and value == DEFAULT_QUEUE)
