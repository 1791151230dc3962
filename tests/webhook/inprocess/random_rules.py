"""Random JobFlowPolicies with `rules` in CEL, about what objects have and what they lack."""

import random
from collections.abc import Callable
from typing import Any, Final

from shared import kinds
from shared.model.types import Body
from tests.webhook.inprocess.generate import random_scope
from tests.webhook.make import body

_Made = Callable[[random.Random], str]
_KEYS: Final = ("team", "env", "absent")
_FIELDS: Final = (
    "parallelism",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
    "minSuccess",
    "priorityClassName",
    "suspend",
)
_LISTS: Final = (
    "object.spec.flows",
    "object.spec.tasks",
    "object.spec.?flows.orValue([])",
    "object.spec.?tasks.orValue([])",
)
_STEPS: Final = "object.spec.?flows.orValue([])"
_TASKS: Final = "object.spec.?tasks.orValue([])"
_CONTAINERS: Final = f"{_TASKS}.map(t, t.template.spec.containers).flatten()"


def random_rules(rng: random.Random, name: str) -> Body:
    """A policy of one to three rules, some of which read variables, the stored object, the user or the namespace."""
    variables = [
        {"name": f"v{at}", "expression": rng.choice((_text, _number, _flag))(rng)} for at in range(rng.randint(0, 2))
    ]
    spec: Body = {"rules": [_rule(rng, f"r{at}", variables) for at in range(rng.randint(1, 3))]}
    if variables:
        spec["variables"] = variables
    return body(kinds.JOBFLOWPOLICY, name, {**spec, **random_scope(rng)})


def _rule(rng: random.Random, name: str, variables: list[dict[str, str]]) -> Body:
    made: Body = {"name": name, "expression": _condition(rng, variables)}
    if rng.random() < 0.4:
        made["message"] = rng.choice(["set one", 'it\'s "quoted" \\ here', "ünïcode", "two\nlines"])
    if rng.random() < 0.4:
        computed = ["'got ' + {}", "{} + '\\n' + 'next'", "'x' + object.spec.absent", "''"]
        made["messageExpression"] = rng.choice(computed).format(_text(rng))
    return made


def _condition(rng: random.Random, variables: list[dict[str, str]]) -> str:
    parts = [_flag(rng) for _ in range(rng.choice([1, 1, 2, 3]))]
    if variables and rng.random() < 0.6:
        read = rng.choice(variables)["name"]
        parts.append(
            f"(dyn(variables.{read}) == {rng.choice(_LITERALS)(rng)} || type(dyn(variables.{read})) == string)"
        )
    made = parts[0]
    for part in parts[1:]:
        made = f"{made} {rng.choice(['&&', '||'])} ({part})"
    return f"!({made})" if rng.random() < 0.2 else made


_LITERALS: Final[tuple[_Made, ...]] = (
    lambda rng: rng.choice(["'vision'", "''", "'CREATE'", "'x'"]),
    lambda rng: str(rng.randint(0, 4)),
    lambda rng: rng.choice(["true", "false"]),
)


def _text(rng: random.Random) -> str:
    key = rng.choice(_KEYS)
    return rng.choice(
        [
            "object.metadata.name",
            "object.kind",
            f"object.metadata.?labels['{key}'].orValue('none')",
            f"object.metadata.labels['{key}']",
            f"namespaceObject.metadata.labels['{rng.choice(['team', 'absent'])}']",
            "namespaceObject.metadata.name",
            "request.operation",
            "request.userInfo.username",
            "request.namespace",
            "request.kind.kind",
            "object.spec.?priorityClassName.orValue('none').lowerAscii()",
            f"string({_number(rng)})",
            f"(oldObject == null ? 'new' : oldObject.metadata.?labels['{key}'].orValue('was none'))",
        ]
    )


def _number(rng: random.Random) -> str:
    field = rng.choice(_FIELDS)
    return rng.choice(
        [
            f"size({rng.choice(_LISTS)})",
            f"object.spec.?{rng.choice(['parallelism', 'activeDeadlineSeconds'])}.orValue({rng.randint(0, 3)})",
            f"object.spec.{field}",
            f"{_TASKS}.map(t, has(t.replicas) ? t.replicas : 1).sum()",
            f"{_STEPS}.filter(s, has(s.dependsOn)).size()",
            f"size({_CONTAINERS})",
            "(oldObject == null ? 0 : oldObject.spec.?parallelism.orValue(1))",
        ]
    )


def _flag(rng: random.Random) -> str:
    field, key = rng.choice(_FIELDS), rng.choice(_KEYS)
    made: list[Any] = [
        f"{_number(rng)} {rng.choice(['<', '<=', '==', '!=', '>'])} {rng.randint(0, 4)}",
        f"{_text(rng)} {rng.choice(['==', '!='])} {_LITERALS[0](rng)}",
        f"has(object.spec.{field})",
        f"has(object.metadata.labels) && '{key}' in object.metadata.labels",
        f"{_text(rng)}.matches('^[a-z]{rng.choice(['+', '*', '{1,4}'])}$')",
        f"{_text(rng)}.startsWith('{rng.choice(['r', 'vi', ''])}')",
        f"{_STEPS}.all(s, {rng.choice(['has(s.retry)', '!has(s.patch)', 's.name != ' + chr(39) + 's1' + chr(39), 's.retry.limit < 2'])})",
        f"{_TASKS}.exists(t, t.replicas > {rng.randint(0, 2)})",
        f"{_CONTAINERS}.all(c, c.image.startsWith('registry.'))",
        f"{_CONTAINERS}.all(c, has(c.resources) && 'cpu' in c.resources.?limits.orValue({{}}))",
        f"{_CONTAINERS}.all(c, !has(c.resources) || quantity(c.resources.limits.memory).isLessThan(quantity('{rng.choice(['2Gi', '512Mi'])}')))",
        f"oldObject == null || oldObject.spec.?{field} == object.spec.?{field}",
        "oldObject == null || object.metadata.?labels == oldObject.metadata.?labels",
        f"request.userInfo.groups.exists(g, g == '{rng.choice(['system:masters', 'research'])}')",
        "'team' in namespaceObject.metadata.labels",
        f"object.spec.?{field}.hasValue()",
        f"type(object.spec.?{field}.orValue(null)) == null_type",
    ]
    return str(rng.choice(made))
