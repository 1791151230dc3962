"""Rules of Queues."""

import pytest

from shared.model.types import Body
from tests.webhook.make import faults, known, queue

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
