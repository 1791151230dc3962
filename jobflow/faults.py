"""Faults of a flow, each with the line of Python that caused it."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import msgspec


class LintFault(msgspec.Struct, frozen=True):
    """`file`, `line`: of the Python that wrote the field; `path`: of the field in `object`, a Kubernetes object."""

    file: str
    line: int
    object: str
    path: str
    message: str
    severity: str = "error"

    def __str__(self) -> str:
        said = f"{self.path}: {self.message}" if self.path else self.message
        return f"{_short(self.file)}:{self.line}: {self.severity}: {self.object}: {said}"


class LintReport(msgspec.Struct, frozen=True):
    """All faults of a flow. `not_judged`: checks that need a cluster, such as policies that read usage."""

    faults: tuple[LintFault, ...]
    not_judged: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[LintFault, ...]:
        """The faults for which the cluster would refuse the flow."""
        return tuple(each for each in self.faults if each.severity == "error")

    @property
    def warnings(self) -> tuple[LintFault, ...]:
        return tuple(each for each in self.faults if each.severity != "error")

    @property
    def ok(self) -> bool:
        return not self.errors

    def raise_errors(self) -> None:
        """Raises FlowError if there are errors."""
        if self.errors:
            raise FlowError(self.errors)

    def __iter__(self) -> Iterator[LintFault]:
        return iter(self.faults)

    def __len__(self) -> int:
        return len(self.faults)

    def __bool__(self) -> bool:
        """Whether there is no error."""
        return self.ok

    def __str__(self) -> str:
        return "\n".join((*map(str, self.faults), self._summary()))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(_short(each.file))}:{each.line}</td><td>{escape(each.severity)}</td>"
            f"<td>{escape(each.object)}</td><td>{escape(each.path)}</td>"
            f"<td style='text-align:left'>{escape(each.message)}</td></tr>"
            for each in self.faults
        )
        return f"<table>{rows}</table><p>{escape(self._summary())}</p>"

    def _summary(self) -> str:
        errors, warnings = len(self.errors), len(self.warnings)
        if not self.faults:
            return "no faults"
        return f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"


class FlowError(ValueError):
    """A flow that the cluster would refuse. `faults`: all of them."""

    def __init__(self, faults: Sequence[LintFault]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  {each}" for each in faults)
        super().__init__(f"the flow has {len(faults)} fault{'s' * (len(faults) != 1)}:\n{lines}")


def _short(file: str) -> str:
    """Below the working folder without it; a cell of a notebook as such."""
    path = Path(file)
    if "ipykernel_" in file:
        return "cell"
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return file
