"""Verdicts: what is never refused, the combined faults of several rules, and schema faults."""

import inspect
import types
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import kinds
from shared.crd.definitions import DEFINITIONS
from shared.model.types import Body
from tests.webhook.make import body, faults, flow, job, known, queue, review, step, task, verdict
from webhook import rules
from webhook.envelope.review import AdmissionReview, GroupKind, Operation, answer
from webhook.server.routes import ROUTES
from webhook.subject.lookups import InMemoryLookups, MissingObject, OfflineLookups
from webhook.verdict.admissions import ADMISSIONS
from webhook.verdict.admit import TooSlow, mutate, validate
from webhook.verdict.missing import missing_objects

CYCLE = flow(step("a", "b"), step("b", "a"))


def deleting(manifest: Body) -> Body:
    metadata = {**manifest["metadata"], "deletionTimestamp": "2026-01-02T03:04:05Z"}
    return {**manifest, "metadata": metadata}


def test_an_update_that_does_not_change_the_spec_is_allowed() -> None:
    labelled = {**CYCLE, "metadata": {**CYCLE["metadata"], "labels": {"a": "b"}}}
    assert faults(labelled, CYCLE) == []
    assert mutate(review(labelled, CYCLE), known()).patch == ()


@pytest.mark.parametrize(
    "manifest", [CYCLE, job(queue="nope"), queue("q", parent="nope")], ids=lambda each: each["kind"]
)
def test_an_object_being_deleted_is_always_allowed(manifest: Body) -> None:
    old = {**manifest, "spec": {}}
    assert faults(deleting(manifest), deleting(old)) == []


def test_an_update_with_a_violation_is_refused() -> None:
    assert len(faults(CYCLE, flow(step("a"), step("b")))) == 1


@pytest.mark.parametrize("kind", [kinds.JOBFLOW, kinds.JOB, kinds.JOBTEMPLATE], ids=lambda kind: kind.kind)
def test_deletion_is_allowed(kind: kinds.Kind) -> None:
    assert faults(None, body(kind, "x", {"nonsense": 1}), operation="DELETE") == []


def test_subresources_and_foreign_kinds_are_allowed() -> None:
    of = review(CYCLE)
    status = AdmissionReview(uid="u", operation=of.operation, kind=of.kind, sub_resource="status", object=of.object)
    foreign = AdmissionReview(
        uid="u", operation=of.operation, kind=GroupKind("apps", "v1", "Deployment"), object=of.object
    )
    assert validate(status, known()).allowed
    assert validate(foreign, known()).allowed
    assert mutate(foreign, known()).patch == ()


def test_exceeding_the_time_limit_raises() -> None:
    with pytest.raises(TooSlow):
        validate(review(flow()), known(), in_time=lambda: False)


def test_the_verdict_names_the_rules_that_found_violations() -> None:
    assert verdict(CYCLE).rules == ("no_cycle",)


def test_missing_objects_of_a_refusal_are_listed() -> None:
    of = review(job(queue="new"))
    assert missing_objects(of, known()) == (MissingObject(kinds.QUEUE, "", "new"),)
    found = InMemoryLookups([(kinds.QUEUE, queue("new", None))], below=known())
    assert validate(of, found).allowed
    assert missing_objects(of, found) == ()


def test_without_a_cluster_nothing_is_missing() -> None:
    assert faults(job(queue="somewhere"), lookups=OfflineLookups()) == []
    assert verdict(flow(), lookups=OfflineLookups()).warnings == ()


SCHEMA: dict[str, tuple[Body, list[str]]] = {
    "types, bounds and choices, all at once": (
        job(task(replicas="two", maxRetry=-1, topologyPolicy="best"), maxRetry=1.5),
        [
            'spec.tasks[0].replicas: Invalid value: "two": must be of type integer; write a number, without quotes',
            (
                'spec.tasks[0].topologyPolicy: Unsupported value: "best": supported values: "best-effort", "none", '
                '"restricted", "single-numa-node"'
            ),
            "spec.tasks[0].maxRetry: Invalid value: -1: should be greater than or equal to 0",
            "spec.maxRetry: Invalid value: 1.5: must be of type integer",
        ],
    ),
    "17: a pattern, 26: a path of nothing": (
        job(task("Worker_1", minAvailable="1"), volumes=[{"mountPath": ""}]),
        [
            'spec.volumes[0].mountPath: Invalid value: "": should be at least 1 chars long',
            "spec.volumes[0].mountPath: Invalid value: \"\": should match '^[^:]+$'",
            "spec.tasks[0].name: Invalid value: \"Worker_1\": should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'",
            'spec.tasks[0].minAvailable: Invalid value: "1": must be of type integer; write a number, without quotes',
            (
                "spec.volumes[0]: Required value: either volumeClaim (a new claim) or volumeClaimName (an existing one) "
                "must be specified"
            ),
        ],
    ),
    "a field that is required": (
        flow({"dependsOn": {"targets": ["a"]}}),
        ["spec.flows[0].name: Required value"],
    ),
    "what only the model refuses": (
        flow(step("a", **{"for": {"items": [1]}})),
        [
            "spec.flows[0].for.items[0]: Invalid value: must be a string or an object, not an integer; write the value in quotes"
        ],
    ),
}


@pytest.mark.parametrize("case", SCHEMA)
def test_schema_faults(case: str) -> None:
    manifest, wanted = SCHEMA[case]
    assert sorted(faults(manifest)) == sorted(wanted)
    assert verdict(manifest).rules[0] == "schema"


