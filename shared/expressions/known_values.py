"""The values that a field can have, and what a user meant who compares it to another one."""

import difflib
from collections.abc import Collection
from typing import Final

import msgspec

from shared.model.phases import FlowOutcome, StepPhase

# What others call it, in lower case.
_COMPLETED: Final = ("succeeded", "success", "succeed", "successful", "complete", "completed", "done", "finished", "ok")
_FAILED: Final = ("error", "errored", "failure", "fail", "failed", "aborted")
_SKIPPED: Final = ("omitted", "skip", "skipped", "none")
_TERMINATED: Final = ("cancelled", "canceled", "stopped", "killed", "timeout", "terminated")
_MEANT: Final = (
    (_COMPLETED, (StepPhase.COMPLETED.value, FlowOutcome.SUCCEED.value)),
    (_FAILED, (StepPhase.FAILED.value,)),
    (_SKIPPED, (StepPhase.SKIPPED.value,)),
    (_TERMINATED, (StepPhase.TERMINATED.value,)),
)


class KnownValues(msgspec.Struct, frozen=True):
    """All values that a field can have. `what`: the field, for messages; `values`: without "", which is always possible."""

    what: str
    values: tuple[str, ...]

    def fault(self, literal: object) -> tuple[str, str] | None:
        """What is wrong with comparing the field to `literal`, and a hint; None if it can have that value."""
        if not isinstance(literal, str) or not literal or literal in self.values:
            return None
        return f'{self.what} is never "{literal}"', _hint(literal, self.values)


def _hint(literal: str, values: Collection[str]) -> str:
    word = literal.lower()
    meant = next((found for words, ours in _MEANT if word in words for found in ours if found in values), "")
    by_case = {value.lower(): value for value in values}
    similar = [by_case[found] for found in difflib.get_close_matches(word, by_case, n=1, cutoff=0.6)]
    if found := meant or next(iter(similar), ""):
        return f'did you mean "{found}"?'
    return f"it is one of {', '.join(values)}"
