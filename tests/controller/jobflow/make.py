"""Builders for flows, Jobs and what was seen; valid by default. And a simulated cluster on simulated time."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from controller.decision import Create, Decision, Delete, Patch, Refusal
from controller.jobflow.children.parse.job import parse_job
from controller.jobflow.decide.flow import FlowDecision, decide
from controller.jobflow.model.memo import NO_MEMO, DecisionMemo
from controller.jobflow.model.observed import (
    FlowCommand,
    ObservedChild,
    ObservedFlow,
    PodResults,
    ProbeResult,
)
from controller.jobflow.model.plan import Plan
from shared.model.flow import JobFlow, JobFlowSpec
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.meta import ObjectMeta
from shared.model.phases import JobPhase
from shared.policy.quota.places import QuotaPlace
from shared.timestamp import rfc3339

UID = "flow-uid"
START = 1_800_000_000.0
TEMPLATE: dict[str, Any] = {
    "metadata": {"name": "any", "namespace": "ns"},
    "spec": {
        "tasks": [
            {
                "name": "main",
                "replicas": 1,
                "template": {"spec": {"containers": [{"name": "c", "image": "busybox:1", "command": ["true"]}]}},
            }
        ]
    },
}


def step(name: str, *targets: str, **fields: Any) -> dict[str, Any]:
    """A raw step; targets become dependsOn.targets; `strategy`, `condition`, `probe` go to dependsOn."""
    depends = {key: fields.pop(key) for key in ("strategy", "condition", "probe") if key in fields}
    raw = {"name": name, **{key.rstrip("_"): value for key, value in fields.items()}}
    if targets or depends:
        raw["dependsOn"] = {"targets": list(targets), **depends}
    return raw


def flow(*steps: dict[str, Any], name: str = "f", status: JobFlowStatus | None = None, **spec: Any) -> JobFlow:
    raw = {"flows": list(steps), **{key.rstrip("_"): value for key, value in spec.items()}}
    return JobFlow(
        metadata=ObjectMeta(name=name, namespace="ns", uid=UID, generation=1, creation_timestamp=rfc3339(START)),
        spec=msgspec.convert(raw, JobFlowSpec),
        status=status or JobFlowStatus(),
    )


class FlowCluster:
    """Acts as API server and Job controller, without either. Time passes only when the test advances it."""

    def __init__(self, subject: JobFlow, templates: dict[str, Any] | None = None) -> None:
        self.flow = subject
        self.now = START
        names = {one.template_name for one in (*subject.spec.flows, *subject.spec.finally_)}
        self.templates = dict.fromkeys(names, TEMPLATE) if templates is None else templates
        self.bodies: dict[str, dict[str, Any]] = {}
        self.strangers: dict[str, ObservedChild] = {}
        self.commands: list[FlowCommand] = []
        self.refusals: dict[str, Refusal] = {}
        self.refuse: dict[str, int] = {}
        self.messages: dict[str, dict[str, str]] = {}
        self.codes: dict[str, int] = {}
        self.ordered: dict[str, float] = {}
        self.probes: dict[str, ProbeResult] = {}
        self.created: list[str] = []
        self.deleted: list[str] = []
        self.notes: list[tuple[str, str]] = []
        self.writes = 0
        self.flow_deleted = False
        self.last: FlowDecision | None = None
        self.serial = 0
        self.holds = False  # whether reports wait for a second, and decisions continue from what was not written
        self.memory: JobFlowStatus | None = None
        self.plan: Plan | None = None
        self.decision_memo: DecisionMemo = NO_MEMO
        self.write_after = 0.0
        self.settle_until = 0.0
        self.quota: QuotaPlace | None = None

    # -- what the controller sees and does -----------------------------------------------------------------------
    def seen(self) -> ObservedFlow:
        jobs = {name: parse_job(body) for name, body in self.bodies.items()}
        return ObservedFlow(
            flow=replace(self.flow, status=self.memory or self.flow.status),
            stored=self.flow.status,
            jobs=jobs,
            others={(one.kind, name): one for name, one in {**jobs, **self.strangers}.items()},
            templates=self.templates,
            now=self.now,
            commands=tuple(self.commands),
            refusals=self.refusals,
            pods={name: self._pods(job) for name, job in jobs.items() if job.ended},
            deleted_jobs=frozenset(name for name in self.created if name not in jobs),
            terminate_sent=self.ordered,
            probes=self.probes,
            write_after=self.write_after,
            settle_until=self.settle_until,
            quota=self.quota,
        )

    def _pods(self, job: ObservedChild) -> PodResults:
        messages = {("main", container): text for container, text in self.messages.get(job.name, {}).items()}
        return PodResults(messages, self.codes.get(job.name, 1 if job.phase is JobPhase.FAILED else None))

    def decide(self) -> FlowDecision:
        plan = self._plan()
        self.last = decide(self.seen(), plan, self.decision_memo)
        assert not self.last.reads
        return self.last

    def decide_with(self, **changes: Any) -> FlowDecision:
        """A decision on what is seen, with some fields of it replaced."""
        return decide(replace(self.seen(), **changes), Plan(self.flow))

    def _plan(self) -> Plan:
        """A new one each time, unless decisions continue from what was remembered."""
        if not self.holds:
            self.decision_memo = NO_MEMO
            return Plan(self.flow)
        if self.plan is None or self.plan.spec is not self.flow.spec:
            self.plan, self.decision_memo = Plan(self.flow), NO_MEMO
        return self.plan

    def turn(self) -> Decision:
        """Observe, decide, act once; creates that are refused are decided about again, as the worker does."""
        for _ in range(20):
            decision = self.decide().decision
            if not self._act(decision):
                break
        else:
            raise AssertionError("refused for ever")
        if self.holds and self.last is not None:
            self.memory = self.last.next_status
            self.decision_memo = self.last.memo
            self.write_after = self.now + 1 if decision.status is not None else self.write_after
        if decision.status is not None:
            self.writes += 1
            self.flow = replace(self.flow, status=msgspec.convert(decision.status, JobFlowStatus))
        for action in decision.cleanup:
            assert isinstance(action, Delete)
            self._delete(action)
        self.notes.extend((note.reason, note.message) for note in decision.notes)
        return decision

    def settle(self, check: Callable[[], None] = lambda: None) -> None:
        """Reconcile until nothing changes, at this very moment. `check`: called after each pass.

        Own writes wake no flow, so nothing may be left to do after a pass that neither asks for another one nor acts on
        children, which report to the flow.
        """
        woken = True
        for _ in range(60):
            before = (self.flow, dict(self.bodies), tuple(self.commands))
            decision = self.turn()
            check()
            if before == (self.flow, dict(self.bodies), tuple(self.commands)):
                return
            assert woken, "only its own writes woke the flow for this pass"
            woken = decision.requeue_after == 0 or bool(decision.actions)
        raise AssertionError("never settles")

    def _act(self, decision: Decision) -> bool:
        refused = False
        for action in decision.actions:
            if isinstance(action, Create):
                refused |= not self._create(action)
            elif isinstance(action, Patch):
                assert isinstance(action.patch, dict)
                if code := self.refuse.get(action.name):
                    self.refusals[action.name] = Refusal(code, f"refused with {code}", self.now)
                    refused = True
                    continue
                self._patch_flow(action.patch)
        return refused

    def _patch_flow(self, patch: dict[str, Any]) -> None:
        annotations = {**self.flow.metadata.annotations, **patch.get("metadata", {}).get("annotations", {})}
        generation = self.flow.metadata.generation + 1
        metadata = replace(self.flow.metadata, generation=generation, annotations=annotations)
        spec = msgspec.convert({**msgspec.to_builtins(self.flow.spec), **patch["spec"]}, JobFlowSpec)
        self.flow = replace(self.flow, metadata=metadata, spec=spec)

    def _create(self, action: Create) -> bool:
        name = action.body["metadata"]["name"]
        code = self.refuse.get(name)
        if code:
            before = self.refusals.get(name)
            self.refusals[name] = Refusal(code, f"refused with {code}", self.now, before.count + 1 if before else 1)
            return False
        self.refusals.pop(name, None)
        if action.kind.kind == "Command":
            self.ordered[action.body["target"]["uid"]] = self.now
            self.terminated_by_command(action.body["target"]["name"])
            return True
        assert name not in self.created, f"{name} was created twice"
        assert name not in self.strangers
        self.created.append(name)
        self.serial += 1
        body = {**action.body, "metadata": {**action.body["metadata"], "uid": f"uid-{self.serial}"}}
        body["metadata"]["creationTimestamp"] = rfc3339(self.now)
        self.bodies[name] = body
        return True

    def _delete(self, action: Delete) -> None:
        if action.kind.kind == "Command":
            self.commands = [one for one in self.commands if one.uid != action.uid]
        elif action.kind.kind == "JobFlow":
            self.flow_deleted = True
        elif action.name in self.bodies:
            assert self.bodies[action.name]["metadata"]["uid"] == action.uid
            self.deleted.append(action.name)
            del self.bodies[action.name]

    def terminated_by_command(self, name: str) -> None:
        if name in self.bodies and not parse_job(self.bodies[name]).ended:
            self.set_job(name, JobPhase.TERMINATED, state={"reason": "JobFlow"})

    # -- changes of the cluster ----------------------------------------------------------------------------------------
    def set_job(self, name: str, phase: JobPhase, **status: Any) -> None:
        body = self.bodies[name]
        state = {"phase": str(phase), "lastTransitionTime": rfc3339(self.now), **status.pop("state", {})}
        self.bodies[name] = {**body, "status": {**body.get("status", {}), "state": state, **status}}

    def run(self, *names: str) -> None:
        for name in names:
            self.set_job(name, JobPhase.RUNNING)
        self.settle()

    def complete(self, *names: str, message: str | None = None, **status: Any) -> None:
        for name in names:
            if message is not None:
                self.messages[name] = {"": message, "c": message}
            self.set_job(name, JobPhase.COMPLETED, **status)
        self.settle()

    def fail(self, *names: str, code: int = 1, **status: Any) -> None:
        for name in names:
            self.codes[name] = code
            self.set_job(name, JobPhase.FAILED, **status)
        self.settle()

    def vanish(self, name: str) -> None:
        del self.bodies[name]
        self.settle()

    def command(self, action: str, message: str = "") -> str:
        """Send a Command and reconcile; returns its result."""
        self.serial += 1
        name = f"c{self.serial}"
        self.commands.append(FlowCommand(name, f"cu{self.serial}", action, rfc3339(self.now), message=message))
        self.settle()
        return next((f"{one.result}: {one.message}" for one in self.status.command_results if one.name == name), "")

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.settle()

    # -- what users see ----------------------------------------------------------------------------------------------
    @property
    def status(self) -> JobFlowStatus:
        return self.flow.status

    def step(self, name: str) -> StepStatus:
        return next(one for one in self.status.steps if one.name == name)

    def phases(self) -> dict[str, str]:
        return {one.name: str(one.phase) for one in self.status.steps}

    def reasons(self) -> dict[str, str]:
        return {one.name: one.reason for one in self.status.steps if one.reason}

    @property
    def phase(self) -> str:
        return str(self.status.state.phase)

    def next(self) -> dict[str, tuple[str, ...]]:
        return {one.name: one.waiting_for for one in self.status.next}

    def unfinished(self) -> list[str]:
        return [name for name, body in self.bodies.items() if not parse_job(body).ended]


def started(*steps: dict[str, Any], **spec: Any) -> FlowCluster:
    """A cluster in which the flow has taken its first turns."""
    cluster = FlowCluster(flow(*steps, **spec))
    cluster.settle()
    return cluster
