"""Runs into figures, lines and a table."""

from typing import Any

import orjson
from rich.console import Console

from bench.report import OURS, PEER, Run, figures, lines, ratios, table

TITLE = "a load"


def a_run(seconds: float, side: str = OURS, load: str = "b", **more: Any) -> Run:
    return Run(load, TITLE, side, {"seconds": seconds} | more)


BOTH = [a_run(2), a_run(4), a_run(3), a_run(10, PEER), a_run(6, PEER)]


def test_repeated_results_are_combined_into_one_with_its_spread() -> None:
    found = {(each.side, each.name): str(each.spread) for each in figures(BOTH)}
    assert found == {(OURS, "seconds"): "3 [2-4]", (PEER, "seconds"): "8 [6-10]"}


def test_ratios_are_computed_from_medians_if_both_sides_have_the_result() -> None:
    runs = [*BOTH, a_run(1, reads=5), a_run(1, load="c"), a_run(1, PEER, "d")]
    assert ratios(figures(runs)) == {("b", "seconds"): 2.5 / 8}


def test_a_result_of_zero_of_the_peer_gives_no_ratio() -> None:
    assert ratios(figures([a_run(1), a_run(0, PEER)])) == {}


def test_result_lines_contain_a_header_all_results_and_the_last_table_of_requests() -> None:
    runs = [a_run(2, by_verb={"create jobs": 1.0}), a_run(4, by_verb={"create jobs": 1.5}), a_run(6, PEER)]
    made = lines({"backend": "real"}, runs)
    assert [orjson.loads(orjson.dumps(each)) for each in made] == [
        {"kind": "run", "backend": "real"},
        {
            "kind": "figure",
            "load": "b",
            "title": TITLE,
            "side": OURS,
            "figure": "seconds",
            "median": 3.0,
            "values": [2.0, 4.0],
            "ratio": 0.5,
        },
        {
            "kind": "figure",
            "load": "b",
            "title": TITLE,
            "side": PEER,
            "figure": "seconds",
            "median": 6.0,
            "values": [6.0],
        },
        {"kind": "requests_per_step", "load": "b", "side": OURS, "counts": {"create jobs": 1.5}},
    ]


def printed(runs: list[Run]) -> str:
    console = Console(width=120, force_terminal=False)
    with console.capture() as capture:
        console.print(table(runs))
    return capture.get()


def test_the_table_shows_both_sides_and_the_ratio() -> None:
    shown = printed(BOTH)
    assert all(text in shown for text in ("(b) a load", "3 [2-4]", "8 [6-10]", "0.375", "ratio"))


def test_without_a_peer_the_table_has_no_column_for_it() -> None:
    shown = printed([a_run(2)])
    assert "ratio" not in shown
    assert PEER not in shown


def test_tables_of_counts_are_not_results() -> None:
    assert [each.name for each in figures([a_run(2, by_verb={"create jobs": 1.0})])] == ["seconds"]
