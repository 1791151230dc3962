"""One admission round: everybody who waits, in order, against what is free."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from controller.gang.cache.cache import Floor
from controller.gang.cache.group import UNSCHEDULABLE, condition
from controller.gang.cache.pending_group import NOT_ENOUGH_RESOURCES, Candidate, Refusal
from controller.gang.cache.placement import Fit
from controller.gang.cache.pod import Member
from controller.gang.cache.pod_requirements import Amounts
from controller.gang.cache.queue_tree import Shares
from controller.gang.cycle.fair_sharing import Line
from controller.gang.cycle.feasibility import Judge, Verdict
from controller.gang.cycle.reservation import Reservation, Rooms, reserve
from controller.gang.podgroup.bind_timeout import REASON as NOT_BOUND_IN_TIME
from controller.gang.preemption.preemption import victims
from controller.gang.rules import Rules, backoff
from shared.key import Key
from shared.names import ROOT_QUEUE
from shared.timestamp import rfc3339

CLAIM_SECONDS = 30.0  # evicted pods take a while to go; nobody else is evicted for the same group meanwhile


class Round(msgspec.Struct):
    """What a round did. `admitted`: groups whose gang may start; `more`: running groups that get further pods;
    `evict`: groups that must give way; `wake`: when somebody's back-off ends, epoch seconds."""

    admitted: list[Key] = []
    more: list[Key] = []
    evict: list[Key] = []
    wake: float | None = None


