from copy import deepcopy

from controller.plugin_api import PluginContext, PodSlot
from controller.plugins import plugin_objects, shape_pod
from tests.controller.plugins.make import INIT, bare_pod, env, pod, shape, template

LABELS = {"volcano.sh/job-name": "demo", "volcano.sh/job-namespace": "ns1"}


def test_the_configmap_lists_the_hosts_of_all_tasks() -> None:
    hosts, *_ = plugin_objects(shape({"ps": 1, "my-work": 2}, {"svc": []}), PluginContext())
    assert hosts.name == "demo-svc"
    assert hosts.body["data"] == {
        "ps.host": "demo-ps-0.demo",
        "VC_PS_HOSTS": "demo-ps-0.demo",
        "VC_PS_NUM": "1",
        "my_work.host": "demo-my-work-0.demo\ndemo-my-work-1.demo",
        "VC_MY_WORK_HOSTS": "demo-my-work-0.demo,demo-my-work-1.demo",
        "VC_MY_WORK_NUM": "2",
    }


def test_the_service_is_headless_and_selects_the_jobs_pods() -> None:
    _, service, _ = plugin_objects(shape({"w": 1}, {"svc": ["--publish-not-ready-addresses"]}), PluginContext())
    assert service.name == "demo"
    assert service.body["spec"] == {"clusterIP": "None", "selector": LABELS, "publishNotReadyAddresses": True}


def test_the_network_policy_allows_only_the_jobs_pods_and_the_controller() -> None:
    *_, policy = plugin_objects(shape({"w": 1}, {"svc": []}), PluginContext(controller_labels={"app": "ours"}))
    assert policy.key == "NetworkPolicy/demo"
    assert policy.body["spec"] == {
        "podSelector": {"matchLabels": LABELS},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": [{"podSelector": {"matchLabels": LABELS}}]},
            {"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "ours"}}}]},
        ],
    }


def test_the_network_policy_can_be_left_out() -> None:
    made = plugin_objects(shape({"w": 1}, {"svc": ["--disable-network-policy=true"]}), PluginContext())
    assert [one.key for one in made] == ["ConfigMap/demo-svc", "Service/demo"]


def test_a_fixed_hostname_is_one_host_whatever_the_replicas() -> None:
    job = shape({"boss": 2}, {"svc": []}, {"boss": template(hostname="boss")})
    hosts, *_ = plugin_objects(job, PluginContext())
    assert hosts.body["data"] == {"boss.host": "boss.demo", "VC_BOSS_HOSTS": "boss.demo", "VC_BOSS_NUM": "1"}


def test_the_pod_gets_name_hosts_and_files_in_every_container() -> None:
    made = pod(shape({"w": 2}, {"svc": []}), "w", 1, initContainers=INIT)
    assert (made["spec"]["hostname"], made["spec"]["subdomain"]) == ("demo-w-1", "demo")
    assert made["spec"]["volumes"] == [{"name": "demo-svc", "configMap": {"name": "demo-svc"}}]
    for field in ("containers", "initContainers"):
        assert made["spec"][field][0]["volumeMounts"] == [{"name": "demo-svc", "mountPath": "/etc/volcano"}]
        assert env(made, field=field) == {
            "VC_W_HOSTS": {"configMapKeyRef": {"name": "demo-svc", "key": "VC_W_HOSTS"}},
            "VC_W_NUM": {"configMapKeyRef": {"name": "demo-svc", "key": "VC_W_NUM"}},
        }


def test_host_variables_can_be_left_out_and_the_users_hostname_stays() -> None:
    made = pod(shape({"w": 1}, {"svc": ["--inject-hosts-env=false"]}), "w", 0, hostname="boss", subdomain="mine")
    assert (made["spec"]["hostname"], made["spec"]["subdomain"]) == ("boss", "mine")
    assert env(made) == {}


def test_a_plugin_does_not_change_its_input_pod() -> None:
    job = shape({"w": 1}, {"svc": [], "ssh": [], "env": [], "mpi": ["--master=w", "--worker=w"]})
    context = bare_pod("w", 0, initContainers=INIT)
    before = deepcopy(context)
    assert shape_pod(context, PodSlot("w", 0), job) != before
    assert context == before
