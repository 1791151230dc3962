"""A scope, bindings, and helpers to compile and evaluate expressions."""

from typing import Any

from shared.expressions import (
    EvalError,
    Problem,
    Program,
    ResultType,
    Scope,
    binding_of_flow,
    binding_of_step,
    compile_expression,
    evaluate,
    flow_scope,
)

STEPS = ("train", "evaluate", "n-m", "2nd", "later")
SCOPE = flow_scope(
    STEPS,
    upstream=("train", "evaluate", "n-m", "2nd"),
    outputs={"train": ["loss", "list"], "evaluate": ["grade"]},
    params=["n", "text"],
    loop=True,
    own_outputs=["loss"],
)


def program(text: str, scope: Scope = SCOPE, result: ResultType = ResultType.VALUE) -> Program:
    """The compiled text. Fails the test if it has problems."""
    compiled = compile_expression(text, scope, result)
    assert isinstance(compiled, Program), [str(problem) for problem in compiled]
    return compiled


def problems(text: str, scope: Scope = SCOPE, result: ResultType = ResultType.VALUE) -> tuple[Problem, ...]:
    """The problems of the text. Fails the test if it compiles."""
    compiled = compile_expression(text, scope, result)
    assert not isinstance(compiled, Program), f"{text} compiles"
    return compiled


def bindings(**changes: Any) -> dict[str, Any]:
    """Values for everything in SCOPE."""
    train = binding_of_step(
        "Completed",
        attempts=2,
        exit_code=0,
        outputs={"loss": "0.25", "list": "a,b,c"},
        pods_succeeded=3,
        pods_failed=1,
        iterations=[binding_of_step("Completed", outputs={"loss": str(index), "list": ""}) for index in range(3)],
    )
    return {
        "steps": {
            "train": train,
            "evaluate": binding_of_step("Failed", reason="OOMKilled", exit_code=137, outputs={"grade": "A"}),
            "n-m": binding_of_step("Skipped"),
            "2nd": binding_of_step("Completed"),
        },
        "params": {"n": "3", "text": "x"},
        "flow": binding_of_flow("night", "team-a", {"app": "demo"}, {"note": "hi"}),
        "item": {"name": "blue", "size": 2},
        "index": 1,
        "last": binding_of_step("Completed", outputs={"loss": "0.5"}),
        **changes,
    }


def value(text: str, result: ResultType = ResultType.VALUE, **changes: Any) -> Any | EvalError:
    """The value of the text with bindings()."""
    return evaluate(program(text, result=result), bindings(**changes))
