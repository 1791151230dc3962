"""Rules of Queues, PodGroups, Commands and pods, and of updates of JobFlows."""

import copy
from typing import Any

import pytest

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, faults, flow, known, queue, step, verdict
from webhook.rules.command import ACTIONS
from webhook.verdict.admit import validate
from webhook.verdict.kind_admission import AdmissionOptions

HIERARCHY = "volcano.sh/hierarchy"
WEIGHTS = "volcano.sh/hierarchy-weights"


def annotated(name: str, path: str, weights: str) -> Body:
    made = queue(name)
    return {**made, "metadata": {**made["metadata"], "annotations": {HIERARCHY: path, WEIGHTS: weights}}}


CHAIN = [queue(f"l{level}", **({"parent": f"l{level - 1}"} if level > 1 else {})) for level in range(1, 6)]
QUEUES: dict[str, tuple[Body, list[Body], list[str]]] = {
    "40: deserved below guarantee": (
        queue(guarantee={"resource": {"cpu": 4}}, deserved={"cpu": 2}),
        [],
        ['spec.deserved[cpu]: Invalid value: "2": deserved should be greater equal than guarantee (4)'],
    ),
    "40: deserved above capability": (
        queue(deserved={"cpu": 8}, capability={"cpu": "4"}),
        [],
        ['spec.deserved[cpu]: Invalid value: "8": deserved should be less equal than capability (4)'],
    ),
    "40: guarantee without deserved": (
        queue(guarantee={"resource": {"cpu": 4}}),
        [],
        [
            (
                "spec.deserved[cpu]: Required value: a resource with a guarantee needs deserved as well: deserved should be "
                "greater equal than guarantee"
            )
        ],
    ),
    "amounts that are none": (
        queue(capability={"cpu": "four", "memory": "-1Gi"}),
        [],
        [
            (
                'spec.capability[cpu]: Invalid value: "four": quantities must match the regular expression '
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            ),
            'spec.capability[memory]: Invalid value: "-1Gi": must be greater than or equal to 0',
        ],
    ),
    "43: itself as parent": (
        queue("q", parent="q"),
        [],
        ['spec.parent: Invalid value: "q": queue q cannot use itself as parent: remove parent to use root'],
    ),
    "43: an unknown parent": (
        queue("q", parent="daddy"),
        [queue("dady")],
        [
            (
                'spec.parent: Not found: "daddy": parent queue not found; did you mean "dady"? Create Queue "daddy" first, '
                "or remove parent to use root"
            )
        ],
    ),
    "43: too deep": (
        queue("l6", parent="l5"),
        CHAIN,
        [
            (
                'spec.parent: Invalid value: "l5": queue l6 exceeds the maximum allowed depth of 5: choose a parent nearer '
                "to root"
            )
        ],
    ),
    "43: a parent that runs pods": (
        queue("q", parent="busy"),
        [queue("busy") | {"status": {"state": "Open", "allocated": {"pods": "3"}}}],
        [
            (
                'spec.parent: Invalid value: "busy": queue busy cannot be the parent queue of queue q because it has '
                "allocated Pods: 3; choose another parent, or wait until they have ended"
            )
        ],
    ),
    "more capability than an ancestor": (
        queue("q", parent="l2", capability={"cpu": 9}),
        [queue("l1", capability={"cpu": "8"}), CHAIN[1]],
        [
            'spec.capability[cpu]: Invalid value: "9": must be less than or equal to the capability of its ancestor l1 (8)'
        ],
    ),
    "siblings that together are more than their parent": (
        queue("b", parent="p", deserved={"cpu": 5}),
        [queue("p", deserved={"cpu": 8}), queue("a", parent="p", deserved={"cpu": 4})],
        ['spec.deserved[cpu]: Invalid value: "5": the total with its siblings (9) exceeds that of its parent p (8)'],
    ),
    "less than its children": (
        queue("p", capability={"cpu": 2}, deserved={"cpu": 1}),
        [queue("a", parent="p", capability={"cpu": 4}, deserved={"cpu": 2})],
        [
            (
                'spec.capability[cpu]: Invalid value: "2": must be greater than or equal to the capability of each child '
                "queue (4, queue a)"
            ),
            (
                'spec.deserved[cpu]: Invalid value: "1": must be greater than or equal to the total of its child queues (2)'
            ),
        ],
    ),
    "less than a grandchild, through a child that sets nothing": (
        queue("p", capability={"cpu": 2}),
        [
            queue("c", parent="p", capability={"memory": "1Gi"}),
            queue("g", parent="c", capability={"cpu": 4}),
        ],
        [
            (
                'spec.capability[cpu]: Invalid value: "2": must be greater than or equal to the capability of each child '
                "queue (4, queue g)"
            ),
        ],
    ),
    "a total of grandchildren, through a child that sets nothing": (
        queue("p", guarantee={"resource": {"cpu": 3}}, deserved={"cpu": 3}),
        [
            queue("c", parent="p"),
            *(queue(name, parent="c", guarantee={"resource": {"cpu": 2}}, deserved={"cpu": 2}) for name in "gh"),
        ],
        [
            (
                f'spec.{field}[cpu]: Invalid value: "3": must be greater than or equal to the total of its child queues (4)'
            )
            for field in ("guarantee.resource", "deserved")
        ],
    ),
    "a child more than a grandparent has left": (
        queue("h", parent="c", deserved={"cpu": 2}),
        [queue("p", deserved={"cpu": 3}), queue("c", parent="p"), queue("g", parent="c", deserved={"cpu": 2})],
        ['spec.deserved[cpu]: Invalid value: "2": the total with its siblings (4) exceeds that of its ancestor p (3)'],
    ),
    "a subtree that is too large for its new ancestor": (
        queue("c", parent="p"),
        [queue("p", capability={"cpu": 2}), queue("g", parent="c", capability={"cpu": 4})],
        [
            'spec.capability[cpu]: Invalid value: "4": must be less than or equal to the capability of its ancestor p (2)'
        ],
    ),
    "a hierarchy without enough weights": (
        annotated("q", "root/sci/dev", "1/2"),
        [],
        [
            f'metadata.annotations[{WEIGHTS}]: Invalid value: "1/2": must have as many parts as {HIERARCHY} (root/sci/dev)'
        ],
    ),
    "a weight of nothing": (
        annotated("q", "root/sci", "1/0"),
        [],
        [f"metadata.annotations[{WEIGHTS}]: Invalid value: \"1/0\": '0' is not a number greater than 0"],
    ),
    "an inner part of another hierarchy": (
        annotated("q", "root/sci", "1/2"),
        [annotated("other", "root/sci/dev", "1/2/3")],
        [
            (
                f'metadata.annotations[{HIERARCHY}]: Invalid value: "root/sci": is a parent in the hierarchy of queue other (root/sci/dev); it must end at a leaf'
            )
        ],
    ),
    "the fifth level": (queue("l5", parent="l4"), CHAIN[:4], []),
    "a child within its parent": (
        queue("b", parent="p", deserved={"cpu": 4}, guarantee={"resource": {"cpu": 1}}),
        [
            queue("p", deserved={"cpu": 8}, guarantee={"resource": {"cpu": 2}}),
            queue("a", parent="p", deserved={"cpu": 4}),
        ],
        [],
    ),
    "a good hierarchy": (annotated("q", "root/sci/dev", "1/2/3.5"), [annotated("o", "root/sci", "1/2")], []),
}


