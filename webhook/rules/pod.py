"""Disruption budget annotations of pods (docs/design/volcano-behaviour.md, section 2.7). The chart enables this webhook
only on request, because it receives every pod creation."""

import re
from collections.abc import Iterator
from typing import Final

from shared.names import JDB_MAX_UNAVAILABLE, JDB_MIN_AVAILABLE
from shared.violation import Reason, Violation
from webhook.subject.subjects import PodSubject

_KEYS: Final = (JDB_MIN_AVAILABLE, JDB_MAX_UNAVAILABLE)
_PERCENT: Final = re.compile(r"[1-9][0-9]?%", re.ASCII)
_INTEGER: Final = re.compile(r"0*[1-9][0-9]*", re.ASCII)


def budgets_are_positive(pod: PodSubject) -> Iterator[Violation]:
    for key in _KEYS if pod.ours else ():
        value = pod.annotations.get(key)
        if value is not None and not (_PERCENT.fullmatch(value) or _INTEGER.fullmatch(value)):
            message = "must be a positive integer or a percentage between 1% ~ 99%"
            yield Violation(f"metadata.annotations[{key}]", message, value)


def budgets_are_one(pod: PodSubject) -> Iterator[Violation]:
    if pod.ours and all(key in pod.annotations for key in _KEYS):
        message = f"not allow configure multiple annotations {', '.join(_KEYS)} at same time"
        yield Violation("metadata.annotations", message, reason=Reason.FORBIDDEN)
