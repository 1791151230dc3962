"""Functions as Jobs. The Job gets the source text of the function and its arguments as JSON; nothing is pickled."""

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, Final, Unpack

from jobflow.expressions.cel_value import CelValue
from jobflow.jobs.arguments import JobArguments
from jobflow.manifests.json_values import Json, plain
from jobflow.steps.kinds import JobStep
from jobflow.steps.step import Outputs

_MOST: Final = 4096  # bytes of a termination message that Kubernetes keeps
_CONVERTED: Final = {int: "int", float: "float"}
_RUNNER: Final = """

def _run():
    import json, os
    given = json.loads(os.environ["JOBFLOW_ARGUMENTS"])
    convert = {"int": int, "float": float, "str": str}
    for name, kind in given["texts"].items():
        given["values"][name] = convert[kind](os.environ["JOBFLOW_TEXT_" + name])
    result = FUNCTION(**given["values"])
    if result is None:
        return
    message = result if isinstance(result, str) else json.dumps(result)
    if len(message.encode()) > MOST:
        raise SystemExit("the result has more than MOST bytes: write it to a volume, and return where it is")
    with open("/dev/termination-log", "w") as log:
        log.write(message)

_run()
"""


class FunctionJob:
    """A function that makes a step where it is called: see `job`. `function`: itself, to call it in tests."""

    def __init__(self, function: Callable[..., object], outputs: Outputs, arguments: JobArguments) -> None:
        self.function: Final = function
        self._outputs = outputs
        self._arguments = arguments
        self._source = _source(function)

    def __call__(self, *values: Json, step: str = "", **named: Json) -> JobStep:
        """The step; its name is that of the function, or `step`. Raises TypeError for arguments that do not fit."""
        given = inspect.signature(self.function).bind(*values, **named).arguments
        texts = {name: value for name, value in given.items() if isinstance(value, CelValue)}
        annotations = inspect.get_annotations(self.function)
        kinds = {name: _CONVERTED.get(_type(annotations.get(name)), "str") for name in texts}
        fixed = {name: plain(value) for name, value in given.items() if name not in texts}
        env: dict[str, str | CelValue | Mapping[str, Json]] = {
            "JOBFLOW_ARGUMENTS": _escaped(json.dumps({"values": fixed, "texts": kinds})),
            **{f"JOBFLOW_TEXT_{name}": value for name, value in texts.items()},
        }
        arguments: Any = {**self._arguments, "env": {**self._arguments.get("env", {}), **env}}
        name = step or self.function.__name__.strip("_").replace("_", "-")
        return JobStep(name, outputs=self._outputs, command=["python", "-c", self._source], **arguments)


def job(*, outputs: Outputs = (), **arguments: Unpack[JobArguments]) -> Callable[[Callable[..., object]], FunctionJob]:
    """`@job(image="python:3.13-slim", outputs=["rows"])` before a function: each call of it within a flow is a step.

    The function must stand on its own: it imports what it needs inside. Arguments are JSON, or references such as
    `flow.params.day` and `other.outputs["rows"]`, which arrive as texts, or as numbers where the annotation says int or
    float. What it returns is the termination message: a dict has its outputs as keys.
    """
    for name in ("command", "script", "template", "spec", "tasks"):
        if name in arguments:
            raise TypeError(f"@job runs the function, so {name}= cannot be given")

    def decorate(function: Callable[..., object]) -> FunctionJob:
        return FunctionJob(function, outputs, arguments)

    return decorate


def _source(function: Callable[..., object]) -> str:
    """The function's text without decorators, and what calls it."""
    _check_alone(function)
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except OSError as error:
        raise ValueError(f"@job needs the text of {function.__name__}: define it in a file or a notebook") from error
    node = ast.parse(text).body[0]
    if not isinstance(node, ast.FunctionDef):
        raise TypeError(f"@job takes a function written with def; {function.__name__} is not one")
    node.decorator_list = []
    runner = _RUNNER.replace("FUNCTION", node.name).replace("MOST", str(_MOST))
    return _escaped(ast.unparse(ast.Module([_Plain().visit(node)], [])) + runner)


class _Plain(ast.NodeTransformer):
    """Takes annotations off: their names need not exist where the function runs."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        if node.value is None:
            return ast.Pass()
        return ast.copy_location(ast.Assign([node.target], node.value), node)


def _check_alone(function: Callable[..., object]) -> None:
    """Raises ValueError for names from outside of the function."""
    if not inspect.isfunction(function):
        raise TypeError(f"@job takes a function; {function!r} is not one")
    found = inspect.getclosurevars(function)
    outside = sorted({*found.globals, *found.nonlocals})
    if outside:
        raise ValueError(
            f"{function.__name__} uses {', '.join(outside)} from outside, which the Job does not have: import or define it "
            "inside of the function, or pass it as an argument"
        )


def _type(annotation: object) -> Any:
    return {"int": int, "float": float}.get(annotation, annotation) if isinstance(annotation, str) else annotation


def _escaped(text: str) -> str:
    """`$(` as it is, for Kubernetes and for us."""
    return text.replace("$(", "$$(")
