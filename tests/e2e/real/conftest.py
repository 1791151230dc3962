"""Comparisons with a real kube-apiserver: collected only with `--backend=real`, since the embedded server has no such rules."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if config.getoption("--backend") != "real" and collection_path.name.startswith("test_") else None
