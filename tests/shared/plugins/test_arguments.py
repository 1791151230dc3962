"""Arguments of job plugins are parsed like Go flags, and every fault is reported."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.plugins.arguments import ARGUMENTS, NEEDS, parse, plugin_arguments, required_plugins

READ = {
    "one dash": ("mpi", ["-port=3"], {"port": 3}),
    "two dashes": ("mpi", ["--port=3"], {"port": 3}),
    "value in the next item": ("mpi", ["--port", "3", "-worker", "w"], {"port": 3, "worker": "w"}),
    "hexadecimal": ("mpi", ["--port=0x10"], {"port": 16}),
    "a leading zero is octal": ("mpi", ["--port=010"], {"port": 8}),
    "underscores": ("mpi", ["--port=1_0"], {"port": 10}),
    "the last one wins": ("mpi", ["--port=3", "--port=4"], {"port": 4}),
    "boolean alone": ("svc", ["--disable-network-policy"], {"disable_network_policy": True}),
    "boolean with value": ("svc", ["--inject-hosts-env=F"], {"inject_hosts_env": False}),
    "camel case of ray": ("ray", ["--headContainer=h", "--clientPort=7"], {"head_container": "h", "client_port": 7}),
    "value with an equals sign": ("ssh", ["--ssh-public-key=ssh-rsa AA=="], {"ssh_public_key": "ssh-rsa AA=="}),
    "value that looks like a flag": ("pytorch", ["--master", "--x"], {"master": "--x"}),
    "value of several lines": ("ssh", ["--ssh-private-key=a\nb"], {"ssh_private_key": "a\nb"}),
    "none": ("env", [], {}),
}


@pytest.mark.parametrize(("plugin", "words", "wanted"), READ.values(), ids=READ)
def test_arguments_are_read_as_go_reads_them(plugin: str, words: list[str], wanted: dict) -> None:
    parsed = parse(plugin, words, "p")
    assert parsed.violations == ()
    assert parsed.arguments == ARGUMENTS[plugin](**wanted)


FAULTS = {
    "unknown flag": (
        "svc",
        ["--disable-network-polcy=true"],
        (
            'spec.plugins.svc[0]: Unsupported value: "--disable-network-polcy": plugin svc has no such flag; did you mean '
            '"--disable-network-policy"?; it takes: --publish-not-ready-addresses, --disable-network-policy, '
            "--inject-hosts-env"
        ),
    ),
    "plugin without flags": (
        "env",
        ["--x"],
        'spec.plugins.env[0]: Unsupported value: "--x": plugin env has no such flag; it takes: none',
    ),
    "port out of range": (
        "mpi",
        ["--master=m", "--port=70000"],
        'spec.plugins.mpi[1]: Invalid value: "--port=70000": flag --port: must be a port, between 1 and 65535',
    ),
    "not a number": (
        "mpi",
        ["--port=ssh"],
        'spec.plugins.mpi[0]: Invalid value: "--port=ssh": flag --port: must be a port, between 1 and 65535',
    ),
    "not a boolean": (
        "svc",
        ["--inject-hosts-env=no"],
        'spec.plugins.svc[0]: Invalid value: "--inject-hosts-env=no": flag --inject-hosts-env: must be true or false',
    ),
    "no value": (
        "ray",
        ["--head"],
        'spec.plugins.ray[0]: Invalid value: "--head": flag needs a value: write --head=VALUE',
    ),
    "empty task name": (
        "ray",
        ["--head="],
        'spec.plugins.ray[0]: Invalid value: "--head=": flag --head: must name a task',
    ),
    "positional word": (
        "env",
        ["index"],
        (
            'spec.plugins.env[0]: Invalid value: "index": not a flag: write --name=value (or --name for a boolean); '
            "plugin env takes: none"
        ),
    ),
    "a misspelt key does not show its value": (
        "ssh",
        ["--ssh-private-kye=SECRET"],
        (
            'spec.plugins.ssh[0]: Unsupported value: "--ssh-private-kye": plugin ssh has no such flag; did you mean '
            '"--ssh-private-key"?; it takes: --ssh-key-file-path, --ssh-private-key, --ssh-public-key, --ssh-port'
        ),
    ),
}


@pytest.mark.parametrize(("plugin", "words", "wanted"), FAULTS.values(), ids=FAULTS)
def test_a_fault_contains_field_value_and_remedy(plugin: str, words: list[str], wanted: str) -> None:
    assert [str(fault) for fault in parse(plugin, words, f"spec.plugins.{plugin}").violations] == [wanted]


def test_a_fault_does_not_hide_other_faults_or_valid_arguments() -> None:
    words = ["--bogus", "true", "--port=x", "--slots=2", "--", "-", ""]
    parsed = parse("mpi", words, "p")
    assert [fault.path for fault in parsed.violations] == ["p[0]", "p[1]", "p[2]", "p[4]", "p[5]", "p[6]"]
    assert parsed.arguments == ARGUMENTS["mpi"](slots=2)


def test_defaults_equal_those_of_volcano() -> None:
    defaults = {name: msgspec.to_builtins(arguments()) for name, arguments in ARGUMENTS.items()}
    assert defaults == {
        "env": {},
        "svc": {"publish-not-ready-addresses": False, "disable-network-policy": False, "inject-hosts-env": True},
        "ssh": {"ssh-key-file-path": "/root/.ssh", "ssh-private-key": "", "ssh-public-key": "", "ssh-port": 22},
        "tensorflow": {"ps": "ps", "worker": "worker", "chief": "chief", "evaluator": "evaluator", "port": 2222},
        "pytorch": {
            "master": "master",
            "worker": "worker",
            "port": 23456,
            "wait-master-enabled": False,
            "wait-master-timeout": 300,
            "wait-master-image": "busybox:1.36.1",
        },
        "mpi": {"master": "master", "worker": "worker", "port": 22, "slots": 1},
        "ray": {
            "head": "head",
            "headContainer": "head",
            "worker": "worker",
            "workerContainer": "worker",
            "port": 6379,
            "dashboardPort": 8265,
            "clientPort": 10001,
        },
        "hcclrank": {"master": "master", "worker": "worker"},
    }


REQUIRED = {
    "pytorch": ({"pytorch": []}, {"pytorch": (), "svc": ()}),
    "mpi": ({"mpi": []}, {"mpi": (), "svc": (), "ssh": ()}),
    "ray": ({"ray": None}, {"ray": (), "svc": ()}),
    "arguments stay": (
        {"tensorflow": [], "svc": ["--disable-network-policy"]},
        {"tensorflow": (), "svc": ("--disable-network-policy",)},
    ),
    "env": ({"env": []}, {"env": ()}),
    "none": ({}, {}),
    "unknown ones stay for the rule that refuses them": ({"horovod": []}, {"horovod": ()}),
}


@pytest.mark.parametrize(("plugins", "wanted"), REQUIRED.values(), ids=REQUIRED)
def test_required_plugins_are_added(plugins: dict, wanted: dict) -> None:
    assert required_plugins(plugins) == wanted
    assert required_plugins(required_plugins(plugins)) == wanted


PORTS = {
    "mpi's": ({"mpi": ["--port=2222"]}, 2222),
    "ssh's own": ({"mpi": ["--port=2222"], "ssh": ["--ssh-port=22"]}, 22),
    "neither": ({"mpi": []}, 22),
    "ssh alone": ({"ssh": ["--ssh-port=3"]}, 3),
}


@pytest.mark.parametrize(("plugins", "wanted"), PORTS.values(), ids=PORTS)
def test_ssh_uses_the_port_of_mpi_by_default(plugins: dict, wanted: int) -> None:
    assert plugin_arguments(plugins)["ssh"].arguments.ssh_port == wanted


def test_plugins_are_only_needed_when_they_exist() -> None:
    assert {need for needs in NEEDS.values() for need in needs} <= set(ARGUMENTS)


@given(st.sampled_from(sorted(ARGUMENTS)), st.lists(st.text(max_size=12) | st.sampled_from(["--port", "-x=", "--"])))
def test_any_list_of_words_is_read_without_failing(plugin: str, words: list[str]) -> None:
    parsed = parse(plugin, words, "p")
    assert isinstance(parsed.arguments, ARGUMENTS[plugin])
