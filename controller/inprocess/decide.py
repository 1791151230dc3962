"""Decides `status.inProcess` of a JobFlowPolicy, which ValidatingAdmissionPolicies read, and that of its `rules`. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from controller.decision import Action, Create, Decision, Delete, Patch, Refusal
from controller.inprocess.generated import GENERATED, Made, RulesOption, generated
from shared.kinds import ADMISSION_POLICY, ADMISSION_POLICY_BINDING, Kind
from shared.model.policy import InProcessRules, LeftToWebhook
from shared.model.types import Body
from shared.naming import label_value
from shared.policy import CompiledPolicy
from shared.policy.in_process import EVERYTHING, DefaultedFields, in_process, status_of, without_own

FIELD: Final = "inProcess"
Stored = Mapping[tuple[Kind, str], Body]
"""ValidatingAdmissionPolicies and bindings by kind and name."""
Changes = Mapping[Kind, tuple[Action, ...]]

_INVALID: Final = InProcessRules(webhook_only=(LeftToWebhook(rule=EVERYTHING, why="the policy is not valid"),))
_MOST_TEXT: Final = 1000  # characters of what the API server says


class RefusedObjects(msgspec.Struct, frozen=True):
    """What the API server refused to store, and its answer. `lasting`: trying again cannot help."""

    made: Made
    refusal: Refusal
    lasting: bool = True


class Observed(msgspec.Struct, frozen=True):
    """`installed`: whether the API server has the policies of the chart; `defaulted`: what all policies set; `refused`:
    what was refused of this policy."""

    installed: bool
    defaulted: DefaultedFields = DefaultedFields()
    option: RulesOption = RulesOption()
    stored: Stored = {}
    refused: RefusedObjects | None = None


def decide(policy: Body, compiled: CompiledPolicy | None, observed: Observed) -> Decision:
    """The objects of its rules, then the status. `compiled`: None if the policy is not valid."""
    if "deletionTimestamp" in policy["metadata"]:
        return Decision()
    status = policy.get("status") or {}
    wanted = {key: value for key, value in status.items() if key != FIELD}
    changes: Changes = {}
    if observed.installed:
        own = bool(observed.option.prefix)
        rules = _INVALID if compiled is None else in_process(compiled, observed.defaulted, own=own)
        made = wanted_objects(policy, compiled, observed)
        if observed.refused is not None and observed.refused.made == made:
            rules = without_own(rules, _words(observed.refused.refusal))
        else:
            changes = _changes(made, observed.stored)
        wanted[FIELD] = status_of(rules, policy["metadata"].get("generation"))
    return Decision(
        first=changes.get(ADMISSION_POLICY, ()),  # the API server refuses a binding to none
        actions=changes.get(ADMISSION_POLICY_BINDING, ()),
        status=None if wanted == status else wanted,
    )


def wanted_objects(policy: Body, compiled: CompiledPolicy | None, observed: Observed) -> Made:
    """What must be stored for the rules of a policy."""
    if compiled is None or not observed.installed or "deletionTimestamp" in policy["metadata"]:
        return ()
    rules = in_process(compiled, observed.defaulted, own=bool(observed.option.prefix))
    return generated(compiled, policy["metadata"].get("generation"), rules.rules, observed.option)


def sweep(wanted: Iterable[Made], stored: Stored, option: RulesOption) -> tuple[Action, ...]:
    """Deletions of what was made of policies or rules that are gone."""
    kept = {(kind, body["metadata"]["name"]) for made in wanted for kind, body in made}
    return tuple(
        Delete(kind, "", name, body["metadata"]["uid"])
        for (kind, name), body in stored.items()
        if (kind, name) not in kept and is_ours(body, option.prefix) and "deletionTimestamp" not in body["metadata"]
    )


def is_ours(body: Body, prefix: str) -> bool:
    """Whether it has the label of what this installation has made."""
    return bool(prefix) and (body["metadata"].get("labels") or {}).get(GENERATED) == label_value(prefix)


def _changes(made: Made, stored: Stored) -> Changes:
    return {kind: tuple(_change(kind, body, stored)) for kind, body in made}


def _change(kind: Kind, body: Body, stored: Stored) -> Iterator[Action]:
    metadata = body["metadata"]
    found = stored.get((kind, metadata["name"]))
    if found is None:
        yield Create(kind, body)
    elif found.get("spec") != body["spec"] or not _has_labels(found, metadata["labels"]):
        labels = {**(found["metadata"].get("labels") or {}), **metadata["labels"]}
        change = {"/spec": body["spec"], "/metadata/labels": labels}
        operations: list[Body] = [{"op": "add", "path": path, "value": value} for path, value in change.items()]
        yield Patch(kind, "", metadata["name"], operations, uid=found["metadata"]["uid"])


def _has_labels(body: Body, labels: Mapping[str, str]) -> bool:
    return labels.items() <= (body["metadata"].get("labels") or {}).items()


def _words(refusal: Refusal) -> str:
    text = " ".join(refusal.message.split())
    return f"the API server refuses it: {text[:_MOST_TEXT]}"
