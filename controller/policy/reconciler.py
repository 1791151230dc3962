"""The JobFlowPolicy controller: scans all stored objects at intervals and reports violations in status and reports.

Observe (compile the policies, scan the caches, list the reports), decide, apply. A scan covers all policies at once,
so there is one key.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from controller.cluster.errors import StaleError
from controller.context import ControllerContext
from controller.decision import Action, Create, Decision
from controller.policy.decide import decide, decide_reports
from controller.policy.scan import Scanner
from controller.policy.scan_result import ScanResult
from controller.policy.stored_reports import StoredReports
from controller.runtime.controller import Controller, Route
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import JOBFLOWPOLICY, JOBFLOWPOLICYEXCEPTION
from shared.kube.cache.cache import Cache
from shared.kube.client.errors import ApiError
from shared.model.types import Body
from shared.policy import Policies

LOG: Final = logging.getLogger(__name__)
SCAN: Final = Key("", "scan")
"""The only key: one scan of all objects serves all policies."""


def policy_wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
    """Scan when a policy is created, deleted or changed, but not after a change of its status that keeps conditions."""
    if old is not None and new is not None:
        same = old.get("spec") == new.get("spec") and old["metadata"].get("uid") == new["metadata"].get("uid")
        return () if same and (new.get("status") or {}).get("conditions") else (SCAN,)
    return (SCAN,)


def exception_wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
    """Scan when an exception comes or goes, or its state changes, as when it expires."""
    if old is not None and new is not None:
        same = old.get("spec") == new.get("spec")
        return () if same and _state(old) == _state(new) else (SCAN,)
    return (SCAN,)


def _state(exception: Body) -> object:
    return (exception.get("status") or {}).get("state")


class PolicyReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self.policies: Cache = context.caches.want(JOBFLOWPOLICY, optional=True)
        self.exceptions: Cache = context.caches.want(JOBFLOWPOLICYEXCEPTION, optional=True)
        self._scanner = Scanner(context.caches, schedules=context.settings.cron_controller)
        self._applier = context.applier
        self._reports = StoredReports(context.api)
        self._clock = context.clock
        self._interval = context.settings.scan_interval

    async def reconcile(self, key: Key) -> float | None:
        """One scan. The Ready condition of every policy is written first, because a scan may take long."""
        bodies = list(self.policies.list())
        compiled, versions = self._scanner.compile(bodies), {_version(body) for body in bodies}
        stale = await self._write_statuses(compiled, versions, None)
        scan_result = await self._scanner.scan(compiled, self._clock())
        stale |= await self._write_statuses(compiled, versions, scan_result)
        await self._write_reports(scan_result, bodies, compiled)
        if stale:
            raise StaleError("a policy changed while its status was written")
        return self._interval if self._interval > 0 and bodies else None

    async def _write_statuses(
        self, policies: Policies, versions: set[tuple[str, int]], scan_result: ScanResult | None
    ) -> bool:
        """Write the status of every policy that is unchanged since it was compiled; whether one write was stale."""
        stale = False
        for body in list(self.policies.list()):
            if _version(body) not in versions:
                continue  # its change wakes the next scan
            name = body["metadata"]["name"]
            found = None if scan_result is None else scan_result.violations_of(name)
            decision = decide(body, policies.broken.get(name, ()), found, self._clock())
            try:
                await self._applier.apply(JOBFLOWPOLICY, body, decision)
            except StaleError:
                stale = True
        return stale

    async def _write_reports(self, scan_result: ScanResult, bodies: Sequence[Body], policies: Policies) -> None:
        """A report that cannot be written is left to the next scan."""
        stored = await self._reports.by_kind()
        for action in decide_reports(scan_result, stored, bodies, policies.broken, self._clock()):
            try:
                outcome = await self._applier.apply(action.kind, {}, Decision(actions=(action,)))
            except (ApiError, StaleError) as error:
                _warn(action, str(error))
            else:
                for refusal in outcome.refusals.values():
                    _warn(action, refusal.message)


def _warn(action: Action, error: str) -> None:
    namespace = action.body["metadata"].get("namespace", "") if isinstance(action, Create) else action.namespace
    LOG.warning(
        "%s not written, will retry at the next scan", action.kind.kind, extra={"namespace": namespace, "error": error}
    )


def _version(policy: Body) -> tuple[str, int]:
    return str(policy["metadata"].get("uid", "")), int(policy["metadata"].get("generation") or 0)


def build(context: ControllerContext) -> Controller:
    reconciler = PolicyReconciler(context)
    return Controller(
        name="policy",
        queue=WorkQueue("policy"),
        reconciler=reconciler,
        routes=(
            Route(reconciler.policies, policy_wakes, own_writes=False),
            Route(reconciler.exceptions, exception_wakes),
        ),
        concurrency=1,
    )