def nested(levels: int) -> Body:
    value: Body = {}
    for _ in range(levels):
        value = {"a": value}
    return value


DEEP: dict[str, Body] = {
    "in a number's place": job(task(minAvailable=nested(700))),
    "in a pod template": job(task(template={"spec": nested(700)})),
    "in a patch": flow(step("a", patch={"jobSpec": {"tasks": nested(700)}})),
    "in a loop's items": flow(step("a", **{"for": {"items": nested(700)}})),
    "as a whole spec": queue("q") | {"spec": nested(700)},
}


@pytest.mark.parametrize("case", DEEP)
def test_deep_nesting_gets_a_verdict(case: str) -> None:
    group, _, version = DEEP[case]["apiVersion"].rpartition("/")
    kind = GroupKind(group, version, DEEP[case]["kind"])
    of = AdmissionReview(uid="u", operation=Operation.CREATE, kind=kind, object=DEEP[case])
    assert answer(of, validate(of, known()))
    assert answer(of, mutate(of, known()))


def test_the_number_of_violations_is_bounded() -> None:
    assert len(verdict(flow(params=[{"name": "-"} for _ in range(10_000)])).violations) == 500


def test_a_huge_matrix_is_refused_quickly() -> None:
    matrix = {f"k{number}": ["a", "b"] for number in range(20_000)}
    (found,) = faults(flow(step("a", **{"for": {"matrix": matrix}})))[:1]
    assert found.startswith("spec.flows[0].for: Too many: 1073741824: at most 100")


# --- the tables are complete ------------------------------------------------------------------------------------------


def functions() -> Iterator[tuple[str, types.FunctionType]]:
    for module in iter_modules(rules.__path__, "webhook.rules."):
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            if not name.startswith("_") and function.__module__ == module.name:
                yield f"{module.name}.{name}", function


def test_every_public_rule_is_in_a_tuple() -> None:
    listed = {
        function for name, value in vars(rules).items() if name.endswith(("_RULES", "_WARNINGS")) for function in value
    }
    assert {name for name, function in functions() if function not in listed} == set()


def test_every_route_has_an_admission_and_every_admission_a_route() -> None:
    assert {(route.kind.group, route.kind.kind) for route in ROUTES} == set(ADMISSIONS)


def test_every_kind_but_pods_has_a_schema_to_be_judged_by() -> None:
    ours = {definition.kind for definition in DEFINITIONS}
    assert {admission.kind for admission in ADMISSIONS.values()} - ours == {kinds.POD}


# --- whatever an object is like, there is a verdict -------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
NAMES = st.sampled_from(["a", "b", "c", "A_", "", "x" * 70, "$(params.p)", "steps.a.phase == 'Failed'", "1s", "*"])
KEYS = st.sampled_from(
    [
        "name", "template", "dependsOn", "targets", "probe", "if", "switch", "value", "cases", "when", "run", "for",
        "items", "range", "end", "while", "patch", "jobSpec", "jsonPatch", "op", "path", "retry", "limit", "backoff",
        "outputs", "flows", "finally", "params", "tasks", "replicas", "policies", "event", "action", "plugins", "volumes",
        "mountPath", "spec", "containers", "minAvailable", "queue", "parent", "deserved", "capability", "cpu", "target",
    ]
)  # fmt: skip
SHAPED = st.recursive(
    NAMES | st.integers(-3, 3) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)


@given(
    spec=JSON | SHAPED,
    old=st.none() | SHAPED,
    metadata=st.sampled_from([{"name": "x"}, {}, {"name": 3}, {"name": "x", "annotations": [1]}, None]) | JSON,
    key=st.sampled_from(sorted(ADMISSIONS)),
    operation=st.sampled_from([Operation.CREATE, Operation.UPDATE, Operation.DELETE]),
)
@settings(max_examples=400, deadline=None)
def test_every_object_gets_a_verdict(
    spec: object, old: object, metadata: object, key: tuple[str, str], operation: Operation
) -> None:
    new: Body = {"metadata": metadata, "spec": spec, "target": spec}
    stored: Body = {"metadata": metadata, "spec": old, "status": old}
    of = AdmissionReview(
        uid="u",
        operation=operation,
        kind=GroupKind(key[0], "v", key[1]),
        object=None if operation is Operation.DELETE else new,
        old_object=None if operation is Operation.CREATE else stored,
    )
    assert answer(of, validate(of, known()))
    patched = mutate(of, known())
    assert patched.allowed
    assert answer(of, patched)


STEPS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "b", "c", "d"])},
        optional={
            "dependsOn": st.fixed_dictionaries(
                {"targets": st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=3)}
            ),
            "for": st.dictionaries(
                st.sampled_from(["items", "range", "while", "matrix", "maxIterations"]),
                st.sampled_from([["a"], {"end": 3}, "true", {"k": ["v"]}, 5]),
                max_size=2,
            ),
            "switch": st.just({"value": "true", "default": ["b"]}),
            "if": st.sampled_from(["true", "steps.a.phase == 'Failed'", "1", "("]),
            "daemon": st.booleans(),
        },
    ),
    max_size=5,
)


@given(flows=STEPS, last=STEPS)
@settings(max_examples=200, deadline=None)
def test_every_flow_gets_a_verdict_with_paths(flows: list[Body], last: list[Body]) -> None:
    for fault in verdict(flow(flows=flows, **{"finally": last})).violations:
        assert fault.path.startswith("spec.")
        assert str(fault)
