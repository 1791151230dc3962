"""python -m bench [--loads a,b] [--repeats 3] [--backend embedded|real] [--scale 0.1] [--out FILE]

BENCH_PEER=CMD runs the same loads against another JobFlow controller as well, in turn with ours (see bench/peer.py).
"""

import argparse
import asyncio
import gc
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from bench import report
from bench.cluster import BenchCluster, bench_cluster_on, cluster_of
from bench.loads import LOADS
from bench.peer import Side, sides
from bench.procstat import load_average
from bench.report import Run
from local.cluster import LocalCluster
from local.processes import exit_on_signals


def main(argv: Sequence[str] | None = None) -> int:
    settings = _parser().parse_args(argv)
    unknown = set(settings.loads) - LOADS.keys()
    if unknown:
        print(f"unknown load {', '.join(sorted(unknown))}; loads: {', '.join(LOADS)}", file=sys.stderr)
        return 2
    exit_on_signals()
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")  # as in the images
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    runs: list[Run] = []
    head = _head(settings)
    with (
        cluster_of(settings.backend, os.environ.get("BENCH_PEER_CRDS", "")) as cluster,
        asyncio.Runner(loop_factory=_loop()) as runner,
    ):
        failed = runner.run(_measure(cluster, settings, head, runs))
    report.show(runs)
    return 1 if failed else 0


async def _measure(cluster: LocalCluster, settings: argparse.Namespace, head: dict[str, Any], runs: list[Run]) -> bool:
    """Run every load, each repeat on every side in turn. Returns whether a run failed; a failure does not end the others."""
    failed = False
    async with bench_cluster_on(cluster) as bench_cluster:
        for repeat in range(settings.repeats):
            for letter in settings.loads:
                for side in sides() if LOADS[letter].beside else sides()[:1]:
                    run = await _one(bench_cluster, side, letter, repeat, settings.scale)
                    failed = failed or run is None
                    runs += [run] if run else []
                    _write(settings.out, {**head, "load_average_after": load_average()}, runs)
    return failed


def _write(out: Path | None, head: dict[str, Any], runs: Sequence[Run]) -> None:
    """Write the report after every run, so that an interrupted benchmark has a report too."""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in report.lines(head, runs)))


async def _one(bench_cluster: BenchCluster, side: Side, letter: str, repeat: int, scale: float) -> Run | None:
    load = LOADS[letter]
    started = time.perf_counter()
    try:
        async with asyncio.timeout(load.seconds):
            values = await load.measure(bench_cluster, side, scale)
    except Exception as fault:  # noqa: BLE001 - reported; the other loads still run
        print(f"({letter}) {side.name} {repeat}: {type(fault).__name__}: {fault}", file=sys.stderr, flush=True)
        return None
    shown = {name: round(value, 4) for name, value in values.items() if isinstance(value, int | float)}
    took = time.perf_counter() - started
    print(f"({letter}) {side.name} {repeat}: {shown} [{took:.0f} s in all, load {load_average():.1f}]", file=sys.stderr)
    sys.stderr.flush()
    return Run(letter, load.title, side.name, values | {"load_average": load_average()})


def _head(settings: argparse.Namespace) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 - the date of a report
        "backend": settings.backend or "embedded",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "repeats": settings.repeats,
        "scale": settings.scale,
        "peer": bool(os.environ.get("BENCH_PEER")),
        "access": os.environ.get("BENCH_ACCESS", "kubeconfig"),
        "load_average_before": load_average(),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks: JSON lines and a table.")
    letters = "; ".join(f"{letter}: {load.title}" for letter, load in LOADS.items())
    parser.add_argument("--loads", type=lambda text: text.split(","), default=list(LOADS), help=letters)
    parser.add_argument("--repeats", type=int, default=3)
    usual = "real" if os.environ.get("KUBEBUILDER_ASSETS") else "embedded"
    parser.add_argument("--backend", choices=("embedded", "real"), default=usual, help="default: %(default)s")
    parser.add_argument("--scale", type=float, default=0.1, help="of loads e, h and m (default %(default)s)")
    parser.add_argument("--out", type=Path, help="file for the JSON lines")
    return parser


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
