"""The output of `policy explain` and `policy scan`. Pure."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from shared.model.types import Body
from shared.policy import PolicyFinding
from shared.policy.explain import PolicyExplanation

Found = Sequence[tuple[Body, PolicyFinding]]
_SHOWN = 20


def explained(body: Body, said: Sequence[PolicyExplanation], in_process: Mapping[str, Sequence[str]]) -> str:
    """The object, then each policy with its checks and defaults. `in_process`: rules that the API server enforces, by
    policy.
    """
    metadata = body["metadata"]
    lines = [f"{body['kind']}/{metadata.get('name') or metadata.get('generateName')}"]
    lines += [line for each in said for line in _policy(each, in_process.get(each.policy, ()))]
    if not said:
        lines.append("  there are no policies")
    return "\n".join(lines)


def _policy(each: PolicyExplanation, in_process: Sequence[str]) -> Iterator[str]:
    if each.not_applied:
        yield f"  {each.policy} ({each.mode}) does not apply: {each.not_applied}"
        return
    yield f"  {each.policy} ({each.mode}) applies"
    for finding in each.failed:
        note = f" ({finding.note})" if finding.note else ""
        yield f"    FAILED   {finding.rule}: {finding.path}: {finding.message}{note}"
    for finding in each.excepted:
        until = f'excepted by "{finding.excepted_by}" until {finding.excepted_until}'
        yield f"    EXCEPTED {finding.rule}: {finding.path}: {finding.message} ({until})"
    for name in each.passed:
        yield f"    ok       {name}"
    for path, value in each.defaults:
        yield f"    default  {path}: {msgspec.json.encode(value).decode()}"
    if in_process:
        yield f"    without webhook: {', '.join(in_process)}"


def scanned(found: Found, excepted: int, checked: int) -> str:
    """Violating objects by namespace and policy, the first of them, and the counts. `excepted`: further violations, that
    exceptions allow."""
    besides = f"; exceptions allow {excepted} violations" if excepted else ""
    if not found:
        return f"{checked} objects checked: none violates the policies{besides}"
    objects = {_name(body): body["metadata"]["namespace"] for body, _ in found}
    counts = Counter((body["metadata"]["namespace"], finding.policy) for body, finding in found)
    lines = [f"{'NAMESPACE':<24} {'POLICY':<32} VIOLATIONS"]
    lines += [f"{namespace:<24} {policy:<32} {count}" for (namespace, policy), count in sorted(counts.items())]
    lines.append("")
    lines += [f"{_name(body)}: {finding.path}: {finding.message} ({_why(finding)})" for body, finding in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"and {len(found) - _SHOWN} more; -o json shows all")
    lines.append(
        f"{checked} objects checked: {len(objects)} violate the policies, in {len(set(objects.values()))} namespaces"
        + besides
    )
    return "\n".join(lines)


def scan_as_json(found: Found, excepted: Found, checked: int) -> str:
    rows = [
        [{"object": _name(body)} | msgspec.to_builtins(finding) for body, finding in each] for each in (found, excepted)
    ]
    return json.dumps({"checked": checked, "violations": rows[0], "excepted": rows[1]}, indent=2)


def _why(finding: PolicyFinding) -> str:
    return f"{finding.rule}; {finding.note}" if finding.note else finding.rule


def _name(body: Body) -> str:
    return f"{body['kind']} {body['metadata']['namespace']}/{body['metadata']['name']}"
