"""Literals that a phase or outcome never has are found in every expression, with the value that was probably meant."""

import pytest

from shared.expressions import Program, ResultType, Scope, compile_expression, flow_scope, retry_scope, schedule_scope

SCOPE = flow_scope(["a", "b-c"], ["a", "b-c"], loop=True)
PHASES = "Waiting, Pending, Running, Retrying, Suspended, Completed, Failed, Skipped, Terminated"

NEVER = {
    'steps.a.phase == "Succeeded"': '1:18: the phase of a step is never "Succeeded"; did you mean "Completed"?',
    '"Succeeded" == steps["b-c"].phase': '1:1: the phase of a step is never "Succeeded"; did you mean "Completed"?',
    'steps.a.phase != "Error"': '1:18: the phase of a step is never "Error"; did you mean "Failed"?',
    'steps.a.phase in ["Failed", "failed"]': '1:29: the phase of a step is never "failed"; did you mean "Failed"?',
    'flow.outcome == "Succeeded"': '1:17: the outcome of a flow is never "Succeeded"; did you mean "Succeed"?',
    'flow.outcome == "Completed"': '1:17: the outcome of a flow is never "Completed"; did you mean "Succeed"?',
    'steps.a.iterations.all(r, r.phase == "Omitted")': '1:38: the phase of a step is never "Omitted"; did you mean "Skipped"?',
    'last.phase != "Cancelled"': '1:15: the phase of a step is never "Cancelled"; did you mean "Terminated"?',
    'true && (false || steps.a.phase == "Xyz")': f'1:36: the phase of a step is never "Xyz"; it is one of {PHASES}',
}
FINE = (
    'steps.a.phase == "Completed"',
    'steps.a.phase in ["Failed", "Terminated", "Skipped"]',
    'last.phase == ""',
    'flow.outcome == "DeadlineExceeded"',
    'steps.a.reason == "Succeeded"',
    'params.phase == "Succeeded"',
    "steps.a.phase == params.phase",
    'steps.a.phase.startsWith("Succ")',
    '["Succeeded"].exists(x, x == "Other")',
)


def doubts(text: str, scope: Scope = SCOPE) -> list[str]:
    found = compile_expression(text, scope, ResultType.BOOL)
    assert isinstance(found, Program), found
    return [str(doubt) for doubt in found.doubts]


@pytest.mark.parametrize(("text", "wanted"), NEVER.items())
def test_a_literal_that_never_matches_is_found(text: str, wanted: str) -> None:
    assert doubts(text) == [wanted]


@pytest.mark.parametrize("text", FINE)
def test_a_literal_that_can_match_gives_no_warning(text: str) -> None:
    scope = flow_scope(["a"], ["a"], params=["phase"], loop=True)
    assert doubts(text, scope) == []


def test_an_attempt_that_is_tried_again_has_failed_or_was_terminated() -> None:
    scope = retry_scope(["a"], [])
    assert doubts('attempt.phase == "Failed" || attempt.phase == "Terminated"', scope) == []
    assert doubts('attempt.phase == "Completed"', scope) == [
        '1:18: the phase of a failed attempt is never "Completed"; it is one of Failed, Terminated'
    ]


def test_the_last_run_of_a_schedule_has_the_phase_of_a_flow() -> None:
    assert doubts('last.phase == "Completed" && last.outcome == "Succeed"', schedule_scope()) == [
        '1:15: the phase of a flow is never "Completed"; did you mean "Succeed"?'
    ]


def test_the_values_of_a_whole_expression_are_known_if_it_is_a_phase() -> None:
    found = compile_expression("steps.a.phase", SCOPE, ResultType.STRING_INT_BOOL)
    assert isinstance(found, Program)
    assert found.values is not None
    assert found.values.values[0] == "Waiting"
    other = compile_expression("steps.a.reason", SCOPE, ResultType.STRING_INT_BOOL)
    assert isinstance(other, Program)
    assert other.values is None
