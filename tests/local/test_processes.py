"""Processes of the local cluster are restarted as they were started."""

import sys
from pathlib import Path

from local.processes import Processes


def test_a_restarted_process_has_the_environment_it_was_started_with(tmp_path: Path) -> None:
    program = "import os; print(os.environ.get('JOBFLOW_TEST', 'nothing'), flush=True)"
    with Processes(tmp_path) as processes:
        processes.start("child", [sys.executable, "-c", program], {"JOBFLOW_TEST": "kept"}).wait(20)
        processes.restart("child").wait(20)

    assert (tmp_path / "child.log").read_text().split() == ["kept", "kept"]
