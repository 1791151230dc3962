"""The stored objects of one schedule, while processes decide and crash, two of them lead, and users edit it."""

from dataclasses import dataclass, field

import msgspec

from controller.cronjob.decide import decide as decide_cron_job
from controller.cronjobflow.decide import decide as decide_cron_job_flow
from controller.decision import Action, Create, Decision, Delete
from shared.kinds import CRONJOB, CRONJOBFLOW, Kind
from shared.model.types import Body
from shared.names import CRON_SCHEDULED, CRONJOB_SCHEDULED
from shared.timestamp import epoch, rfc3339

START = int(epoch("2026-03-28T00:00:00Z"))
"""The schedule is created here, a day before clocks change in Europe."""
ALL_WRITES = 1000
_JOBS: Body = {"jobTemplate": {"spec": {"tasks": [{"name": "w", "replicas": 1}]}}}
_FLOWS: Body = {"jobFlowTemplate": {"spec": {"flows": [{"name": "a", "template": "t"}]}}}


class StoredPass(msgspec.Struct, frozen=True):
    """A decision and what it was made from."""

    cron: Body
    decision: Decision
    now: int


@dataclass
class ScheduleStore:
    """`made`: the due time of every child that was ever created; `overlaps`: how often a child was created beside an
    active one although the policy does not allow it. `length`: how long children run, in seconds.
    """

    kind: Kind
    length: int
    cron: Body = field(default_factory=dict)
    children: dict[str, Body] = field(default_factory=dict)
    made: list[int] = field(default_factory=list)
    overlaps: int = 0

    def __post_init__(self) -> None:
        metadata = {"name": "nightly", "namespace": "ns1", "uid": "u1", "generation": 1}
        metadata |= {"creationTimestamp": rfc3339(START)}
        spec = (
            {"schedule": "*/10 * * * *", **_JOBS} if self.kind is CRONJOB else {"schedules": ["*/10 * * * *"], **_FLOWS}
        )
        self.cron = {"metadata": metadata, "spec": spec, "status": {}}

    @property
    def status(self) -> Body:
        return dict(self.cron["status"])

    def edit(self, change: Body) -> None:
        """`change`: as for a CronJob; None removes a field."""
        spec = dict(self.cron["spec"])
        for name, value in change.items():
            if name == "schedule" and self.kind is CRONJOBFLOW:
                spec["schedules"] = str(value).split(";")
            elif name in ("catchUp", "endTime") and self.kind is CRONJOB:
                continue
            elif value is None:
                spec.pop(name, None)
            else:
                spec[name] = value if name != "schedule" else str(value).partition(";")[0]
        metadata = {**self.cron["metadata"], "generation": self.cron["metadata"]["generation"] + 1}
        self.cron = {**self.cron, "metadata": metadata, "spec": spec}

    def decide(self, now: int) -> StoredPass:
        """What a process decides on what is stored now."""
        held = list(self.children.values())
        if self.kind is CRONJOB:
            return StoredPass(self.cron, decide_cron_job(self.cron, held, {}, float(now)), now)
        return StoredPass(self.cron, decide_cron_job_flow(self.cron, None, held, {}, float(now)), now)

    def carry_out(self, planned: StoredPass, writes: int = ALL_WRITES) -> bool:
        """The first `writes` writes, in the order in which the controller makes them. Whether the status was stored.

        A status that was decided on an object that has changed since is refused, and nothing after it happens.
        """
        decision = planned.decision
        before = (*decision.first, *decision.actions)
        for action in before[:writes]:
            self._write(action, planned)
        if writes <= len(before) or planned.cron is not self.cron:
            return False
        if decision.status is not None:
            self.cron = {**self.cron, "status": decision.status}
        for action in decision.cleanup[: writes - len(before) - 1]:
            self._write(action, planned)
        return True

    def progress(self, now: int) -> None:
        """Children end after `length` seconds, every third with a failure; those that are being deleted disappear."""
        for name, child in list(self.children.items()):
            if "deletionTimestamp" in child["metadata"]:
                del self.children[name]
                continue
            ended = int(epoch(child["metadata"]["creationTimestamp"])) + self.length
            if _is_active(child) and ended <= now:
                self.children[name] = {**child, "status": self._ended(len(self.made) % 3 == 0, ended)}

    def _ended(self, failed: bool, at: int) -> Body:
        if self.kind is CRONJOB:
            return {"state": {"phase": "Failed" if failed else "Completed", "lastTransitionTime": rfc3339(at)}}
        return {"state": {"phase": "Failed" if failed else "Succeed"}, "completionTime": rfc3339(at)}

    def _write(self, action: Action, planned: StoredPass) -> None:
        if isinstance(action, Create):
            self._create(action.body, planned)
        elif isinstance(action, Delete):
            child = self.children.get(action.name)
            if child is not None and child["metadata"]["uid"] == action.uid:
                leaving = {**child["metadata"], "deletionTimestamp": rfc3339(planned.now)}
                self.children[action.name] = {**child, "metadata": leaving}

    def _create(self, body: Body, planned: StoredPass) -> None:
        name = body["metadata"]["name"]
        if name in self.children:
            return
        allowed = planned.cron["spec"].get("concurrencyPolicy", "Allow") == "Allow"
        self.overlaps += not allowed and any(map(_is_active, self.children.values()))
        notes = body["metadata"]["annotations"]
        self.made.append(int(epoch(notes.get(CRON_SCHEDULED) or notes[CRONJOB_SCHEDULED])))
        stored = {**body["metadata"], "uid": f"uid-{len(self.made)}", "creationTimestamp": rfc3339(planned.now)}
        self.children[name] = {**body, "metadata": stored, "status": {"state": {"phase": "Running"}}}


def _is_active(child: Body) -> bool:
    return str(child["status"]["state"]["phase"]) == "Running"
