"""All plugins together: the list, the plan of owned objects, and parts of pods."""

import pytest

from controller.decision import Create, Patch
from controller.plugin_api import KeyPair, OwnedObject, PluginContext, with_env, with_mount, with_port, with_volume
from controller.plugins import PLUGINS, controlled_resources, object_keys, plan_objects, plugin_objects
from shared.plugins.arguments import ARGUMENTS
from tests.controller.plugins.make import shape

KEYS = KeyPair("private", "public")


def stored(made: OwnedObject) -> dict:
    return {**made.body, "metadata": {**made.body["metadata"], "uid": f"uid-{made.name}"}}


def test_every_plugin_has_its_arguments_and_every_argument_its_plugin_in_one_order() -> None:
    assert [plugin.name for plugin in PLUGINS] == list(ARGUMENTS)
    assert PLUGINS[-1].name == "hcclrank"


def test_plugins_that_others_need_act_without_the_webhook() -> None:
    assert list(shape({"master": 1}, {"mpi": []}).plugins) == ["ssh", "svc", "mpi"]


def test_faulty_arguments_leave_the_defaults_and_the_rest() -> None:
    made = shape({"w": 1}, {"svc": ["--bogus", "--disable-network-policy"]}).plugins["svc"]
    assert made.disable_network_policy


def test_every_object_belongs_to_the_job() -> None:
    job = shape({"master": 1, "worker": 1, "head": 1}, {"mpi": [], "ray": []})
    made = plugin_objects(job, PluginContext(keypair=KEYS))
    assert [one.key for one in made] == [
        "Secret/demo-ssh",
        "ConfigMap/demo-svc",
        "Service/demo",
        "NetworkPolicy/demo",
        "Service/demo-head-svc",
    ]
    for one in made:
        (owner,) = one.body["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == ("u-1", True)
        assert one.body["metadata"]["namespace"] == "ns1"
    assert object_keys(job) == tuple((one.kind.kind, one.name) for one in made)


def test_the_plan_creates_missing_objects_and_then_nothing() -> None:
    job = shape({"w": 2}, {"svc": [], "ssh": []})
    actions = plan_objects(job, PluginContext(keypair=KEYS)).actions
    assert all(isinstance(action, Create) for action in actions)
    existing = {made.key: stored(made) for made in plugin_objects(job, PluginContext(keypair=KEYS))}
    assert plan_objects(job, PluginContext(existing)).actions == ()


def test_scaling_down_and_up_rewrites_only_the_lines_that_changed() -> None:
    existing = {
        made.key: stored(made) for made in plugin_objects(shape({"a": 1, "b": 2}, {"svc": []}), PluginContext())
    }
    (patch,) = plan_objects(shape({"b": 1}, {"svc": []}), PluginContext(existing)).actions
    assert isinstance(patch, Patch)
    assert patch.uid == "uid-demo-svc"
    assert patch.patch == {
        "data": {
            "VC_A_HOSTS": None,
            "VC_A_NUM": None,
            "VC_B_HOSTS": "demo-b-0.demo",
            "VC_B_NUM": "1",
            "a.host": None,
            "b.host": "demo-b-0.demo",
        }
    }


NAMESAKE = [{"kind": "Job", "name": "demo", "uid": "u-0", "controller": True}]
FOREIGN = {
    "host lists of the user": (
        "ConfigMap/demo-svc",
        {},
        ["ConfigMap demo-svc exists and is not controlled by this Job"],
    ),
    "a Service of a namesake": (
        "Service/demo",
        {"ownerReferences": NAMESAKE},
        ["Service demo exists and belongs to Job demo"],
    ),
    "a Service of the user": ("Service/demo", {}, []),
    "a NetworkPolicy of the user": ("NetworkPolicy/demo", {}, []),
}
SELECTORS: dict[str, tuple[dict[str, str], list[str]]] = {
    "none": ({}, []),
    "the Job": ({"volcano.sh/job-name": "demo"}, []),
    "one task of it": ({"volcano.sh/job-name": "demo", "volcano.sh/task-spec": "w"}, []),
    "another Job": (
        {"volcano.sh/job-name": "other"},
        ["Service demo exists and selects other pods than the Job's"],
    ),
    "an app": ({"app": "mine"}, ["Service demo exists and selects other pods than the Job's"]),
}


@pytest.mark.parametrize(("selector", "conflicts"), SELECTORS.values(), ids=SELECTORS)
def test_a_service_of_the_user_that_selects(selector: dict[str, str], conflicts: list[str]) -> None:
    foreign = {"metadata": {"name": "demo", "uid": "x"}, "spec": {"selector": selector}}
    plan = plan_objects(shape({"w": 1}, {"svc": []}), PluginContext({"Service/demo": foreign}))
    assert list(plan.conflicts) == conflicts


@pytest.mark.parametrize(("key", "metadata", "conflicts"), FOREIGN.values(), ids=FOREIGN)
def test_an_object_of_another_owner_is_not_changed(key: str, metadata: dict, conflicts: list[str]) -> None:
    foreign = {"metadata": {"name": "demo", "uid": "x", **metadata}, "data": {"mine": "1"}}
    plan = plan_objects(shape({"w": 1}, {"svc": []}), PluginContext({key: foreign}))
    assert key not in [f"{action.kind.kind}/{action.body['metadata']['name']}" for action in plan.actions]
    assert len(plan.actions) == 2
    assert list(plan.conflicts) == conflicts


def test_controlled_resources_are_those_that_volcano_records() -> None:
    job = shape({"master": 1}, {"pytorch": [], "hcclrank": []})
    assert controlled_resources(job) == {"plugin-svc": "svc", "plugin-pytorch": "pytorch"}


def test_a_variable_of_that_name_takes_the_plugins_value_in_place() -> None:
    container = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}]}
    assert with_env(container, [{"name": "A", "value": "2"}])["env"][0] == {"name": "A", "value": "2"}


def test_a_port_whose_name_is_taken_is_opened_without_one() -> None:
    opened = with_port({"ports": [{"name": "gcs", "containerPort": 1}]}, 2, "gcs")
    assert opened["ports"][1] == {"containerPort": 2, "protocol": "TCP"}


@pytest.mark.parametrize("path", ["/etc/volcano", "/etc/volcano/"])
def test_a_mount_of_the_users_own_at_that_path_stays(path: str) -> None:
    container = {"volumeMounts": [{"name": "mine", "mountPath": path}]}
    assert with_mount(container, {"name": "ours", "mountPath": "/etc/volcano"}) == container


def test_a_volume_of_that_name_stays() -> None:
    pod = {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}
    assert with_volume(pod, {"name": "v", "configMap": {"name": "c"}}) == pod
