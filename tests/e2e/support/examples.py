"""The expected result of each file in examples/, as its comment describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class ExampleFlow:
    """How a flow ends. `completed` and the like: names of steps; `jobs`: how many Jobs it made and kept."""

    phase: str = "Succeed"
    completed: str = ""
    failed: str = ""
    skipped: Mapping[str, str] = field(default_factory=dict)  # step -> reason
    terminated: str = ""
    waiting: str = ""
    jobs: int = 0
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # step -> its outputs
    attempts: Mapping[str, int] = field(default_factory=dict)  # where a step took more than one
    outcome: str = ""
    batch_jobs: tuple[str, ...] = ()  # Jobs of batch/v1, which nobody runs on the embedded API server

    @property
    def steps(self) -> dict[str, str]:
        by_phase = {
            "Completed": self.completed.split(),
            "Failed": self.failed.split(),
            "Skipped": list(self.skipped),
            "Terminated": self.terminated.split(),
            "Waiting": self.waiting.split(),
        }
        return {step: phase for phase, steps in by_phase.items() for step in steps}


@dataclass(frozen=True)
class ExampleJob:
    """How a Job ends, and what its status counts by then."""

    phase: str = "Completed"
    counts: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


GONE: Final = ExampleFlow("")  # it succeeded and was deleted
BAD: Final = "UpstreamFailed"
FALSE: Final = "ConditionFalse"
NOT_SELECTED: Final = "NotSelected"
STOPPED: Final = "FlowStopped"

FLOWS: Final[Mapping[str, ExampleFlow]] = {
    "chain": ExampleFlow(completed="extract transform load", jobs=3),
    "diamond": ExampleFlow(completed="load clean index merge", jobs=4),
    "fan-out": ExampleFlow(completed="europe asia america gather", jobs=4),
    "any": ExampleFlow(completed="fast-mirror slow-mirror use", jobs=3),
    "approve": ExampleFlow(phase="Failed", completed="build", failed="release", skipped={"ship": BAD}, jobs=1),
    "sub-flow": ExampleFlow(completed="region publish", jobs=1, outputs={"region": {"rows": "40"}}),
    "resource": ExampleFlow(completed="train", outputs={"train": {"succeeded": "2"}}, batch_jobs=("resource-train",)),
    "params": ExampleFlow(completed="train", jobs=1),
    "parallelism": ExampleFlow(completed="part-1 part-2 part-3 part-4 part-5 part-6", jobs=6),
    "if": ExampleFlow(
        completed="check backup start", skipped={"migrate": FALSE}, jobs=3, outputs={"check": {"changed": "false"}}
    ),
    "switch": ExampleFlow(
        completed="train evaluate route deploy announce",
        skipped={"retrain": NOT_SELECTED, "notify": NOT_SELECTED},
        jobs=4,
        outputs={"evaluate": {"grade": "B"}},
    ),
    "for-items": ExampleFlow(completed="fetch report", jobs=4),
    "for-tolerate": ExampleFlow(completed="scan report", jobs=4),
    "for-matrix": ExampleFlow(completed="sweep pick", jobs=5, outputs={"sweep": {"score": "0.01x8"}}),
    "for-range": ExampleFlow(completed="shard", jobs=4),
    "for-expression": ExampleFlow(
        completed="list convert", jobs=4, outputs={"list": {"files": '["a.csv", "b.csv", "c.csv"]'}}
    ),
    "for-while": ExampleFlow(completed="train publish", jobs=5, outputs={"train": {"accuracy": "0.35"}}),
    "retry": ExampleFlow(completed="fetch", failed="wrong", jobs=4, attempts={"fetch": 3, "wrong": 1}),
    "outputs": ExampleFlow(
        completed="extract load",
        skipped={"archive": FALSE},
        jobs=2,
        outputs={"extract": {"rows": "1200", "table": "events"}},
    ),
    "finally": ExampleFlow(
        "Failed", "clean-up alarm", "train", {"publish": BAD, "praise": FALSE}, jobs=3, outcome="Failed"
    ),
    "allow-failure": ExampleFlow(completed="release", failed="lint", jobs=2),
    "on-failure": ExampleFlow("Failed", "roll-back report", "deploy", {"smoke-test": BAD}, jobs=3),
    "failure-strategy-stop": ExampleFlow("Failed", "slow", "bad", {"after-slow": STOPPED}, jobs=2),
    "failure-strategy-continue": ExampleFlow("Failed", "slow after-slow", "bad", jobs=3),
    "failure-strategy-fail-fast": ExampleFlow("Failed", "", "bad", {"after-slow": STOPPED}, "slow", jobs=2),
    "deadline": ExampleFlow("Failed", failed="ping", terminated="train", jobs=2, outcome="DeadlineExceeded"),
    "ttl": GONE,
    "suspend": ExampleFlow("Suspended", waiting="prepare train"),
    "daemon": ExampleFlow(completed="server client", jobs=2),
    "probe-tcp": ExampleFlow(completed="database load", jobs=2),
    "probe-task-status": ExampleFlow(completed="train monitor", jobs=2),
    "patch-job-spec": ExampleFlow(completed="small large", jobs=2),
    "patch-json": ExampleFlow(completed="train", jobs=1),
    "volcano-patch-and-probe": ExampleFlow(completed="volcano-patch-and-probe-web check", jobs=2),
}

JOBS: Final[Mapping[str, ExampleJob]] = {
    "tensorflow": ExampleJob(counts={"minAvailable": 3}),
    "mpi": ExampleJob(),
    "pytorch": ExampleJob(counts={"succeeded": 3}),
    "ray": ExampleJob(),
    "job-retry": ExampleJob(counts={"succeeded": 3, "retryCount": 2}),
    "task-retry": ExampleJob(counts={"succeeded": 4, "retryCount": 0}),
    "timeout-retry": ExampleJob("Aborted", reason="PodPending"),
    "data-pipeline": ExampleJob(counts={"succeeded": 6}),
    "ml-workflow": ExampleJob(counts={"succeeded": 6}),
    "scaling": ExampleJob(counts={"succeeded": 2}),
    "volumes": ExampleJob(counts={"succeeded": 2}),
    "min-success": ExampleJob(counts={"succeeded": 2}),
}
