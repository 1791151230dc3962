"""Rules for the plugins of a Job."""

import pytest

from shared.plugins.rules import RoleTask, check_plugins, role_task, role_warnings

MASTER, WORKER = RoleTask("master"), RoleTask("worker", 2)

ACCEPTED = {
    "no plugin": ({}, []),
    "null arguments": ({"svc": None}, [RoleTask("w")]),
    "mpi with both roles": ({"mpi": []}, [MASTER, WORKER]),
    "pytorch with a master alone": ({"pytorch": []}, [MASTER]),
    "tensorflow with one role": ({"tensorflow": []}, [RoleTask("chief")]),
    "tensorflow with a renamed role": ({"tensorflow": ["--worker=trainer"]}, [RoleTask("trainer"), RoleTask("logger")]),
    "ray without workers": ({"ray": []}, [RoleTask("head")]),
    "hcclrank beside pytorch": ({"hcclrank": [], "pytorch": ["--master=m"]}, [RoleTask("m")]),
    "hcclrank with ranks of its own": ({"hcclrank": []}, [RoleTask("pod", has_rank=True)]),
    "ssh and env anywhere": ({"ssh": [], "env": []}, [RoleTask("x")]),
}


@pytest.mark.parametrize(("plugins", "tasks"), ACCEPTED.values(), ids=ACCEPTED)
def test_valid_plugins_are_accepted(plugins: dict, tasks: list[RoleTask]) -> None:
    assert list(check_plugins(plugins, "demo", tasks)) == []


REFUSED = {
    "unknown plugin": (
        {"pytorc": []},
        [MASTER],
        [
            (
                'spec.plugins.pytorc: Unsupported value: "pytorc": unable to find job plugin pytorc; did you mean "pytorch"? '
                "Known plugins: env, hcclrank, mpi, pytorch, ray, ssh, svc, tensorflow"
            )
        ],
    ),
    "nothing like it": (
        {"horovod": []},
        [],
        [
            (
                'spec.plugins.horovod: Unsupported value: "horovod": unable to find job plugin horovod; known plugins: '
                "env, hcclrank, mpi, pytorch, ray, ssh, svc, tensorflow"
            )
        ],
    ),
    "mpi master named by flag": (
        {"mpi": ["--master=laed"]},
        [RoleTask("lead"), WORKER],
        [
            (
                'spec.plugins.mpi[0]: Not found: "laed": mpi master task not found: name one with --master=TASK or add the '
                'task; did you mean "lead"?'
            )
        ],
    ),
    "mpi without roles": (
        {"mpi": []},
        [RoleTask("x")],
        [
            'spec.plugins.mpi: Not found: "master": mpi master task not found: name one with --master=TASK or add the task',
        ],
    ),
    "an argument": (
        {"svc": ["--bogus"]},
        [],
        [
            (
                'spec.plugins.svc[0]: Unsupported value: "--bogus": plugin svc has no such flag; it takes: '
                "--publish-not-ready-addresses, --disable-network-policy, --inject-hosts-env"
            )
        ],
    ),
}


@pytest.mark.parametrize(("plugins", "tasks", "wanted"), REFUSED.values(), ids=REFUSED)
def test_invalid_plugins_are_refused(plugins: dict, tasks: list[RoleTask], wanted: list[str]) -> None:
    assert [str(fault) for fault in check_plugins(plugins, "demo", tasks)] == wanted


LEFT = ": the plugin is set up without it"
WARNED = {
    "all tasks": ({"mpi": [], "pytorch": [], "env": []}, [MASTER, WORKER], []),
    "mpi with a launcher only": (
        {"mpi": ["--master=lead", "--worker=work"]},
        [RoleTask("lead")],
        ['spec.plugins.mpi[1]: no task "work" (--worker)' + LEFT],
    ),
    "pytorch without a master": (
        {"pytorch": []},
        [WORKER],
        ['spec.plugins.pytorch: no task "master" (--master)' + LEFT],
    ),
    "ray without a head": ({"ray": []}, [WORKER], ['spec.plugins.ray: no task "head" (--head)' + LEFT]),
    "a slip": (
        {"ray": ["--head=haed"]},
        [RoleTask("head"), WORKER],
        ['spec.plugins.ray[0]: no task "haed" (--head)' + LEFT + '; did you mean "head"?'],
    ),
    "tensorflow without any role": (
        {"tensorflow": []},
        [RoleTask("x")],
        ["spec.plugins.tensorflow: no effect: none of the tasks ps, worker, chief, evaluator exists (see its flags)"],
    ),
    "hcclrank without any role": (
        {"hcclrank": []},
        [RoleTask("x")],
        ["spec.plugins.hcclrank: no effect: none of the tasks master, worker exists (see its flags)"],
    ),
    "hcclrank beside pytorch": ({"hcclrank": [], "pytorch": []}, [MASTER], []),
}


@pytest.mark.parametrize(("plugins", "tasks", "wanted"), WARNED.values(), ids=WARNED)
def test_plugins_without_their_tasks_give_a_warning(plugins: dict, tasks: list[RoleTask], wanted: list[str]) -> None:
    assert list(role_warnings(plugins, tasks)) == wanted
    assert list(check_plugins(plugins, "demo", tasks)) == []


NAMES = {
    "leading digit": ("2fast", {"svc": []}, RoleTask("w"), ["metadata.name"]),
    "dot": ("a.b", {"pytorch": []}, RoleTask("master"), ["metadata.name"]),
    "dot without svc": ("a.b", {"env": []}, RoleTask("w"), []),
    "longest hostname that fits": ("j" * 59, {"svc": []}, RoleTask("w", 10), []),
    "hostname of the last replica": ("j" * 59, {"svc": []}, RoleTask("w", 11), ["spec.tasks[0].name"]),
    "hostname of the user": ("j" * 63, {"svc": []}, RoleTask("w", 11, hostname="h"), []),
    "head service": ("j" * 55, {"ray": []}, RoleTask("head"), ["metadata.name"]),
    "longest head service": ("j" * 54, {"ray": []}, RoleTask("head"), []),
    "name not known yet": (None, {"svc": []}, RoleTask("w", 10**60), []),
}


@pytest.mark.parametrize(("job", "plugins", "task", "wanted"), NAMES.values(), ids=NAMES)
def test_names_must_fit_services_and_hostnames(job: str | None, plugins: dict, task: RoleTask, wanted: list) -> None:
    assert [fault.path for fault in check_plugins(plugins, job, [task])] == wanted


def test_a_role_task_is_read_from_any_template() -> None:
    spec = {"hostname": "h", "containers": [{"env": [{"name": "RANK", "value": "1"}]}, None]}
    assert role_task("w", 2, {"spec": spec}) == RoleTask("w", 2, "h", True)
    for template in (None, {}, {"spec": None}, {"spec": {"containers": "x", "hostname": 3}}):
        assert role_task("w", 2, template) == RoleTask("w", 2)
