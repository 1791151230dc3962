"""The command in general: help, exit codes, colours, conversion of files, the reference page."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cli import reference
from cli.exits import MEANINGS, Exit
from cli.main import main
from cli.parser import build
from cli.verbs import VERBS
from tests.cli.make import CliCommand, lines, write
from tests.webhook.make import flow, job, step, template


def test_every_verb_exists_and_explains_itself(command: CliCommand) -> None:
    for verb in VERBS:
        ran = command(*verb.name.split(), "--help")
        assert ran.code == 0
        assert all(example in ran.out for example in verb.examples)
        module, _, function = verb.function.partition(":")
        assert callable(getattr(__import__(f"cli.commands.{module}", fromlist=[function]), function))


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Exit)


def test_the_reference_page_is_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"]) == 0, "run make generate"
    page = tmp_path / "page.md"
    assert reference.main(["--check", "--file", str(page)]) == 1
    assert reference.main(["--file", str(page)]) == 0
    assert reference.main(["--check", "--file", str(page)]) == 0
    assert "out of date" in capsys.readouterr().err


USAGE = {
    "no verb": (),
    "no such verb": ("lnit", "x"),
    "no such format": ("list", "-o", "table"),
    "no such flag": ("list", "--al"),
    "a missing name": ("status",),
    "a negative number of lines": ("logs", "f/s", "--tail", "-5"),
    "a number of lines that is none": ("logs", "f/s", "--tail", "x"),
    "a time limit that is none": ("list", "--request-timeout", "soon"),
    "a negative time limit": ("list", "--request-timeout=-1s"),
    "an empty name of a flow": ("status", ""),
    "one empty name of several": ("delete", "a", ""),
    "an empty name of a Job": ("job", "view", ""),
    "an empty name to draw": ("graph", ""),
    "an empty schedule": ("cron", "next", ""),
    "an empty template": ("job", "from-template", ""),
    "a path as the namespace": ("list", "-n", "a/b"),
    "a path as the namespace before the verb": ("-n", "a/b", "list"),
    "a path instead of a name": ("status", "../b"),
    "a name that is no file": ("stop", ".."),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_arguments_are_exit_2(case: str, command: CliCommand) -> None:
    ran = command(*USAGE[case])
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("usage: jobflow")


@pytest.mark.parametrize(
    ("text", "seconds"), {"5s": 5, "2m": 120, "7": 7, "300ms": 0.3, "0": 86400, "9999h": 86400}.items()
)
def test_a_time_limit_is_a_duration_or_seconds(text: str, seconds: float) -> None:
    for words in (("list", "--request-timeout", text), ("--request-timeout", text, "list")):
        assert build().parse_args(words).request_timeout == seconds
    assert build().parse_args(["list"]).request_timeout == 30


def test_a_mistyped_verb_gets_a_suggestion_and_a_missing_verb_the_help(command: CliCommand) -> None:
    assert "invalid choice: 'lsit'; did you mean \"list\"?" in command("job", "lsit").err
    assert "show a flow as a tree" in command().err
    assert "describe a Job" in command("job").err


@pytest.mark.parametrize("context", ["", "prd"])
def test_an_unknown_context_is_an_error_that_lists_the_contexts(
    context: str, command: CliCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("contexts: [{name: prod, context: {}}, {name: lab, context: {}}]\n")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    ran = command("list", *(["--context", context] if context else []))
    assert ran.code == 4
    assert "lab, prod" in ran.err
    assert ("current context" in ran.err) if not context else ('"prd" does not exist; did you mean "prod"?' in ran.err)


def test_an_empty_kubeconfig_is_an_error(command: CliCommand, tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    ran = command("list", "--kubeconfig", str(tmp_path / "config"))
    assert (ran.code, "no clusters, contexts and users in it" in ran.err) == (4, True)


MALFORMED = {
    "contexts that are no list": "contexts: word",
    "a context that is a word": "contexts: [word]",
    "a context with a word in it": "contexts: [{name: a, context: word}]",
    "a name that is a list": "contexts: [{name: [a], context: {}}]",
    "a namespace that is a number": "contexts: [{name: a, context: {namespace: 1}}]",
    "a list": "- a",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_kubeconfig_is_an_error_that_names_the_field(
    text: str, command: CliCommand, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(text)
    ran = command("list", "--kubeconfig", str(tmp_path / "config"))
    assert (ran.code, ran.out) == (4, "")
    assert f"{tmp_path / 'config'}: config: Expected `" in ran.err


def test_files_are_utf_8_in_every_locale(tmp_path: Path) -> None:
    name = write(
        tmp_path / "f.yaml", flow(step("a"), step("b", targets=["a"], **{"for": {"matrix": {"x": ["1"], "y": ["2"]}}}))
    )
    asked = [sys.executable, "-m", "cli.main", "graph", name, "-o", "svg"]
    ran = subprocess.run(asked, capture_output=True, check=True, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert "for 1 × 1" in ran.stdout.decode("utf-8")


def test_flags_may_come_before_or_after_the_verb() -> None:
    parser = build()
    assert parser.parse_args(["-n", "x", "list"]).namespace == "x"
    assert parser.parse_args(["list", "-n", "x"]).namespace == "x"
    assert parser.parse_args(["-n", "x", "list", "-n", "y"]).namespace == "y"


def test_without_a_cluster_the_error_says_how_to_configure_one(
    command: CliCommand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    ran = command("list")
    assert (ran.code, ran.out) == (4, "")
    assert "set $KUBECONFIG or use --kubeconfig FILE" in ran.err


def test_an_unexpected_error_is_one_line(command: CliCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.commands.about.version", lambda arguments: 1 / 0)
    ran = command("version")
    assert ran.code == 2
    assert len(lines(ran.err)) == 2
    monkeypatch.setenv("JOBFLOW_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["version"])


def test_colours_are_printed_on_terminals_only(tmp_path: Path) -> None:
    """Uses a child process, whose stdout is never a terminal."""
    name = write(tmp_path / "f.yaml", flow(step("a", "b")))
    ran = subprocess.run([sys.executable, "-m", "cli.main", "lint", name], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "\x1b" not in ran.stdout
    assert ran.stdout.startswith(f"{name}  JobFlow f")


def test_version_and_completion(command: CliCommand) -> None:
    assert command("version").out.startswith("jobflow ")
    assert command("--version") == command("version")
    assert set(command("version", "-o", "json").json) == {"version", "python", "api"}
    for shell in ("bash", "zsh", "fish"):
        ran = command("completion", shell)
        assert ran.code == 0
        assert "jobflow" in ran.out


def test_a_job_is_converted_to_a_template_and_back(command: CliCommand, tmp_path: Path) -> None:
    body = job()
    body["metadata"] |= {"uid": "u", "labels": {"team": "x", "flow.volcano.sh/step": "a"}, "resourceVersion": "7"}
    body["status"] = {"state": {"phase": "Running"}}
    ran = command("template", "from-job", write(tmp_path / "j.yaml", body))
    made = yaml.safe_load(ran.out)
    assert made == {
        "apiVersion": "flow.volcano.sh/v1alpha1",
        "kind": "JobTemplate",
        "metadata": {"name": "demo", "namespace": "ns1", "labels": {"team": "x"}},
        "spec": body["spec"],
    }
    back = yaml.safe_load(command("job", "from-template", write(tmp_path / "t.yaml", made), "--name", "again").out)
    assert (back["kind"], back["metadata"]["name"], back["spec"]) == ("Job", "again", body["spec"])


def test_placeholders_of_a_template_are_warned_about(command: CliCommand, tmp_path: Path) -> None:
    ran = command("job", "from-template", write(tmp_path / "t.yaml", template(queue="$(params.q)")))
    assert ran.code == 0
    assert ran.err == "Warning: only a JobFlow replaces these placeholders: $(params.q)\n"


def test_a_file_without_the_kind_is_exit_3(command: CliCommand, tmp_path: Path) -> None:
    ran = command("template", "from-job", write(tmp_path / "t.yaml", template()))
    assert (ran.code, ran.out) == (3, "")


def test_graph_refuses_a_cycle_and_prints_it(command: CliCommand, tmp_path: Path) -> None:
    ran = command("graph", write(tmp_path / "f.yaml", flow(step("a", "b"), step("b", "a"))))

    assert (ran.code, ran.out) == (1, "")
    assert "the steps wait for each other: a -> b -> a" in ran.err


# The redirections of a shell, the exit code, and what is on stderr.
REDIRECTED: dict[str, tuple[str, int, str]] = {
    "a full disk": ("lint examples > /dev/full", 2, "jobflow: the output cannot be written: No space left on device\n"),
    "a full disk for JSON": (
        "lint examples -o json > /dev/full",
        2,
        "jobflow: the output cannot be written: No space left on device\n",
    ),
    "a closed output": ("lint examples/first >&-", 0, ""),
    "a closed output of errors": ("lint nowhere 2>&-", 2, ""),
    "a full disk for errors": ("lint nowhere 2> /dev/full", 2, ""),
    "a reader that ends": ("lint examples | true; exit ${PIPESTATUS[0]}", 0, ""),
}


@pytest.mark.parametrize(("command", "code", "errors"), REDIRECTED.values(), ids=REDIRECTED.keys())
def test_output_that_cannot_be_written_ends_with_one_line_and_a_code(command: str, code: int, errors: str) -> None:
    program = "import sys; from cli.main import main; sys.exit(main())"
    shell = ["bash", "-c", f"{sys.executable} -c '{program}' {command}"]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, errors)
