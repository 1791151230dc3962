"""Defaults of every kind, in tables; defaulting is idempotent and never fails."""

import copy
from typing import Any

import pytest

from shared import kinds
from shared.model.types import Body
from tests.shared.crd.manifests import MANIFESTS
from tests.webhook.make import (
    body,
    defaulted,
    faults,
    flow,
    job,
    known,
    pod_template,
    queue,
    review,
    step,
    task,
    template,
)
from webhook.envelope.patch import Setting, applied, operations, value_at
from webhook.verdict.admit import mutate


def spec_of(manifest: Body) -> Any:
    return defaulted(manifest)["spec"]


def bare(*tasks: Body, **more: Any) -> Body:
    """A Job as lazily written as can be."""
    return body(kinds.JOB, "demo", {"tasks": list(tasks), **more})


def namespace(queue: str) -> Body:
    made = body(kinds.NAMESPACE, "ns1")
    made["metadata"]["annotations"] = {"scheduling.volcano.sh/queue-name": queue}
    return made


def test_the_base_job_gets_its_defaults() -> None:
    spec = spec_of(job())
    assert (spec["maxRetry"], spec["minAvailable"], spec["queue"], spec["schedulerName"]) == (3, 2, "q1", "volcano")
    assert [(each["minAvailable"], each["maxRetry"]) for each in spec["tasks"]] == [(2, 3)]


def test_a_job_without_queue_and_scheduler_gets_them() -> None:
    made = defaulted(bare(task()), schedulers=("mine", "volcano"))["spec"]
    assert (made["queue"], made["schedulerName"]) == ("default", "mine")


def test_given_fields_are_kept() -> None:
    assert spec_of(job(minAvailable=1))["minAvailable"] == 1


def test_an_explicit_zero_means_no_retries() -> None:
    spec = spec_of(job(task(maxRetry=0), maxRetry=0))
    assert (spec["maxRetry"], spec["tasks"][0]["maxRetry"]) == (0, 0)


def test_an_omitted_maxretry_is_3() -> None:
    assert spec_of(job())["maxRetry"] == 3


def test_tasks_without_names_are_numbered() -> None:
    tasks = [{key: value for key, value in task().items() if key != "name"} for _ in range(2)]
    assert [each["name"] for each in spec_of(job(*tasks))["tasks"]] == ["default0", "default1"]


def test_the_minimum_defaults_to_whole_partitions() -> None:
    policy = {"totalPartitions": 3, "partitionSize": 2, "minPartitions": 2}
    spec = spec_of(job(task(replicas=6, partitionPolicy=policy)))
    assert (spec["tasks"][0]["minAvailable"], spec["minAvailable"]) == (4, 4)


def test_without_minpartitions_the_minimum_is_all_replicas() -> None:
    policy = {"totalPartitions": 4, "partitionSize": 2, "minPartitions": 0}
    assert spec_of(job(task(replicas=8, partitionPolicy=policy)))["tasks"][0]["minAvailable"] == 8


def test_the_minimum_is_the_sum_over_tasks() -> None:
    spec = spec_of(job(task("a", replicas=3), task("b", replicas=5, minAvailable=1), minAvailable=0))
    assert spec["minAvailable"] == 4


PLUGINS: dict[str, tuple[Any, Any]] = {
    "pytorch needs svc": ({"pytorch": []}, {"pytorch": [], "svc": []}),
    "mpi needs svc and ssh": ({"mpi": []}, {"mpi": [], "svc": [], "ssh": []}),
    "ray needs svc": ({"ray": []}, {"ray": [], "svc": []}),
    "arguments are kept": (
        {"tensorflow": [], "svc": ["--disable-network-policy"]},
        {"tensorflow": [], "svc": ["--disable-network-policy"]},
    ),
    "env needs nothing": ({"env": []}, {"env": []}),
    "none": (None, None),
}


@pytest.mark.parametrize("case", PLUGINS)
def test_required_plugins_are_added(case: str) -> None:
    given, wanted = PLUGINS[case]
    assert spec_of(job(plugins=given)).get("plugins") == wanted


def test_host_network_sets_the_dns_policy() -> None:
    spec = spec_of(job(task(template=pod_template(hostNetwork=True)), task("x", template=pod_template())))
    assert [each["template"]["spec"].get("dnsPolicy") for each in spec["tasks"]] == ["ClusterFirstWithHostNet", None]


def test_the_restart_policy_defaults_to_never() -> None:
    absent, given = pod_template(restartPolicy=None), pod_template(restartPolicy="OnFailure")
    spec = spec_of(job(task(template=absent), task("x", template=given)))
    assert [each["template"]["spec"]["restartPolicy"] for each in spec["tasks"]] == ["Never", "OnFailure"]


def test_a_job_gets_the_queue_of_its_namespace() -> None:
    assert defaulted(bare(task()), known(namespace("team")))["spec"]["queue"] == "team"


def test_a_template_gets_only_task_names() -> None:
    given = template({"replicas": 1, "template": pod_template()})
    wanted = copy.deepcopy(given)
    wanted["spec"]["tasks"][0]["name"] = "default0"
    assert defaulted(given) == wanted


def test_a_flow_gets_retain_policy_and_failure_strategy() -> None:
    spec = spec_of(flow(step("a")))
    assert spec == {"flows": [{"name": "a"}], "jobRetainPolicy": "retain", "failureStrategy": "Stop"}


