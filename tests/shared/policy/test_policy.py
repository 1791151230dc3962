"""Patterns, selectors and fields of rules; policies are compiled once; judging never raises."""

from typing import Any

import pytest
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, Kind
from shared.model.types import Body
from shared.policy import CompiledPolicy, Compiler, PolicyContext, compile_policy, defaults, judge
from shared.policy.census import AdmissionCensus
from shared.policy.compiled.rules import field_of
from shared.policy.patterns.globs import glob_fault, globs
from shared.policy.selector import selects

GLOBS: dict[str, tuple[str, str, bool]] = {
    "itself": ("default", "default", True),
    "no beginning": ("default", "default2", False),
    "a star": ("registry.corp/*", "registry.corp/a/b:1", True),
    "a star is any text": ("a*", "a", True),
    "a dot is a dot": ("registry.corp/*", "registryxcorp/a", False),
    "one character": ("team-?", "team-a", True),
    "one character only": ("team-?", "team-ab", False),
    "a line break in a name": ("a", "a\n", False),
    "upper and lower case": ("A*", "ab", False),
}


@pytest.mark.parametrize(("pattern", "name", "fits"), GLOBS.values(), ids=GLOBS)
def test_a_pattern_matches_whole_names(pattern: str, name: str, fits: bool) -> None:
    assert globs([pattern]).fits(name) is fits
    assert globs(["other", pattern]).fits(name) is fits
    assert not globs([]).fits(name)


def test_a_pattern_with_many_stars_is_fast() -> None:
    assert not globs(["*a" * 60 + "b"]).fits("a" * 4000)


@pytest.mark.parametrize("text", ["", "a b", "a[b]", "a|b", "{a,b}", "^a$"])
def test_a_pattern_with_invalid_characters_is_refused(text: str) -> None:
    assert glob_fault(text)


def test_an_unknown_operator_selects_nothing() -> None:
    assert not selects({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}, {"a": "2"})
    assert selects({}, {})
    assert selects(None, {"a": "b"})


FIELDS = {
    "has(object.spec.activeDeadlineSeconds) && object.spec.activeDeadlineSeconds < 9": "spec.activeDeadlineSeconds",
    "object.spec.tasks.all(t, t.replicas < object.spec.minAvailable)": "spec",
    "object.?spec.?queue.orValue('object.a.b') == 'x'": "spec.queue",
    "object.metadata.labels.team == 'a' || object.spec.queue == 'b'": "metadata.labels.team",
    "oldObject.spec.x == 1 || object.spec.y == 2": "spec.y",
    "request.userInfo.username == 'ann'": "spec",
    "'team' in object.metadata.labels": "metadata.labels",
}


@pytest.mark.parametrize(("text", "field"), FIELDS.items(), ids=FIELDS)
def test_a_violated_rule_points_to_the_field_that_it_reads(text: str, field: str) -> None:
    assert field_of(text) == field


def policy(name: str = "p", uid: str = "", generation: int = 1, **spec: Any) -> Body:
    return {"metadata": {"name": name, "uid": uid, "generation": generation}, "spec": spec}


def test_each_version_of_a_policy_is_compiled_once() -> None:
    compiler = Compiler()
    first, same, later = (
        compiler.compile([policy(uid="u", generation=generation)]).compiled[0] for generation in (1, 1, 2)
    )
    assert first is same
    assert first is not later
    file = policy()
    assert compiler.compile([file]).compiled[0] is not compiler.compile([file]).compiled[0]


def test_policies_are_sorted_by_name_and_invalid_ones_are_separate() -> None:
    made = Compiler().compile([policy("b"), policy("x", mode="No"), policy("a")])
    assert [each.name for each in made.compiled] == ["a", "b"]
    assert list(made.broken) == ["x"]
    assert str(made.broken["x"][0]).startswith("spec.mode: ")


EVERYTHING = policy(
    match={"objectSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}},
    exempt={"namespaces": ["x"]},
    defaults={
        "queue": "q",
        "schedulerName": "s",
        "priorityClassName": "p",
        "jobRetainPolicy": "delete",
        "ttlSecondsAfterFinished": 1,
        "activeDeadlineSeconds": 1,
        "labels": {"b": "c"},
        "nodeSelector": {"d": "e"},
        "tolerations": [{"operator": "Exists"}],
    },
    limits={
        "maxSteps": 0,
        "maxDepth": 0,
        "maxParallelism": 1,
        "maxReplicas": 0,
        "maxRetry": 0,
        "maxActiveDeadlineSeconds": 1,
        "maxTtlSecondsAfterFinished": 1,
        "maxRunningFlows": 0,
        "maxActiveFlows": 0,
        "maxActiveJobs": 0,
        "countPer": {"objectLabel": "team"},
    },
    allowed={
        name: ["q", "s", "p"]
        for name in ("queues", "images", "schedulerNames", "priorityClassNames", "plugins", "serviceAccounts")
    },
    required={"resourceRequests": ["cpu"], "resourceLimits": ["cpu"], "existingTemplates": True, "labels": ["b"]},
    rules=[{"name": "r", "expression": "object.spec.tasks.all(t, t.replicas > 0)"}],
)
WORDS = (
    "spec flows finally tasks template containers volumes image name switch cases run for matrix items range end patch "
    "jobSpec retry limit resources requests cpu labels ownerReferences metadata plugins suspend default targets"
)
NAMES = st.sampled_from(WORDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "$(x)"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=25,
)


@whatever(
    spec=JSON,
    metadata=JSON,
    old=JSON,
    kind=st.sampled_from([JOBFLOW, JOBTEMPLATE, JOB]),
    operation=st.sampled_from(["", "CREATE", "UPDATE"]),
)
@settings(max_examples=300, deadline=None)
def test_every_object_can_be_judged_and_completed(
    spec: Any, metadata: Any, old: Any, kind: Kind, operation: str
) -> None:
    compiled = compile_policy(EVERYTHING)
    assert isinstance(compiled, CompiledPolicy)
    made = PolicyContext(
        kind=kind,
        body={"metadata": metadata, "spec": spec},
        namespace="ns",
        operation=operation,
        old={"spec": old, "metadata": old},
        template_exists=lambda name: False,
        census=AdmissionCensus(lambda kind, namespace: (), lambda name: None, lambda kind, namespace, name: None),
    )
    for finding in judge(made, [compiled]):
        assert len(finding.warning) < 120
        assert str(finding.violation)
    assert isinstance(defaults(made, [compiled]), tuple)
