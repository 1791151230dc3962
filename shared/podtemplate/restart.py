"""When containers restart: `restartPolicy`, `restartPolicyRules` and `resizePolicy`."""

from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.violation import Reason, Violation

_POLICIES: Final = ("Always", "Never", "OnFailure")
_MOST_RULES: Final = 20
_MOST_CODES: Final = 255


def restart_policy(container: Field) -> Iterator[Violation]:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules")
    if not policy.present and rules.holds:
        yield policy.required("must specify restartPolicy when restart rules are used")
    yield from policy.one_of_given(*_POLICIES)
    count = len(list(rules.items))
    if count > _MOST_RULES:
        yield Violation(rules.path, f"{count}: must have at most {_MOST_RULES} items", reason=Reason.TOO_MANY)
    for rule in rules.items:
        yield from rule.get("action").one_of_always("Restart", "RestartAllContainers")
        codes = rule.get("exitCodes")
        if not codes.present:
            yield codes.required("must be specified")
            continue
        yield from codes.get("operator").one_of_always("In", "NotIn")
        values = len(list(codes.get("values").items))
        if values > _MOST_CODES:
            yield Violation(
                codes.get("values").path, f"{values}: must have at most {_MOST_CODES} items", reason=Reason.TOO_MANY
            )


def resize_policy(container: Field, pod_restart_policy: str, *, sidecar_or_regular: bool) -> Iterator[Violation]:
    """`pod_restart_policy`: of the pod; '' is Always. `sidecar_or_regular`: false for init containers that end."""
    seen: set[str] = set()
    for entry in container.get("resizePolicy").items:
        name, policy = entry.get("resourceName"), entry.get("restartPolicy")
        if name.text in seen:
            yield entry.duplicate(name.text)
        seen.add(name.text)
        for field, allowed in ((name, ("cpu", "memory")), (policy, ("NotRequired", "RestartContainer"))):
            if not field.text:
                yield field.required()
            yield from field.one_of(*allowed)
        if pod_restart_policy == "Never" and policy.text != "NotRequired":
            yield policy.invalid("must be 'NotRequired' when pod `restartPolicy` is 'Never'")
        if not sidecar_or_regular and policy.text == "RestartContainer":
            yield policy.invalid("must not be set to 'RestartContainer' for non-sidecar initContainers")
