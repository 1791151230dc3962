"""Judges random objects and the test corpus by the API server's policies and by the webhook, and lists where they
differ."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import orjson

from local.client.blocking import BlockingClient
from local.client.rest import RestError
from shared.model.types import Body
from tests.e2e.real.judging_server import WARNS, await_policies, enforce, make_namespace, refusal, remove, send
from tests.webhook.inprocess.agreement import (
    Found,
    by,
    completed,
    disagreement,
    found_by_webhook,
    found_in,
)
from tests.webhook.inprocess.generate import changed, random_object, random_policy
from tests.webhook.inprocess.odd import made_odd
from tests.webhook.make import KINDS, review
from webhook.envelope.review import AdmissionReview

ADMIN: Final = "admin"
GROUPS: Final = ("system:masters", "system:authenticated")
_AT_ONCE: Final = 6  # requests
_CASES: Final = 5  # of one round: all policies that exist slow down every request
_MOST_WARNED: Final = 4000  # bytes; the API server cuts longer warnings ...
_CUT_TO: Final = 256  # ... to this, in which not all rules are named


class Difference(NamedTuple):
    """(policy, rule) that one side alone finds. `raw`: as the webhook would have seen it first, else as it completes
    it."""

    review: AdmissionReview
    raw: bool
    too_much: Found
    too_little: Found
    policies: Sequence[Body]

    @property
    def known(self) -> bool:
        """What the webhook alone refuses: updates that repeat a fault elsewhere, and defaults of the Job in a CronJob."""
        of_defaults = all(rule.rpartition(".")[2] in ("queues", "schedulerNames") for _, rule in self.too_little)
        of_job = self.review.kind.kind == "CronJob" and of_defaults
        return not self.too_much and (self.review.old_object is not None or of_job)

    def as_json(self) -> Body:
        """With the size in bytes and the depth of the object."""
        return {
            "kind": self.review.kind.kind,
            "bytes": len(orjson.dumps(self.review.object)),
            "depth": depth(self.review.object),
            "operation": self.review.operation.value,
            "raw": self.raw,
            "tooMuch": sorted(self.too_much),
            "tooLittle": sorted(self.too_little),
            "known": self.known,
            "object": self.review.object,
            "old": self.review.old_object,
            "policies": [
                each["spec"]
                for each in self.policies
                if each["metadata"]["name"] in {name for name, _ in self.too_much | self.too_little}
            ],
        }


class Tally(msgspec.Struct):
    """`judged`: pairs of an object and its policies; `refused`: by the API server; `found`: by the webhook."""

    judged: int = 0
    refused: int = 0
    found: int = 0
    not_stored: int = 0
    differences: list[Difference] = []


class Judge(Protocol):
    """Makes random policies, and says what is found by them."""

    def enforce(self, kube: BlockingClient, rng: random.Random, name: str) -> list[Body]:
        """New policies for the namespaces labelled with the name, as they are stored."""

    def settle(self, kube: BlockingClient, name: str) -> None:
        """Wait until they are in force. `name`: a new one, for a namespace."""

    def remove(self, kube: BlockingClient, policies: Sequence[Body]) -> None: ...

    def found_by_webhook(self, review: AdmissionReview, policies: Sequence[Body], namespace: Body) -> Found: ...

    def found_in(self, reported: Sequence[str]) -> Found:
        """`reported`: warnings or refusals of the API server."""

    def disagreement(
        self, review: AdmissionReview, policies: Sequence[Body], webhook: Found, api_server: Found
    ) -> tuple[Found, Found]:
        """What the API server alone finds, and what it ought to find and does not."""


class ParameterPolicies:
    """The chart's policies, of which JobFlowPolicies are the parameters."""

    def enforce(self, kube: BlockingClient, rng: random.Random, name: str) -> list[Body]:
        return enforce(kube, name, *(random_policy(rng, f"{name}-{at}") for at in range(rng.randint(1, 3))))

    def settle(self, kube: BlockingClient, name: str) -> None:
        await_policies(kube, name)

    def remove(self, kube: BlockingClient, policies: Sequence[Body]) -> None:
        remove(kube, policies)

    def found_by_webhook(self, review: AdmissionReview, policies: Sequence[Body], namespace: Body) -> Found:
        return found_by_webhook(review, policies, namespace)

    def found_in(self, reported: Sequence[str]) -> Found:
        return found_in(reported)

    def disagreement(
        self, review: AdmissionReview, policies: Sequence[Body], webhook: Found, api_server: Found
    ) -> tuple[Found, Found]:
        found = disagreement(review, policies, webhook, api_server)
        return (found.too_much, found.too_little) if found else (frozenset(), frozenset())


class _Object(NamedTuple):
    """`stored`: what the API server makes of what is `sent`; `old`: what an update replaces."""

    sent: Body
    stored: Body
    old: Body | None