@pytest.mark.parametrize("case", QUEUES)
def test_a_queue_with(case: str) -> None:
    manifest, others, wanted = QUEUES[case]
    assert faults(manifest, lookups=known(*others)) == wanted


DELETED: dict[str, tuple[Body, list[Body], list[str]]] = {
    "41: default": (queue("default"), [], ["metadata.name: Forbidden: `default` queue can not be deleted"]),
    "41: root": (queue("root"), [queue("a")], ["metadata.name: Forbidden: `root` queue can not be deleted"]),
    "41: a parent": (
        queue("p"),
        [queue("a", parent="p")],
        ["metadata.name: Forbidden: queue p can not be deleted because it has 1 child queues: a; delete those first"],
    ),
    "41: an open empty leaf": (queue("a"), [], []),
}


@pytest.mark.parametrize("case", DELETED)
def test_deleting_the_queue(case: str) -> None:
    stored, others, wanted = DELETED[case]
    assert faults(None, stored, known(stored, *others), "DELETE") == wanted


def test_a_closing_queue_can_be_edited() -> None:
    assert faults(queue("q", "Closing", weight=2), queue("q", "Closing", weight=1)) == []


def test_an_unrelated_update_is_allowed_after_other_queues_exceeded_the_limits() -> None:
    old = queue("b", parent="p", deserved={"cpu": 5})
    others = known(queue("p", deserved={"cpu": 8}), queue("a", parent="p", deserved={"cpu": 4}), old)
    assert faults(queue("b", parent="p", deserved={"cpu": 5}, weight=7), old, others) == []


def test_a_parent_that_would_create_a_cycle_is_refused() -> None:
    old, child = queue("a"), queue("b", parent="a")
    assert faults(queue("a", parent="b"), old, known(old, child)) == [
        'spec.parent: Invalid value: "b": would create a cycle: a -> b -> a'
    ]


def test_a_queue_cannot_be_placed_below_stored_queues_that_form_a_cycle() -> None:
    stored = known(queue("a", parent="b"), queue("b", parent="a"))
    assert faults(queue("c", parent="a"), lookups=stored) == [
        'spec.parent: Invalid value: "a": its ancestors form a cycle: b -> a -> b; change the parent of one of them first'
    ]


def test_resources_of_root_cannot_be_changed() -> None:
    assert faults(queue("root", capability={"cpu": 1}), queue("root"), known(queue("root"))) == [
        "spec.capability: Forbidden: queue root represents the whole cluster: its resources cannot be changed"
    ]


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


# --- updates of JobFlows ----------------------------------------------------------------------------------------------


