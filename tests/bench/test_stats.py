"""Medians, percentiles, and figures from /proc."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.procstat import parse, tree_cpu, usage
from bench.stats import percentile, percentiles, short, spread

PERCENTILES = {
    "the median of an odd number": ([3, 1, 2], 50, 2),
    "the median of an even number": ([4, 1, 2, 3], 50, 2.5),
    "of one": ([7], 99, 7),
    "between two": ([0, 10], 99, 9.9),
    "the least": ([5, 6], 0, 5),
    "the most": ([5, 6], 100, 6),
}


@pytest.mark.parametrize(("values", "percent", "wanted"), PERCENTILES.values(), ids=PERCENTILES)
def test_percentiles(values: list[float], percent: float, wanted: float) -> None:
    assert percentile(values, percent) == pytest.approx(wanted)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 100))
def test_a_percentile_lies_between_the_ends(values: list[float], percent: float) -> None:
    assert min(values) - 1e-6 <= percentile(values, percent) <= max(values) + 1e-6


def test_an_empty_list_has_no_percentile() -> None:
    assert percentiles([], "ms", 50) == {}
    assert percentiles([1.0, 2.0], "ms", 50, 100) == {"ms_p50": 1.5, "ms_p100": 2.0}
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


SHORT = {0: "0", 1234.5: "1234", 12.345: "12.3", 0.012345: "0.0123", 2.0: "2", 100.0: "100"}


@pytest.mark.parametrize(("value", "wanted"), SHORT.items())
def test_values_are_rounded_to_three_digits(value: float, wanted: str) -> None:
    assert short(value) == wanted


def test_a_spread_of_equal_values_is_one_number() -> None:
    assert str(spread([2.0, 2.0])) == "2"
    assert str(spread([3.0, 1.0, 2.0])) == "2 [1-3]"


def test_proc_stat_is_parsed_after_the_command_name() -> None:
    stat = "42 (a) b (c) S " + " ".join(str(number) for number in range(4, 53))
    status = "Name:\ta) b (c\nVmPeak:\t 9 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t1\n"
    used = parse(stat, status, ticks=10)
    assert (used.cpu, used.peak, used.resident) == ((14 + 15) / 10, 2.0, 1.0)


def test_the_memory_of_this_process_is_measured() -> None:
    used = usage(os.getpid())
    assert used.peak >= used.resident > 0


def a_process(proc: Path, pid: int, ticks: int, *children: int) -> None:
    folder = proc / str(pid)
    (folder / "task" / str(pid)).mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} (x) " + " ".join(["0"] * 11 + [str(ticks), "0"] + ["0"] * 30))
    (folder / "status").write_text("VmHWM: 1 kB\nVmRSS: 1 kB\n")
    (folder / "task" / str(pid) / "children").write_text(" ".join(map(str, children)))


def test_the_cpu_time_of_a_process_tree_includes_all_running_processes(tmp_path: Path) -> None:
    a_process(tmp_path, 1, 100, 2, 3)
    a_process(tmp_path, 2, 200, 4)
    a_process(tmp_path, 4, 300)
    ticks = os.sysconf("SC_CLK_TCK")
    assert tree_cpu(1, tmp_path) == pytest.approx(600 / ticks)
