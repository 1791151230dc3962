"""Parallel runs: each worker is a process with a cluster of its own and gets the next seed when it is free."""

import contextlib
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait

from local.processes import die_with_parent, exit_on_signals
from tests.chaos.chaos_cluster import ChaosCluster
from tests.chaos.plan import draw
from tests.chaos.recording.phase_recorder import PhaseRecorder
from tests.chaos.runner import RunResult, tried

_END_SECONDS = 60.0
_SPAWN = multiprocessing.get_context("spawn")  # a fork would share sockets and threads


def results(
    seeds: Sequence[int], workers: int, ends: float = float("inf"), work: Callable[[Connection], None] | None = None
) -> Iterator[RunResult]:
    """One result for each seed, in the order of the seeds; no run starts after `ends` (monotonic). `work`: of a worker.

    Raises RuntimeError if a worker ends before it has answered.
    """
    waiting = list(seeds)
    done: dict[int, RunResult] = {}
    with contextlib.ExitStack() as stack:
        count = min(workers, len(waiting)) if time.monotonic() < ends else 0
        busy = [stack.enter_context(_worker(work or _work)) for _ in range(count)]
        for pipe in list(busy):
            _deal(pipe, waiting, busy, ends)
        for seed in seeds:
            while seed not in done and busy:
                ready = wait(busy)
                for pipe in [each for each in busy if each in ready]:
                    result = _answer(pipe)
                    done[result.plan.seed] = result
                    _deal(pipe, waiting, busy, ends)
            if seed in done:
                yield done.pop(seed)


def _deal(pipe: Connection, waiting: list[int], busy: list[Connection], ends: float) -> None:
    if waiting and time.monotonic() < ends:
        pipe.send(waiting.pop(0))
    else:
        busy.remove(pipe)


def _answer(pipe: Connection) -> RunResult:
    try:
        result = pipe.recv()
    except EOFError:
        raise RuntimeError("a worker ended before its run did; its error is printed above") from None
    assert isinstance(result, RunResult)
    return result


@contextlib.contextmanager
def _worker(work: Callable[[Connection], None]) -> Iterator[Connection]:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=work, args=(theirs,))
    process.start()
    theirs.close()  # so that EOF is seen when the worker ends
    try:
        yield ours
    finally:
        ours.close()  # ends the worker
        process.join(_END_SECONDS)
        process.kill()


def _work(pipe: Connection) -> None:
    die_with_parent()
    exit_on_signals()
    with contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt):  # the parent has ended
        seed = pipe.recv()
        while True:
            with ChaosCluster() as cluster, PhaseRecorder(cluster.kubeconfig) as recorder:
                seed = _until_wrong(pipe, cluster, recorder, seed)


def _until_wrong(pipe: Connection, cluster: ChaosCluster, recorder: PhaseRecorder, seed: int) -> int:
    """Run seeds on one cluster until a run has violations, after which the cluster is replaced. Returns the next seed."""
    while True:
        result = tried(cluster, recorder, draw(seed))
        pipe.send(result)
        seed = pipe.recv()
        if result.violations:
            return seed
