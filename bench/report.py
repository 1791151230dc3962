"""Turns runs into figures, and figures into JSON lines and a table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from bench.stats import Spread, short, spread
from shared.model.types import Body

OURS: Final = "jobflow"
PEER: Final = "peer"


class Run(msgspec.Struct, frozen=True):
    """One repeat of one load on one side. `load`: its letter; `values`: figures, and `by_verb`, a table of counts."""

    load: str
    title: str
    side: str
    values: Body


class Figure(msgspec.Struct, frozen=True):
    """One figure of one load on one side over its repeats."""

    load: str
    title: str
    side: str
    name: str
    values: tuple[float, ...]

    @property
    def spread(self) -> Spread:
        return spread(self.values)


def figures(runs: Iterable[Run]) -> list[Figure]:
    """The figures in the order of their first appearance."""
    found: dict[tuple[str, str, str], list[float]] = {}
    titles: dict[str, str] = {}
    for run in runs:
        titles.setdefault(run.load, run.title)
        for name, value in run.values.items():
            if isinstance(value, int | float):
                found.setdefault((run.load, name, run.side), []).append(float(value))
    return [Figure(load, titles[load], side, name, tuple(values)) for (load, name, side), values in found.items()]


def ratios(found: Sequence[Figure]) -> dict[tuple[str, str], float]:
    """(load, figure) -> ours divided by the peer's, by medians, where both sides have it and the peer's is not 0."""
    medians = {(each.load, each.name, each.side): each.spread.median for each in found}
    return {
        (load, name): value / medians[load, name, PEER]
        for (load, name, side), value in medians.items()
        if side == OURS and medians.get((load, name, PEER))
    }


def lines(head: Mapping[str, Any], runs: Sequence[Run]) -> list[Body]:
    """The JSON lines of a report: a header, one line per figure, and one line per table of counts."""
    found = figures(runs)
    beside = ratios(found)
    made: list[Body] = [{"kind": "run", **head}]
    for each in found:
        line: Body = {"kind": "figure", "load": each.load, "title": each.title, "side": each.side, "figure": each.name}
        line |= {"median": _rounded(each.spread.median), "values": [_rounded(value) for value in each.values]}
        if each.side == OURS and (each.load, each.name) in beside:
            line["ratio"] = round(beside[each.load, each.name], 3)
        made.append(line)
    for run in _last_of_each(runs):
        if run.values.get("by_verb"):
            made.append(
                {"kind": "requests_per_step", "load": run.load, "side": run.side, "counts": run.values["by_verb"]}
            )
    return made


def table(runs: Sequence[Run]) -> Table:
    """Load, figure, ours, the peer's, ratio."""
    found = figures(runs)
    beside = ratios(found)
    cells = {(each.load, each.name, each.side): str(each.spread) for each in found}
    sides = [side for side in (OURS, PEER) if any(each.side == side for each in found)]
    made = Table("load", "figure", *sides, *(["ratio"] if len(sides) > 1 else []))
    last = ""
    for load, name in dict.fromkeys((each.load, each.name) for each in found):
        title = next(each.title for each in found if each.load == load)
        row = [
            f"({load}) {title}" if load != last else "",
            name,
            *(cells.get((load, name, side), "") for side in sides),
        ]
        if len(sides) > 1:
            row.append(short(beside[load, name]) if (load, name) in beside else "")
        if last and load != last:
            made.add_section()
        made.add_row(*row)
        last = load
    return made


def show(runs: Sequence[Run]) -> None:
    Console(soft_wrap=True).print(table(runs))


def _last_of_each(runs: Sequence[Run]) -> list[Run]:
    return list({(run.load, run.side): run for run in runs}.values())


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
