"""Runs the command in this process, always without colours."""

import pytest

from tests.cli.make import CliCommand


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CliCommand:
    for name in ("KUBECONFIG", "FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return CliCommand(capsys)