class Admission:
    """Remembers between rounds what need not be tried again, and for whom room is kept."""

    def __init__(self, floor: Floor, rules: Rules) -> None:
        self.floor = floor
        self.rules = rules
        self.refusals: dict[Key, Refusal] = {}
        self.reservation: Reservation | None = None
        self._tried: dict[Key, tuple[int, Candidate]] = {}
        self._draining = False
        self._claimed: tuple[Key, float] | None = None

    def round(self, now: float) -> Round:
        """Admit whoever may start, in the floor's own books; the caller tells the API server."""
        floor, done = self.floor, Round()
        floor.promises.expire(now)
        floor.place_unplaced()
        ready = list(self._ready(now, done))
        self._forget()
        shares = Shares(floor.tree, floor.used(), floor.capacity.total)
        self._draining = False
        claim = self._claim(now)
        line, judge = Line(ready, shares, claim), Judge(floor, shares)
        held: dict[str, str] = {}  # queue in whose limit somebody waits -> who
        heads: dict[str, Candidate] = {}  # the first of each queue that may start one day
        for each in line:
            verdict = self._verdict(each, judge, held)
            if verdict.fit is not None:
                self._admit(each, verdict.fit, shares, judge, done)
                line.admitted()
                continue
            self._refused(each, verdict, held, now, claim)
            if verdict.refusal and (verdict.refusal.by_nodes or verdict.refusal.by_others):
                heads.setdefault(each.queue, each)
        claimant = self._make_way(heads.values(), shares, now, done)
        self._keep_room(self._first_by_nodes(heads.values()), claimant, now, done)
        return done

    def let_in(self, newcomer: Candidate) -> Fit | None:
        """Places for pods that are about to be created, when nobody who waits could start; else None."""
        floor = self.floor
        if self._draining or floor.unplaced or self._behind_somebody(newcomer):
            return None
        judge = Judge(floor, Shares(floor.tree, floor.used(), floor.capacity.total))
        found = judge.judge(newcomer, self._rooms(newcomer)).fit
        if found is None or found.pinned:
            return None
        return found

    # --- parts of a round ---------------------------------------------------------------------------------------------

    def _ready(self, now: float, done: Round) -> Iterator[Candidate]:
        """Everybody who may be tried."""
        for each in self.floor.candidates():
            group = self.floor.groups[each.ref]
            again = (group.put_back_at or 0.0) + backoff(group.put_back)
            if each.ref in self.floor.granted:
                continue
            if each.missing is not None:
                self._note(each, each.missing)
            elif again > now and not each.begun:
                done.wake = _sooner(again, done.wake)
                told = condition(group.status, UNSCHEDULABLE)
                message = f"was not bound in time ({group.put_back} so far); tried again at {rfc3339(again)}"
                known = told.get("reason") == NOT_BOUND_IN_TIME and told.get("message")
                self._note(each, Refusal(NOT_BOUND_IN_TIME, known or message))
            else:
                known = self.refusals.get(each.ref)
                if known is not None and known.reason == NOT_BOUND_IN_TIME:
                    del self._tried[each.ref]  # its time has come
                    del self.refusals[each.ref]
                yield each

    def _verdict(self, each: Candidate, judge: Judge, held: Mapping[str, str]) -> Verdict:
        if self._is_tried(each):
            return Verdict(refusal=self.refusals.get(each.ref))
        before = next((held[q.name] for q in self.floor.tree.around(each.queue) if q.name in held), "")
        if before and not each.begun:
            return Verdict(refusal=Refusal(NOT_ENOUGH_RESOURCES, f"waits behind {before} in queue {each.queue}"))
        return judge.judge(each, self._rooms(each)) if each.gang else Verdict(Fit((), 0, 0))

    def _rooms(self, each: Candidate) -> Mapping[str, Amounts]:
        kept = self.reservation
        free = self.floor.capacity.free
        return free if kept is None or kept.ref == each.ref or each.begun else Rooms(free, kept)

    def _admit(self, each: Candidate, found: Fit, shares: Shares, judge: Judge, done: Round) -> None:
        for member, node in _assigned(each.pods, found):
            self.floor.grant(member, node, pinned=found.pinned)
        shares.use(each.queue, each.amounts)
        judge.admitted(each)
        extra = self._spare(each, shares, judge)
        if each.gang:
            done.admitted.append(each.ref)
        elif extra:
            done.more.append(each.ref)
        if each.gang or extra:
            self.refusals.pop(each.ref, None)
            self._tried.pop(each.ref, None)
            if self.reservation is not None and self.reservation.ref == each.ref:
                self.reservation = None
        else:
            self._note(each, None)

    def _spare(self, each: Candidate, shares: Shares, judge: Judge) -> int:
        """Pods beyond the minimum, one by one, as long as they fit."""
        granted = 0
        for member in each.spare:
            single = msgspec.structs.replace(each, gang=((member.shape, 1),), pods=(member,), spare=(), begun=False)
            found = judge.judge(single, self._rooms(single)).fit
            if found is None:
                break
            self.floor.grant(member, found.placed[0][1], pinned=found.pinned)
            shares.use(each.queue, single.amounts)
            judge.admitted(single)
            granted += 1
        return granted

    def _refused(self, each: Candidate, verdict: Verdict, held: dict[str, str], now: float, claim: Key | None) -> None:
        if verdict.refusal is None:
            return
        self._note(each, verdict.refusal)
        queue = self.floor.tree.queues.get(each.queue)
        overdue = now - each.created >= self.rules.reserve_after
        if queue is not None and queue.fifo:
            held.setdefault(queue.name, str(each.ref))
        elif overdue and verdict.refusal.settling:
            held.setdefault(ROOT_QUEUE, str(each.ref))
            self._draining = True
        elif verdict.refusal.queue and (overdue or each.ref == claim) and not verdict.refusal.never:
            held.setdefault(verdict.refusal.queue, str(each.ref))

    def _note(self, each: Candidate, refusal: Refusal | None) -> None:
        """Nothing but a change of the candidate or of the floor's version makes another try worth while."""
        self._tried[each.ref] = self.floor.version, each
        if refusal is not None:
            self.refusals[each.ref] = refusal

    def _is_tried(self, each: Candidate) -> bool:
        version, candidate = self._tried.get(each.ref, (-1, None))
        return version == self.floor.version and candidate is each

    def _make_way(self, heads: Iterable[Candidate], shares: Shares, now: float, done: Round) -> Candidate | None:
        """Groups above their share go for the first who has a right to their room; then nobody else's until that is done."""
        if not self.rules.reclaim:
            return None
        if self._claim(now) is not None and self._claimed is not None:
            done.wake = _sooner(self._claimed[1] + CLAIM_SECONDS, done.wake)
            return None
        for each in heads:
            done.evict = victims(each, self.floor, shares, self._rooms(each))
            if done.evict:
                self._claimed = (each.ref, now)
                return each
        return None

    def _claim(self, now: float) -> Key | None:
        """Who waits for evicted pods to go."""
        if (
            self._claimed is None
            or self._claimed[0] not in self.floor.waiting
            or self._claimed[0] in self.floor.granted
        ):
            return None
        ref, since = self._claimed
        return ref if now - since < CLAIM_SECONDS else None

    def _first_by_nodes(self, heads: Iterable[Candidate]) -> Candidate | None:
        return next((each for each in heads if self.refusals[each.ref].by_nodes), None)

    def _keep_room(self, head: Candidate | None, claimant: Candidate | None, now: float, done: Round) -> None:
        """The first in line that nodes have no room for gets it kept, after a wait or when others give way to it."""
        kept = self.reservation
        if kept is not None and (kept.ref not in self.floor.waiting or kept.epoch != self.floor.capacity.epoch):
            self._drop_reservation()
        if claimant is not None and self.floor.capacity.known and self.reservation is None:
            self.reservation = reserve(claimant, self.floor.capacity)
        if head is None:
            return
        due = head.created + self.rules.reserve_after
        if now < due:
            done.wake = _sooner(due, done.wake)
        elif self.reservation is None:
            self.reservation = reserve(head, self.floor.capacity)

    def _drop_reservation(self) -> None:
        """What was kept is free for all: they may be tried again."""
        self.reservation = None
        self.floor.version += 1

    def _behind_somebody(self, newcomer: Candidate) -> bool:
        """Whether somebody waits who may be able to start, or who waits in the same queue and will be able to one day."""
        queue = self.floor.tree.queues.get(newcomer.queue)
        for each in self.floor.candidates():
            if each.ref in self.floor.granted:
                continue
            refusal = self.refusals.get(each.ref)
            hopeless = refusal is not None and refusal.never and queue is not None and not queue.fifo
            if not self._is_tried(each) or (each.queue == newcomer.queue and not hopeless):
                return True
        return queue is None

    def _forget(self) -> None:
        for ref in [ref for ref in self.refusals if ref not in self.floor.waiting]:
            del self.refusals[ref]
            self._tried.pop(ref, None)


def _sooner(first: float, second: float | None) -> float:
    return first if second is None else min(first, second)


def _assigned(pods: tuple[Member, ...], found: Fit) -> Iterator[tuple[Member, str]]:
    """Each pod with the node that was found for its shape."""
    places: dict[object, list[str]] = {}
    for shape, node, count in found.placed:
        places.setdefault(shape, []).extend([node] * count)
    left: Counter[object] = Counter()
    for pod in pods:
        yield pod, places[pod.shape][left[pod.shape]]
        left[pod.shape] += 1
