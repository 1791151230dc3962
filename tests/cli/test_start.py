"""Short commands start quickly: they import neither an event loop nor the libraries of a server or of a terminal."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.make import CliCommand
from tests.shared.kube.one_shot.threaded import ThreadedHandler, threaded

HEAVY = (
    *("aiohttp", "asyncio", "logging", "prometheus_client", "rich", "kubernetes", "cel_expr_python", "cryptography"),
    *("inspect", "typing_extensions", "dataclasses", "orjson", "yaml", "encodings.idna"),
    *("controller", "jobflow", "local", "web", "shared.policy", "shared.expressions", "webhook.rules"),
)
FILES = ("shutil", "tempfile")  # `version` may import them: importlib.metadata does
COLUMNS = ("Name", "STATUS", "PROGRESS", "RUNNING", "FAILED", "AGE", "NEXT", "REASON", "DURATION")
FLOW = {"apiVersion": "flow.volcano.sh/v1alpha1", "kind": "JobFlow", "metadata": {"name": "nightly", "namespace": "ns"}}


def serve(handler: ThreadedHandler) -> None:
    if "as=Table" in handler.headers["Accept"]:
        cells = ["nightly", "Running", "1/3", 1, None, "5m30s", None, None, None]
        row = {"cells": cells, "object": {"metadata": {"namespace": "ns", "name": "nightly"}}}
        columns = [{"name": name, "type": "string"} for name in COLUMNS]
        handler.answer({"kind": "Table", "metadata": {}, "columnDefinitions": columns, "rows": [row]})
    elif "/jobflows/nightly" in handler.path:
        handler.answer({**FLOW, "spec": {"flows": [{"name": "a"}]}})
    else:
        handler.answer({"kind": "List", "metadata": {}, "items": []})


def kubeconfig(folder: Path, address: str) -> str:
    named = {"cluster": {"server": address}, "user": {"token": "t"}, "context": {"cluster": "c", "user": "c"}}
    entries = {f"{what}s": [{"name": "c", what: value}] for what, value in named.items()}
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": "c", **entries}))
    return str(path)


VERBS = {
    "the help": ("--help",),
    "the version": ("version",),
    "a list": ("list",),
    "a list of all namespaces": ("list", "-A", "-o", "wide"),
    "a status": ("status", "nightly"),
    "a list of Jobs": ("job", "list"),
    "a list of Queues": ("queue", "list"),
}


@pytest.mark.parametrize("arguments", VERBS.values(), ids=VERBS.keys())
def test_a_short_command_imports_no_heavy_library(arguments: tuple[str, ...], tmp_path: Path) -> None:
    heavy = HEAVY if arguments == ("version",) else HEAVY + FILES
    program = (
        "import sys\nfrom cli.main import main\n"
        "try:\n    code = main(sys.argv[1:])\nexcept SystemExit as ended:\n    code = ended.code\n"
        f"print([name for name in {heavy!r} if name in sys.modules], code, file=sys.stderr)\n"
    )
    with threaded(serve) as (_, address):
        cluster = () if arguments[0] in ("--help", "version") else ("--kubeconfig", kubeconfig(tmp_path, address))
        command = [sys.executable, "-c", program, *arguments, *cluster]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr.splitlines()[-1] == "[] 0"


def test_a_short_command_ends_without_cleaning_up_and_writes_all_of_its_output(tmp_path: Path) -> None:
    program = (
        "import atexit, sys\nfrom cli.main import main\natexit.register(print, 'cleaned up')\n"
        "sys.argv = ['jobflow', *sys.argv[1:]]\nsys.exit(main())\n"
    )
    with threaded(serve) as (_, address):
        command = [sys.executable, "-c", program, "list", "-A", "--kubeconfig", kubeconfig(tmp_path, address)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [line.split()[:2] for line in ran.stdout.splitlines()] == [["NAMESPACE", "NAME"], ["ns", "nightly"]]


ROW = "nightly   Running   1/3        1         0        5m30s"
TABLES = {
    "of a namespace": (("-n", "ns"), "NAME      STATUS    PROGRESS   RUNNING   FAILED   AGE", ROW),
    "of all": (("-A",), "NAMESPACE   NAME      STATUS    PROGRESS   RUNNING   FAILED   AGE", f"ns          {ROW}"),
}


@pytest.mark.parametrize(("where", "head", "row"), TABLES.values(), ids=TABLES.keys())
def test_flows_are_listed_as_the_api_server_prints_them(
    command: CliCommand, tmp_path: Path, where: tuple[str, ...], head: str, row: str
) -> None:
    with threaded(serve) as (server, address):
        ran = command("list", *where, "--kubeconfig", kubeconfig(tmp_path, address))
    assert (ran.code, ran.out.splitlines()) == (0, [head, row])
    assert len(server.seen) == 1


@pytest.mark.parametrize("columns", [("Name", "STATUS", "AGE"), COLUMNS], ids=["other columns", "no progress yet"])
def test_flows_are_read_whole_where_the_printed_columns_lack_something(
    command: CliCommand, tmp_path: Path, columns: tuple[str, ...]
) -> None:
    def lacking(handler: ThreadedHandler) -> None:
        if "as=Table" in handler.headers["Accept"]:
            row = {"cells": ["nightly", *[None] * (len(columns) - 1)]}
            heads = [{"name": name} for name in columns]
            handler.answer({"kind": "Table", "metadata": {}, "columnDefinitions": heads, "rows": [row]})
        else:
            items = [{**FLOW, "spec": {"flows": [{"name": "a"}, {"name": "b"}]}}]
            handler.answer({"kind": "JobFlowList", "metadata": {}, "items": items})

    with threaded(lacking) as (_, address):
        ran = command("list", "-n", "ns", "--kubeconfig", kubeconfig(tmp_path, address))
    assert ran.out.splitlines()[1].split()[:3] == ["nightly", "Pending", "0/2"]
