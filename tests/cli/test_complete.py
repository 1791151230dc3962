"""Completion: words of the command, the kubeconfig and the folder; nothing if the cluster cannot be reached."""

import io
import os
from pathlib import Path

import pytest
import yaml

from cli.kubectl_completion import completions, main

CONTEXTS = {"contexts": [{"name": "lab", "context": {}}, {"name": "prod", "context": {"namespace": "vision"}}]}


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with two files, a kubeconfig without clusters; environment variables of completion are removed."""
    monkeypatch.setattr("argcomplete.finders.CompletionFinder._init_debug_stream", lambda finder: None)  # takes fd 9
    monkeypatch.setattr("argcomplete.io.debug_stream", io.StringIO())  # else stderr as it was at the first import
    monkeypatch.setattr(os, "environ", dict(os.environ) | {"KUBECONFIG": str(tmp_path / "kubeconfig")})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(CONTEXTS))
    for name in ("flow.yaml", "flow.svg"):
        (tmp_path / name).touch()


CASES: dict[str, tuple[list[str], list[str]]] = {
    "a verb": (["st"], ["status", "stop"]),
    "a verb of a group": (["queue", "c"], ["close"]),
    "a format": (["list", "-o", "w"], ["wide"]),
    "a context": (["list", "--context", ""], ["lab", "prod"]),
    "manifests only": (["lint", "fl"], ["flow.yaml"]),
    "a file or a name": (["run", "f"], ["flow.yaml"]),
    "flags once they are begun": (["status", "--w"], ["--watch"]),
    "names without a cluster": (["status", "x"], []),
}


@pytest.mark.parametrize("case", CASES)
def test_words_are_completed(case: str) -> None:
    asked, wanted = CASES[case]
    assert [word.partition("\t")[0] for word in completions(asked)] == wanted


def test_completions_for_kubectl_have_its_format(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["kubectl_complete-jobflow", "que"])
    assert main() == 0
    assert capsys.readouterr().out == "queue\tQueues: list, get, open, close\n:4\n"
