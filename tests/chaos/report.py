"""The printed report: a line for each run, and a summary table."""

from collections import Counter
from collections.abc import Sequence

from tests.chaos.runner import RunResult


def line(number: int, result: RunResult) -> str:
    """`  7 seed 12    4.1 s ok        diamond loop | reset@0.3+1.2 x4 | submit 0.3 ...`; xN: how often it took effect."""
    verdict = "ok" if not result.violations else f"{len(result.violations)} WRONG"
    work = " ".join(result.plan.workloads)
    faults = " ".join(f"{each} x{result.injected.get(each.key, 0)}" for each in result.plan.faults)
    spent = " ".join(f"{name} {seconds:.1f}" for name, seconds in result.phases.items())
    head = f"{number:4d} seed {result.plan.seed:<6d} {result.seconds:5.1f} s {verdict:8s} {work} | {faults} | {spent}"
    return "\n".join([head, *(f"       {violation}" for violation in result.violations)])


def repeat_command(result: RunResult) -> str:
    return f"python -m tests.chaos --runs 1 --seed {result.plan.seed}"


def summary(results: Sequence[RunResult], general: Sequence[str], seconds: float) -> str:
    """`general`: violations that concern no single run."""
    faults = Counter(each.fault for result in results for each in result.plan.faults)
    wrong = Counter(each.fault for result in results if result.violations for each in result.plan.faults)
    work = Counter(name for result in results for name in result.plan.workloads)
    bad = [result for result in results if result.violations]
    injected = Counter(each.fault for result in results for each in result.plan.faults if result.injected.get(each.key))
    rows = [f"  {name:20s} {count:5d} {injected[name]:8d} {wrong[name]:5d}" for name, count in sorted(faults.items())]
    restarts = sum(result.restarts for result in results)
    texts = [
        "",
        f"  {'fault':20s} {'runs':>5s} {'injected':>8s} {'wrong':>5s}",
        *rows,
        "",
        f"  workloads: {', '.join(f'{name} {count}' for name, count in sorted(work.items()))}",
        f"  {len(results)} runs in {seconds:.0f} s, {restarts} processes restarted, {_memory(results)}",
        f"  {len(bad)} runs with a violation",
        *(f"  {violation}" for violation in general),
        *(f"  repeat: {repeat_command(result)}" for result in bad),
    ]
    return "\n".join(texts)


def _memory(results: Sequence[RunResult]) -> str:
    most: dict[str, float] = {}
    for result in results:
        for sample in result.samples:
            most[sample.name] = max(most.get(sample.name, 0.0), sample.memory)
    return "most memory " + ", ".join(f"{name} {most[name]:.0f} MiB" for name in sorted(most))