class _Case(NamedTuple):
    """Random policies, the namespaces that they are about, and the objects, with the stored ones that they replace."""

    name: str
    namespace: Body
    policies: Sequence[Body]
    objects: Sequence[_Object]


def depth(value: Any) -> int:
    """Levels of maps and lists."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def compare(
    kube: BlockingClient, judge: Judge, rng: random.Random, corpus: Sequence[Body], rounds: int, objects: int
) -> Tally:
    """`objects`: random ones in each round; the corpus is spread over the rounds."""
    tally = Tally()
    make_namespace(kube, "free", "free")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for number in range(rounds):
            share = rng.sample(corpus[number::rounds], len(corpus[number::rounds]))
            share += [made_odd(rng, random_object(rng, f"r{at}")) for at in range(objects)]
            cases = [_case(kube, judge, rng, f"c{number}-{at}", share[at::_CASES], pool) for at in range(_CASES)]
            judge.settle(kube, f"round-{number}")
            judged = [(case, each, _completed(case, each)) for case in cases for each in case.objects]
            answers = pool.map(lambda given: list(_answers(kube, *given)), judged)
            for (case, _, whole), reported in zip(judged, answers, strict=True):
                _compare(judge, case, whole, reported, tally)
            judge.remove(kube, [body for case in cases for body in case.policies])
            tally.not_stored += len(share) - len(judged)
    return tally


def _case(
    kube: BlockingClient, judge: Judge, rng: random.Random, name: str, chosen: list[Body], pool: Executor
) -> _Case:
    labels = {"team": rng.choice(["vision", "nlp"])}
    namespace = make_namespace(kube, name, name, **{**labels, WARNS: "yes"})
    make_namespace(kube, f"{name}-refuses", name, **labels)
    own = [random.Random(rng.random()) for _ in chosen]
    stored = pool.map(lambda pair: _stored(kube, pair[0], name, pair[1]), zip(own, chosen, strict=True))
    objects = [found for found in stored if found is not None]
    return _Case(name, namespace, judge.enforce(kube, rng, name), objects)


def _stored(kube: BlockingClient, rng: random.Random, namespace: str, manifest: Body) -> _Object | None:
    """What the object becomes where no policy is; None if the schema does not allow it. One in four is an update."""
    old: Body | None = None
    try:
        if rng.random() < 0.25:
            placed = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
            placed["metadata"].pop("ownerReferences", None)
            old = kube.create(KINDS[manifest["kind"]], placed)
            manifest = made_odd(rng, changed(rng, old))
            new, _ = send(kube, namespace, manifest, update=True)
        else:
            new, _ = send(kube, "free", manifest)
    except RestError:
        return None
    return _Object(manifest, {**new, "metadata": {**new["metadata"], "namespace": namespace}}, old)


def _completed(case: _Case, each: _Object) -> AdmissionReview:
    given = by(review(each.stored, each.old), ADMIN, *GROUPS)
    return completed(given, case.policies, case.namespace)


def _answers(kube: BlockingClient, case: _Case, each: _Object, whole: AdmissionReview) -> Iterator[list[str]]:
    """Of the API server, about the object as it is sent and as the webhook completes it."""
    for manifest in (each.sent, whole.object or {}):
        yield list(_reported(kube, case, manifest, each.old))


def _compare(judge: Judge, case: _Case, whole: AdmissionReview, answers: Sequence[Sequence[str]], tally: Tally) -> None:
    webhook = judge.found_by_webhook(whole, case.policies, case.namespace)
    tally.judged += 1
    tally.found += bool(webhook)
    for raw, reported in zip((True, False), answers, strict=True):
        api_server = judge.found_in(reported)
        tally.refused += bool(api_server)
        too_much, too_little = judge.disagreement(whole, case.policies, webhook, api_server)
        cut = sum(map(len, reported)) > _MOST_WARNED
        cut = cut or any(len(text) >= _CUT_TO or text.startswith("4") for text in reported)
        if too_much or (too_little and not (raw or cut)):
            tally.differences.append(Difference(whole, raw, too_much, too_little, case.policies))


def _reported(kube: BlockingClient, case: _Case, manifest: Body, old: Body | None) -> Iterator[str]:
    """All warnings, or the first refusal where a warning cannot be sent because a text has control characters."""
    if old is None and any(ord(each) < 32 for each in _texts(manifest)):
        yield refusal(kube, f"{case.name}-refuses", manifest)
        return
    yield from send(kube, case.name, manifest, update=old is not None)[1]


def _texts(value: Any) -> str:
    if isinstance(value, dict):
        return "".join((*value, *map(_texts, value.values())))
    return "".join(map(_texts, value)) if isinstance(value, list) else value if isinstance(value, str) else ""