def test_a_queue_is_reclaimable_and_its_hierarchy_begins_at_root() -> None:
    given = queue("q")
    given["metadata"]["annotations"] = {"volcano.sh/hierarchy": "sci/dev", "volcano.sh/hierarchy-weights": "2/3"}
    made = defaulted(given)
    assert made["spec"] == {"reclaimable": True, "weight": 1}
    assert made["metadata"]["annotations"] == {
        "volcano.sh/hierarchy": "root/sci/dev",
        "volcano.sh/hierarchy-weights": "1/2/3",
    }


GROUP_QUEUES = {
    "the namespace's": ("default", "team", "team"),
    "the namespace's, where none is named": (None, "team", "team"),
    "its own": ("q1", "team", "q1"),
    "default": (None, None, "default"),
}


@pytest.mark.parametrize("case", GROUP_QUEUES)
def test_a_podgroup_gets_the_queue_of(case: str) -> None:
    own, of_namespace, wanted = GROUP_QUEUES[case]
    lookups = known(*([namespace(of_namespace)] if of_namespace else []))
    group = body(kinds.PODGROUP, "g", {"queue": own} if own else {})
    assert defaulted(group, lookups)["spec"]["queue"] == wanted


EVERYTHING = {**MANIFESTS, "lazy job": bare({"replicas": 1, "template": {"spec": {"containers": []}}}), "flow": flow()}


@pytest.mark.parametrize("kind", EVERYTHING)
def test_defaulting_is_idempotent(kind: str) -> None:
    once = defaulted(EVERYTHING[kind])
    assert mutate(review(once), known()).patch == ()


@pytest.mark.parametrize(
    "spec", [None, [], "x", {"tasks": "x"}, {"tasks": [1]}, {"tasks": [{"replicas": "x"}]}, {"flows": {}}]
)
@pytest.mark.parametrize("kind", [kinds.JOB, kinds.JOBTEMPLATE, kinds.JOBFLOW, kinds.QUEUE], ids=lambda kind: kind.kind)
def test_an_object_that_breaks_the_schema_gets_no_patch(kind: Any, spec: Any) -> None:
    broken = body(kind, "x") | {"spec": spec}
    found = mutate(review(broken), known())
    assert found.allowed
    assert isinstance(applied(broken, found.patch), dict)


def test_an_update_restores_only_stored_defaults() -> None:
    """`kubectl replace` with the manifest as it was first written must not look like a change."""
    stored = defaulted(bare(task()))
    again = mutate(review(bare(task()), stored), known())
    assert applied(bare(task()), again.patch) == stored


def test_an_update_of_an_object_stored_without_defaults_adds_none() -> None:
    old = bare(task())
    new = bare(task(replicas=3))
    assert mutate(review(new, old), known()).patch == ()
    assert faults(new, old) == []


def test_a_minimum_that_was_never_set_follows_the_replicas() -> None:
    stored = defaulted(bare(task(replicas=4), task(name="x", replicas=1)))
    for replicas, minimum, total in ((3, 3, 4), (9, 9, 10)):
        new = bare(task(replicas=replicas), task(name="x", replicas=1))
        found = applied(new, mutate(review(new, stored), known()).patch)
        assert (found["spec"]["tasks"][0]["minAvailable"], found["spec"]["minAvailable"]) == (minimum, total)
        assert faults(found, stored) == []


def test_an_update_may_set_the_minimum_to_zero() -> None:
    stored = defaulted(job())
    new = copy.deepcopy(stored)
    new["spec"]["minAvailable"] = 0
    assert applied(new, mutate(review(new, stored), known()).patch)["spec"]["minAvailable"] == 0


PATCHES: dict[str, tuple[Body, list[Setting], list[Body]]] = {
    "what holds already": ({"a": 1}, [Setting(("a",), 1)], []),
    "another value": ({"a": 1}, [Setting(("a",), 2)], [{"op": "replace", "path": "/a", "value": 2}]),
    "a field that is not there": ({}, [Setting(("a",), 2)], [{"op": "add", "path": "/a", "value": 2}]),
    "parents that are not there, once": (
        {"spec": None},
        [Setting(("spec", "a/b", "c"), 1), Setting(("spec", "a/b", "d"), 2)],
        [
            {"op": "add", "path": "/spec", "value": {}},
            {"op": "add", "path": "/spec/a~1b", "value": {}},
            {"op": "add", "path": "/spec/a~1b/c", "value": 1},
            {"op": "add", "path": "/spec/a~1b/d", "value": 2},
        ],
    ),
    "in a list": ({"l": [{}]}, [Setting(("l", 0, "n"), "x")], [{"op": "add", "path": "/l/0/n", "value": "x"}]),
}


@pytest.mark.parametrize("case", PATCHES)
def test_a_patch_of(case: str) -> None:
    given, settings, wanted = PATCHES[case]
    before = copy.deepcopy(given)
    patch = operations(given, settings)
    assert list(patch) == wanted
    after = applied(given, patch)
    assert all(value_at(after, setting.path) == setting.value for setting in settings)
    assert given == before


@pytest.mark.parametrize(("own", "want"), [({}, 3), ({"maxRetry": 20}, 20), ({"maxRetry": 0}, 0)])
def test_max_retry_of_a_task_defaults_to_that_of_the_job(own: dict[str, int], want: int) -> None:
    tasks = spec_of(job(task(), task("x", maxRetry=7), **own))["tasks"]
    assert [each["maxRetry"] for each in tasks] == [want, 7]


def test_a_patch_leaves_what_is_no_map_and_no_list_to_the_schema() -> None:
    settings = [Setting(("a", "b"), 1), Setting(("a", "c", "d"), 1), Setting(("l", 0, "n"), "x")]
    assert operations({"a": "text", "l": {}}, settings) == ()
