"""What `wait(progress=True)` writes where there is no terminal."""

import pytest

from jobflow.cluster.progress import shown
from jobflow.cluster.run_state import RunSnapshot, state_of
from shared.model.types import Body


def state(*phases: str) -> RunSnapshot:
    steps: list[Body] = [{"name": f"s{place}", "phase": phase} for place, phase in enumerate(phases)]
    return state_of(
        {"metadata": {"name": "f"}, "spec": {"flows": steps}, "status": {"state": {"phase": "Running"}, "steps": steps}}
    )


def test_a_line_is_written_for_each_change_and_not_for_the_time_that_passes(capsys: pytest.CaptureFixture[str]) -> None:
    with shown("f", True) as show:
        for seconds, phases in enumerate((("Running", "Waiting"),) * 3 + (("Completed", "Running"),) * 3):
            show(state(*phases), float(seconds))
    assert [line.split()[1:4] for line in capsys.readouterr().err.splitlines()] == [
        ["0/2", "0s", "Running"],
        ["━━━━━━━━━━", "1/2", "3s"],
    ]
