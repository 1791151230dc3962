"""Which `rules` of a JobFlowPolicy the API server can judge, and what an update must change to be judged by one.

The API server must refuse nothing that the webhook accepts, also while no webhook answers that would set absent fields.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final

from shared.policy.admission import changed
from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.compiled.rules import CompiledRule
from shared.policy.compiled.variables import fields_of
from shared.policy.embedded import JUDGED

OWN_PARTLY: Final = "the webhook also judges templates in other objects, and refuses what it cannot evaluate"
MADE: Final = re.compile(rf"applies|before|labels(New|Old)|(holds|says)\d+|{'|'.join(sorted(changed.NAMES))}")
"""Names of variables of the ValidatingAdmissionPolicy that are not the JobFlowPolicy's."""

SET_BY_WEBHOOK: Final = frozenset(
    {
        *("queue", "schedulerName", "maxRetry", "minAvailable", "plugins", "dnsPolicy", "restartPolicy"),
        *("jobRetainPolicy", "failureStrategy"),
    }
)
"""Fields of specs that webhook.defaults sets where they are absent, without any policy; so it does with names of tasks."""

_WORD: Final = re.compile(r"\w+")
_TASKS: Final = ("spec", "tasks")
_WHOLE: Final = frozenset(
    {("object",), ("object", "spec"), ("object", "metadata"), ("object", "metadata", "annotations")}
)
_SPEC: Final = ("spec",)
_BY_USERS: Final = (_SPEC, ("metadata", "labels"), ("metadata", "annotations"))
_USERS_METADATA: Final = frozenset({"labels", "annotations"})


def why_left(rule: CompiledRule, policy: CompiledPolicy, defaulted: Collection[str]) -> str:
    """Why the webhook alone judges a rule; "" if the API server does too. `defaulted`: fields that policies set."""
    selected = policy.spec.match.kinds if policy.spec.match else ()
    if selected and not {kind.kind for kind in JUDGED}.intersection(selected):
        return "is about templates in other objects"
    if taken := [variable.name for variable in policy.variables if MADE.fullmatch(variable.name)]:
        return f"spec.variables: the name {taken[0]} is used by the ValidatingAdmissionPolicy"
    fields = fields_of(rule.program, policy.variables)
    if ours := sorted(key for key in changed.OUR_ANNOTATIONS if ("object", "metadata", "annotations", key) in fields):
        return f"reads the annotation {ours[0]}, which the webhook sets"
    if fields & _WHOLE:
        return "reads the whole object, spec, metadata or annotations, in which the webhook sets what is absent"
    words = _words(rule, policy)
    set_ = sorted(words.intersection({*SET_BY_WEBHOOK, *defaulted}))
    if "name" in words and _TASKS in rule.paths:
        set_.append("name of tasks")
    return f"reads {', '.join(set_)}: the webhook sets it where it is absent" if set_ else ""


def changed_paths(rule: CompiledRule) -> tuple[tuple[str, ...], ...]:
    """The paths of which an update must change one, so that the webhook judges the rule again."""
    if rule.reads_request:
        return _BY_USERS
    found: set[tuple[str, ...]] = set()
    for path in rule.paths or (_SPEC,):
        found.update(_user_paths(path))
    return tuple(sorted(found))


def _user_paths(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not path:
        yield from _BY_USERS
    elif path == ("metadata",):
        yield from _BY_USERS[1:]
    elif path[0] == "spec" or (path[0] == "metadata" and path[1] in _USERS_METADATA):
        yield path


def _words(rule: CompiledRule, policy: CompiledPolicy) -> set[str]:
    """The words of the expression and of the variables that it reads; a variable reads only earlier ones."""
    words = set(_WORD.findall(rule.program.text))
    for variable in reversed(policy.variables):
        if variable.name in words:
            words.update(_WORD.findall(variable.program.text))
    return words
