"""What is printed: a line a run, and a table of what was tried."""

from collections import Counter
from collections.abc import Sequence

from tests.chaos.runner import RunResult


def line(number: int, result: RunResult) -> str:
    """`  7 seed 12    4.1 s ok        diamond loop | reset@0.3+1.2 x4 | submit 0.3 ...`; x: how often it struck."""
    verdict = "ok" if not result.complaints else f"{len(result.complaints)} WRONG"
    work = " ".join(result.plan.workloads)
    harms = " ".join(f"{each} x{result.struck.get(each.key, 0)}" for each in result.plan.harms)
    spent = " ".join(f"{name} {seconds:.1f}" for name, seconds in result.phases.items())
    head = f"{number:4d} seed {result.plan.seed:<6d} {result.seconds:5.1f} s {verdict:8s} {work} | {harms} | {spent}"
    return "\n".join([head, *(f"       {complaint}" for complaint in result.complaints)])


def again(result: RunResult) -> str:
    return f"python -m tests.chaos --runs 1 --seed {result.plan.seed}"


def summary(results: Sequence[RunResult], general: Sequence[str], seconds: float) -> str:
    """`general`: complaints that are about no single run."""
    harms = Counter(each.harm for result in results for each in result.plan.harms)
    wrong = Counter(each.harm for result in results if result.complaints for each in result.plan.harms)
    work = Counter(name for result in results for name in result.plan.workloads)
    bad = [result for result in results if result.complaints]
    struck = Counter(each.harm for result in results for each in result.plan.harms if result.struck.get(each.key))
    rows = [f"  {name:20s} {count:5d} {struck[name]:6d} {wrong[name]:5d}" for name, count in sorted(harms.items())]
    restarts = sum(result.restarts for result in results)
    told = [
        "",
        f"  {'harm':20s} {'runs':>5s} {'struck':>6s} {'wrong':>5s}",
        *rows,
        "",
        f"  workloads: {', '.join(f'{name} {count}' for name, count in sorted(work.items()))}",
        f"  {len(results)} runs in {seconds:.0f} s, {restarts} processes started again, {_memory(results)}",
        f"  {len(bad)} runs with a violation",
        *(f"  {complaint}" for complaint in general),
        *(f"  again: {again(result)}" for result in bad),
    ]
    return "\n".join(told)


def _memory(results: Sequence[RunResult]) -> str:
    most: dict[str, float] = {}
    for result in results:
        for sample in result.samples:
            most[sample.name] = max(most.get(sample.name, 0.0), sample.memory)
    return "most memory " + ", ".join(f"{name} {most[name]:.0f} MiB" for name in sorted(most))
