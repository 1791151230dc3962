"""Rules of PodGroups, Commands and pods."""

import pytest

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, faults, known, queue
from webhook.rules.command import ACTIONS
from webhook.verdict.admit import validate
from webhook.verdict.kind_admission import AdmissionOptions

GROUPS: dict[str, tuple[Body, list[str]]] = {
    "44: a closed queue": (
        {"queue": "shut"},
        [
            (
                'spec.queue: Invalid value: "shut": can only submit PodGroup to queue with state `Open`, queue `shut` status '
                'is `Closed`. Open leaf queues: "default", "q1"'
            )
        ],
    ),
    "an unknown queue": (
        {"queue": "nope"},
        [('spec.queue: Not found: "nope": queue not found. Open leaf queues: "default", "q1"; or create Queue "nope"')],
    ),
    "two topology limits": (
        {
            "subGroupPolicy": [{"name": "s", "networkTopology": {"highestTierAllowed": 1, "highestTierName": "rack"}}],
        },
        [
            (
                'spec.subGroupPolicy[0].networkTopology.highestTierName: Invalid value: "rack": must not specify '
                "highestTierAllowed and highestTierName in networkTopology simultaneously"
            )
        ],
    ),
    "no queue": ({"minMember": 1}, []),
    "an open queue": ({"queue": "q1"}, []),
    "the default queue": ({"queue": "default"}, []),
}


@pytest.mark.parametrize("case", GROUPS)
def test_a_podgroup_with(case: str) -> None:
    spec, wanted = GROUPS[case]
    assert faults(body(kinds.PODGROUP, "g", spec), lookups=known(queue("shut", "Closed"))) == wanted


def test_a_closing_queue_accepts_only_podgroups_of_jobs() -> None:
    lookups = known(queue("closing", "Closing"))
    group = body(kinds.PODGROUP, "g", {"queue": "closing"})
    assert len(faults(group, lookups=lookups)) == 1
    owner = {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "name": "j", "uid": "u", "controller": True}
    group["metadata"]["ownerReferences"] = [owner]
    assert faults(group, lookups=lookups) == []


JDB_MIN, JDB_MAX = "volcano.sh/jdb-min-available", "volcano.sh/jdb-max-unavailable"


def pod(scheduler: str, **annotations: str) -> Body:
    made = body(kinds.POD, "p", {"schedulerName": scheduler})
    made["metadata"]["annotations"] = {
        f"volcano.sh/jdb-{key.replace('_', '-')}": each for key, each in annotations.items()
    }
    return made


@pytest.mark.parametrize("text", ["0", "-1", "0%", "100%", "abc", "", "1.5", "٣"])
def test_an_invalid_disruption_budget_is_refused(text: str) -> None:
    (found,) = faults(pod("volcano", min_available=text))
    assert found.startswith(f"metadata.annotations[{JDB_MIN}]: Invalid value:")


@pytest.mark.parametrize("text", ["3", "40%", "1%", "99%"])
def test_a_valid_disruption_budget_is_accepted(text: str) -> None:
    assert faults(pod("volcano", max_unavailable=text)) == []


def test_two_disruption_budgets_are_refused() -> None:
    (found,) = faults(pod("volcano", min_available="1", max_unavailable="1"))
    assert found == (
        f"metadata.annotations: Forbidden: not allow configure multiple annotations {JDB_MIN}, {JDB_MAX} at same time"
    )


def test_pods_of_other_schedulers_are_not_validated() -> None:
    assert faults(pod("default-scheduler", min_available="abc")) == []


def test_the_operator_chooses_the_scheduler_names() -> None:
    from tests.webhook.make import review

    found = validate(review(pod("mine", min_available="abc")), known(), AdmissionOptions(("mine", "volcano")))
    assert len(found.violations) == 1


def command(action: str = "AbortJob", **target: str) -> Body:
    whole = {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "name": "j", "uid": "u", **target}
    return body(kinds.COMMAND, "c", action=action, target=whole)


def test_every_action_of_every_kind_is_accepted() -> None:
    for kind, actions in ACTIONS.items():
        for action in actions:
            assert faults(command(action, apiVersion=kind.api_version, kind=kind.kind)) == []


COMMANDS: dict[str, tuple[Body, list[str]]] = {
    "an action of another kind": (
        command("OpenQueue"),
        [
            (
                'action: Unsupported value: "OpenQueue": not an action of a Job; supported values: "AbortJob", "RestartJob", '
                '"TerminateJob", "CompleteJob", "ResumeJob"'
            )
        ],
    ),
    "no uid": (
        command(uid=""),
        ["target.uid: Required value: required to identify the target object"],
    ),
    "a kind that takes none": (
        command(apiVersion="batch/v1"),
        [
            (
                'target.kind: Unsupported value: "Job": batch/v1 does not accept Commands; supported values: "Job of '
                'batch.volcano.sh/v1alpha1", "Queue of scheduling.volcano.sh/v1beta1", "JobFlow of flow.volcano.sh/v1alpha1"'
            )
        ],
    ),
    "no target": (
        {key: value for key, value in command().items() if key != "target"},
        ["target: Required value: set the object that the Command acts on"],
    ),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_with(case: str) -> None:
    manifest, wanted = COMMANDS[case]
    assert faults(manifest) == wanted
