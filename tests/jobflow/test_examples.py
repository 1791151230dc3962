"""The examples in Python: they type-check strictly, and the cluster would take them."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from jobflow import Flow

EXAMPLES: Final = sorted(Path("examples/python").glob("*.py"))


def test_mypy_strict_has_nothing_against_them(tmp_path: Path) -> None:
    """As users check their own flows: nothing but the types that the package shows."""
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), *map(str, EXAMPLES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_cluster_would_take_it(file: Path) -> None:
    flow = runpy.run_path(str(file))["flow"]
    assert isinstance(flow, Flow)
    assert list(flow.lint()) == []
