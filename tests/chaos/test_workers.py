"""Parallel runs: results come in the order of the seeds, and a dead worker ends the suite."""

import time
from multiprocessing.connection import Connection

import pytest

from tests.chaos.plan import draw
from tests.chaos.runner import RunResult
from tests.chaos.workers import results


def even_seeds_are_slow(pipe: Connection) -> None:
    try:
        while True:
            seed = pipe.recv()
            if seed % 2 == 0:
                time.sleep(0.2)
            pipe.send(RunResult(draw(seed), [], 0.0))
    except EOFError:
        return


def dies(pipe: Connection) -> None:
    pipe.recv()


def test_results_come_in_the_order_of_their_seeds() -> None:
    texts = [result.plan for result in results(range(10, 20), 2, work=even_seeds_are_slow)]
    assert texts == [draw(seed) for seed in range(10, 20)]


def test_no_run_is_started_after_the_end_time() -> None:
    assert list(results(range(5), 2, ends=0.0, work=even_seeds_are_slow)) == []


def test_a_worker_that_dies_ends_the_suite() -> None:
    with pytest.raises(RuntimeError, match="ended before its run did"):
        list(results(range(5), 1, work=dies))
