"""Decisions about policies, exceptions, templates and quotas are pure, on random input.

`test_decide_is_pure` lists all deciding functions; those that random histories call are checked there.
"""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decision import Refusal
from controller.exception.decide import decide as decide_exception
from controller.flowtemplate.decide import TemplateSeen, used_flow_templates, used_job_templates
from controller.flowtemplate.decide import decide as decide_flow_template
from controller.inprocess.decide import Observed, RefusedObjects, plan, sweep
from controller.inprocess.decide import decide as decide_in_process
from controller.inprocess.generated import RulesOption
from shared.kinds import JOBFLOW
from shared.model.types import Body
from shared.policy import Compiler
from shared.policy.in_process import defaulted_fields
from shared.policy.quota.places import Candidate, Slot, full_slots, taken_by
from shared.policy.quota.quota import Quota
from shared.timestamp import rfc3339
from tests.purity import pure
from tests.webhook.inprocess.generate import random_policy

NOW = 1_767_323_045.0
SEEDS = st.integers(0, 10_000)
RULES = [{"name": "few", "expression": "size(object.spec.flows) <= 2"}, {"name": "broken", "expression": "object."}]
METADATA = st.sampled_from([{}, {"deletionTimestamp": rfc3339(NOW)}])
STEPS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abc")},
        optional={
            "template": st.sampled_from(["work", "$(params.which)"]),
            "flow": st.sampled_from([{"template": "inner"}, {}]),
            "resource": st.just({"manifest": {"apiVersion": "batch/v1", "kind": "Job"}}),
            "dependsOn": st.fixed_dictionaries({"targets": st.lists(st.sampled_from("abz"), max_size=2)}),
        },
    ),
    max_size=4,
)


def policies(seed: int, rules: list[Body]) -> list[Body]:
    rng = random.Random(seed)
    made = [random_policy(rng, name) for name in ("p", "q")]
    for number, each in enumerate(made):
        each["metadata"] = {**each["metadata"], "uid": each["metadata"]["name"], "generation": number + 1}
        each["spec"] = {**each["spec"], "rules": rules[number:]}
        if rng.random() < 0.5:
            each["spec"]["exceptions"] = {"allowedNamespaces": ["ns"], "maxDuration": rng.choice(["1h", "24h"])}
    return made


@settings(deadline=None)
@given(SEEDS, st.permutations(RULES), st.sampled_from(["", "ours"]), st.booleans(), st.booleans(), METADATA)
def test_in_process(
    seed: int, rules: list[Body], prefix: str, installed: bool, is_refused: bool, metadata: Body
) -> None:
    bodies = policies(seed, rules)
    bodies[0]["metadata"] |= metadata
    compiled = {each.name: each for each in Compiler().compile(bodies).compiled}
    option = RulesOption(prefix, excluded=("kube-system",))
    stored: dict[Any, Body] = {}
    wanted = []
    for body in bodies:
        found = compiled.get(body["metadata"]["name"])
        observed = Observed(installed, defaulted_fields(compiled.values()), option, stored)
        planned = pure(plan)(body, found, observed)
        refused = RefusedObjects(planned.made, Refusal(422, "no", NOW)) if is_refused else None
        pure(decide_in_process)(body, planned, Observed(installed, observed.defaulted, option, stored, refused))
        wanted.append(planned.made)
        for kind, made in planned.made:
            stored[kind, made["metadata"]["name"]] = {**made, "metadata": {**made["metadata"], "uid": "u"}}
    assert pure(sweep)(wanted, stored, option) == ()
    assert len(pure(sweep)([], stored, option)) == len(stored)


@settings(deadline=None)
@given(
    SEEDS,
    st.lists(st.sampled_from(["limits.maxSteps", "allowed.queues", "rules.few", "nosuch"]), max_size=2),
    st.lists(st.sampled_from(["p", "q", "gone"]), min_size=1, max_size=2),
    st.integers(-2, 40),
    st.integers(1, 2),
    METADATA,
    st.sampled_from([{}, {"status": {"state": "Active"}}]),
)
def test_exception(
    seed: int, rules: list[str], names: list[str], hours: int, generation: int, metadata: Body, status: Body
) -> None:
    compiled = {each.name: each for each in Compiler().compile(policies(seed, RULES[:1])).compiled}
    body = {
        "metadata": {
            "name": "x",
            "namespace": "ns",
            "generation": generation,
            "creationTimestamp": rfc3339(NOW - 3600),
            **metadata,
        },
        "spec": {
            "policies": [{"name": name, "rules": rules} for name in names],
            "expiresAt": rfc3339(NOW + hours * 3600),
            "reason": "a test",
        },
        **status,
    }
    pure(decide_exception)(body, compiled, NOW)


@settings(deadline=None)
@given(STEPS, st.frozensets(st.sampled_from(["work", "inner", "a", "b"])), METADATA)
def test_flow_template(steps: list[Body], existing: frozenset[str], metadata: Body) -> None:
    body = {"metadata": {"name": "t", "namespace": "ns", **metadata}, "spec": {"flow": {"flows": steps}}}
    seen = TemplateSeen(
        body,
        existing.intersection(pure(used_job_templates)(body)),
        existing.intersection(pure(used_flow_templates)(body)),
    )
    decision = pure(decide_flow_template)(seen, NOW)

    if decision.status is not None:
        assert (
            pure(decide_flow_template)(TemplateSeen({**body, "status": decision.status}, *astuple(seen)), NOW).status
            is None
        )


def astuple(seen: TemplateSeen) -> tuple[frozenset[str], frozenset[str]]:
    return seen.job_templates, seen.flow_templates


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.booleans(), st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("ab")))),
        max_size=8,
    ),
    st.dictionaries(st.sampled_from("pq"), st.integers(0, 3)),
)
def test_places_of_quotas(objects: list[tuple[int, bool, list[tuple[str, str]]]], limits: dict[str, int]) -> None:
    def slot(policy: str, group: str) -> Slot:
        return Slot(Quota(policy=policy, rule="limits.maxActiveFlows", kind=JOBFLOW, most=limits.get(policy, 1)), group)

    candidates = [
        Candidate((str(created), str(number)), holds, tuple(slot(*each) for each in dict.fromkeys(slots)))
        for number, (created, holds, slots) in enumerate(objects)
    ]
    holders, waiting = ([one for one in candidates if one.holds is holds] for holds in (True, False))
    held = pure(taken_by)(holders)
    full = pure(full_slots)(held, waiting)

    taken = held + pure(taken_by)([one for one in waiting if one.age not in full])
    most = {slot.key: slot.quota.most for one in candidates for slot in one.slots}
    assert all(count <= max(most[key], held[key]) for key, count in taken.items())