def stored(phase: str = "Running", **more: Any) -> Body:
    """a is done, b runs, c waits."""
    steps = [
        {"name": "a", "phase": "Completed", "attempts": 1},
        {"name": "b", "phase": "Running", "attempts": 1},
        {"name": "c", "phase": "Waiting"},
    ]
    made = flow(step("a"), step("b", "a"), step("c", "b"), params=[{"name": "p", "value": "1"}], **more)
    return made | {"status": {"state": {"phase": phase}, "steps": steps}}


def changed(old: Body, **fields: Any) -> Body:
    new = copy.deepcopy(old)
    new["spec"].update(fields)
    return new


OLD = stored()
LAST = {**stored(**{"finally": [step("z")]})}
LAST["status"]["steps"] = [*LAST["status"]["steps"], {"name": "z", "phase": "Running", "attempts": 1}]
ENDED = "only suspend, ttlSecondsAfterFinished, finallyDeadlineSeconds, jobRetainPolicy and metadata may change"
RETRIED = "; `jobflow retry f` with -p or --deadline changes params and the deadline"
FLOW_UPDATES: dict[str, tuple[Body, Body, list[str]]] = {
    "a step that runs": (
        OLD,
        changed(OLD, flows=[step("a"), step("b", "a", template="t"), step("c", "b")]),
        [
            'spec.flows[1]: Forbidden: step "b" has started (Running) and cannot be changed: put it back, or add a step of another name'
        ],
    ),
    "a step that has ended, by removing it": (
        OLD,
        changed(OLD, flows=[step("b"), step("c", "b")]),
        [
            'spec.flows: Forbidden: step "a" has started (Completed) and cannot be removed: put it back',
            'spec.flows[0]: Forbidden: step "b" has started (Running) and cannot be changed: put it back, or add a step of another name',
        ],
    ),
    "params after the first start": (
        OLD,
        changed(OLD, params=[{"name": "p", "value": "2"}]),
        [
            (
                'spec.params: Forbidden: may not change after a step has started ("a" has): `jobflow retry f -p NAME=VALUE` changes'
                " them for the steps that have not completed"
            )
        ],
    ),
    "steps that wait, and new ones": (
        OLD,
        changed(OLD, flows=[step("a"), step("b", "a"), step("c", "a"), step("d", "c")]),
        [],
    ),
    "the order of steps": (OLD, changed(OLD, flows=[step("c", "b"), step("b", "a"), step("a")]), []),
    "flow-level fields": (
        OLD,
        changed(OLD, parallelism=3, suspend=True, failureStrategy="Continue", activeDeadlineSeconds=60),
        [],
    ),
    "params of a flow that has not begun": (
        flow(params=[{"name": "p", "value": "1"}]),
        flow(params=[{"name": "p", "value": "2"}]),
        [],
    ),
    "anything once it has ended": (
        stored("Succeed"),
        changed(stored("Succeed"), parallelism=1, flows=[step("a")], params=[]),
        [
            f"spec.{field}: Forbidden: the flow has ended (Succeed): {ENDED}{RETRIED if field == 'params' else ''}"
            for field in ("flows", "params", "parallelism")
        ],
    ),
    "what stays free at the end": (
        stored("Failed"),
        changed(stored("Failed"), suspend=True, ttlSecondsAfterFinished=1, jobRetainPolicy="delete"),
        [],
    ),
    "anything once finally has begun": (
        LAST,
        changed(LAST, retry={"limit": 1}),
        [f'spec.retry: Forbidden: `finally` has started (step "z"): {ENDED}'],
    ),
    "a step that only Volcano has run": (
        flow(step("a"), step("b", "a")) | {"status": {"jobStatusList": [{"name": "f-a", "state": "Running"}]}},
        flow(step("a", template="t"), step("b", "a")),
        [
            'spec.flows[0]: Forbidden: step "a" has started (Job f-a Running) and cannot be changed: put it back, or add a step of another name'
        ],
    ),
    "a step into a cycle": (
        OLD,
        changed(OLD, flows=[step("a"), step("b", "a"), step("c", "d"), step("d", "c")]),
        ["spec.flows: Invalid value: cycle c -> d -> c: each step depends on the one before it"],
    ),
}


@pytest.mark.parametrize("case", FLOW_UPDATES)
def test_changing(case: str) -> None:
    old, new, wanted = FLOW_UPDATES[case]
    assert faults(new, old) == wanted


@pytest.mark.parametrize(
    ("state", "warned"),
    [
        ({"state": {"phase": "Running"}, "progress": "2/5"}, True),
        ({"state": {"phase": "Suspended"}, "progress": "0/5"}, True),
        ({"state": {"phase": "Succeed"}, "progress": "5/5"}, False),
        ({"state": {"phase": "Failed"}}, False),
        ({"state": {"phase": "Terminating"}}, False),
        ({}, False),
    ],
)
def test_deleting_an_unfinished_flow_is_allowed_with_a_warning(state: Body, warned: bool) -> None:
    found = verdict(None, flow() | {"status": state}, known(), "DELETE")
    assert found.allowed
    phase = state.get("state", {}).get("phase")
    said = f"JobFlow f has not ended ({phase}, {state.get('progress')} steps): its Jobs will be deleted"
    assert found.warnings == ((said,) if warned else ())
