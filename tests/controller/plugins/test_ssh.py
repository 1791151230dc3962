from base64 import b64decode

from cryptography.hazmat.primitives import serialization

from controller.cluster.keypair import new_keypair
from controller.plugin_api import KeyPair, PluginContext
from controller.plugins import needs_keypair, plan_objects, plugin_objects
from tests.controller.plugins.make import INIT, pod, shape, template

KEYS = KeyPair("private", "public")


def texts(body: dict) -> dict[str, str]:
    return {key: b64decode(value).decode() for key, value in body["data"].items()}


def test_the_secret_holds_keys_and_a_config_with_every_host() -> None:
    job = shape({"m": 1, "w": 2}, {"ssh": ["--ssh-port=2222"]}, {"m": template(subdomain="net")})
    (secret,) = plugin_objects(job, PluginContext(keypair=KEYS))
    assert secret.key == "Secret/demo-ssh"
    assert texts(secret.body) == {
        "id_rsa": "private",
        "id_rsa.pub": "public",
        "authorized_keys": "public",
        "config": (
            "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n"
            "Host demo-m-0 demo-m-0.net\n  HostName demo-m-0.net\n  Port 2222\n"
            "Host demo-w-0 demo-w-0.demo\n  HostName demo-w-0.demo\n  Port 2222\n"
            "Host demo-w-1 demo-w-1.demo\n  HostName demo-w-1.demo\n  Port 2222\n"
        ),
    }


def test_every_name_in_mpis_host_file_and_variable_leads_to_sshs_port() -> None:
    """mpiexec hands ssh the names as they stand there, and a port that is not 22 comes from ssh's config alone."""
    job = shape({"master": 1, "worker": 2}, {"mpi": ["--port=2022", "--slots=4"]})
    made = {each.name: each.body for each in plugin_objects(job, PluginContext(keypair=KEYS))}
    named = [line.split()[0] for line in made["demo-svc"]["data"]["mpi.host"].splitlines()]
    env = pod(job, "master", 0)["spec"]["containers"][0]["env"]
    (listed,) = (each["value"] for each in env if each["name"] == "MPI_HOST")
    assert named == listed.split(",") == ["demo-worker-0.demo", "demo-worker-1.demo"]
    config = texts(made["demo-ssh"])["config"].split("Host ")
    ports = {name: part.rpartition("Port ")[2].strip() for part in config for name in part.partition("\n")[0].split()}
    assert [ports.get(name) for name in named] == ["2022", "2022"]


def test_scaling_rewrites_the_config_and_keeps_the_keys() -> None:
    (secret,) = plugin_objects(shape({"w": 1}, {"ssh": []}), PluginContext(keypair=KEYS))
    stored = {**secret.body, "metadata": {**secret.body["metadata"], "uid": "s-1"}}
    existing = {"Secret/demo-ssh": stored}
    scaled = shape({"w": 2}, {"ssh": []})
    assert not needs_keypair(scaled, existing)
    (patch,) = plan_objects(scaled, PluginContext(existing, keypair=KeyPair("another", "another"))).actions
    assert list(patch.patch["data"]) == ["config"]
    assert "demo-w-1" in b64decode(patch.patch["data"]["config"]).decode()


def test_a_key_pair_is_generated_only_when_there_is_none() -> None:
    assert needs_keypair(shape({"w": 1}, {"ssh": []}), {})
    assert not needs_keypair(shape({"w": 1}, {"ssh": ["--ssh-private-key=x"]}), {})
    assert not needs_keypair(shape({"w": 1}, {"svc": []}), {})
    assert plugin_objects(shape({"w": 1}, {"ssh": []}), PluginContext()) == ()


def test_openssh_reads_a_generated_key_pair() -> None:
    pair = new_keypair()
    key = serialization.load_pem_private_key(pair.private.encode(), None)
    assert pair.private.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert key.key_size == 2048
    assert serialization.load_ssh_public_key(pair.public.encode()).public_numbers() == key.public_key().public_numbers()


def test_the_users_key_is_taken_and_its_public_half_found() -> None:
    pair = new_keypair()
    (secret,) = plugin_objects(shape({"w": 1}, {"ssh": ["--ssh-private-key", pair.private]}), PluginContext())
    assert texts(secret.body)["authorized_keys"] == pair.public
    both = ["--ssh-private-key=unreadable", "--ssh-public-key=mine"]
    (secret,) = plugin_objects(shape({"w": 1}, {"ssh": both}), PluginContext())
    assert texts(secret.body)["authorized_keys"] == "mine"
    (secret,) = plugin_objects(shape({"w": 1}, {"ssh": both[:1]}), PluginContext())
    assert texts(secret.body)["authorized_keys"] == ""


def test_every_container_mounts_the_folder_with_the_mode_for_root() -> None:
    made = pod(shape({"w": 1}, {"ssh": []}), "w", 0, initContainers=INIT)
    (volume,) = made["spec"]["volumes"]
    assert volume["secret"]["secretName"] == "demo-ssh"
    assert volume["secret"]["defaultMode"] == 0o600
    assert {"key": "id_rsa", "path": ".ssh/id_rsa"} in volume["secret"]["items"]
    mount = {"name": "demo-ssh", "mountPath": "/root/.ssh", "subPath": ".ssh"}
    assert made["spec"]["containers"][0]["volumeMounts"] == [mount]
    assert made["spec"]["initContainers"][0]["volumeMounts"] == [mount]


def test_another_users_folder_is_readable_to_others() -> None:
    made = pod(shape({"w": 1}, {"ssh": ["--ssh-key-file-path=/home/u/.ssh"]}), "w", 0)
    assert made["spec"]["volumes"][0]["secret"]["defaultMode"] == 0o644
    assert made["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] == "/home/u/.ssh"
