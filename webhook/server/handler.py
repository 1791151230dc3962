"""HTTP handler of admission reviews: it reads a review, gets the verdict from webhook.verdict.admit and writes the
answer.

It also counts metrics, confirms missing objects by live GETs before a refusal, and maps errors to HTTP status codes.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from aiohttp import web
from prometheus_client import Counter, Histogram

from shared.kinds import JOBFLOWPOLICYEXCEPTION, Kind
from shared.model.types import Body
from shared.violation import Reason, Violation
from webhook import metrics
from webhook.envelope.review import ALLOWED, AdmissionReview, AdmissionVerdict, BadReview, answer, parse_review
from webhook.policies.missing import depends_on_missing_objects, may_be_excepted, unknown_namespace
from webhook.policies.quotas import IN_FLIGHT_SECONDS, SECONDS, RecentObjects, counted_namespace, exceeded_kind
from webhook.server.decision_log import DecisionLog
from webhook.server.live_reads import Find, ListLive, LiveReads, seconds_for_reads
from webhook.server.routes import ROUTES, WebhookRoute
from webhook.subject.lookups import InMemoryLookups, Lookups, MissingObject, ReplacedLookups
from webhook.verdict.admit import TooSlow, changed_subject, defaulted, is_unreadable, validate
from webhook.verdict.kind_admission import DEFAULT_OPTIONS, AdmissionOptions
from webhook.verdict.missing import flow_of_command, missing_objects, missing_sources
from webhook.verdict.structure import has_broken_structure, violates_in_process, with_defaults

LOG: Final = logging.getLogger(__name__)
BODY_LIMIT: Final = 3 * 1024 * 1024  # the API server's own limit of a request
READ_SECONDS: Final = 5.0  # seconds for reading the body
WORK_SECONDS: Final = 2.0
JSON: Final = "application/json"


async def _find_nothing(missing_objects: Iterable[MissingObject], seconds: float) -> Sequence[tuple[Kind, Body]]:
    return []


async def _list_nothing(kind: Kind, namespace: str, seconds: float) -> Sequence[Body] | None:
    return None


class AdmissionHandler:
    """Answers requests by path. `clock`: monotonic seconds; `wall_clock`: epoch seconds; without it there are no
    warnings about future due times.

    `find` reads missing objects from the API server, `list_live` all objects of a namespace (None: it cannot be read).
    """

    def __init__(
        self,
        lookups: Lookups,
        options: AdmissionOptions = DEFAULT_OPTIONS,
        *,
        find: Find = _find_nothing,
        list_live: ListLive = _list_nothing,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] | None = None,
    ) -> None:
        self._lookups = lookups
        self._options = options
        self._find = find
        self._list_live = list_live
        self._clock = clock
        self._wall_clock = wall_clock
        self._admitted = RecentObjects(clock)
        self._decisions = DecisionLog(clock, _after)
        self._routes = {route.path: route for route in ROUTES}

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request. Raises nothing but CancelledError: a bad request must not end the process."""
        response = await self._answered(request)
        if isinstance(response, FailureResponse):
            size = request.content_length
            self._decisions.refused_request(request.path, response.status, response.cause, size)
        return response

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        route = self._routes.get(request.path)
        if route is None:
            return FailureResponse(404, "NotFound", f"no webhook at {request.path}")
        if request.method != "POST":
            return FailureResponse(405, "MethodNotAllowed", "use POST for admission reviews")
        with _duration(route.path).time():
            try:
                return await self._reviewed(route, request)
            except web.HTTPRequestEntityTooLarge:
                return _closing(
                    FailureResponse(413, "RequestEntityTooLarge", f"the request body is larger than {BODY_LIMIT} bytes")
                )
            except TimeoutError:
                return _closing(
                    FailureResponse(408, "Timeout", f"the request body was not received within {READ_SECONDS:g} s")
                )
            except BadReview as error:
                _count(route, None, "bad")
                return FailureResponse(400, "BadRequest", str(error))
            except Exception:
                _count(route, None, "failed")
                LOG.exception("admission failed", extra={"path": route.path})
                return FailureResponse(500, "InternalError", "internal error of the webhook; see its log")

    async def _reviewed(self, route: WebhookRoute, request: web.BaseRequest) -> web.Response:
        if (request.content_length or 0) > BODY_LIMIT:
            raise web.HTTPRequestEntityTooLarge(BODY_LIMIT, request.content_length or 0)
        data = await _body(request)
        begun = self._clock()
        review = parse_review(data)
        try:
            verdict = await self._decide(route, review, self._reads(request, begun))
        except TooSlow as error:
            LOG.warning("object too large", extra={"path": route.path, "where": str(error), "bytes": len(data)})
            verdict = _TOO_LARGE
        _count(route, review, "refused" if not verdict.allowed else "patched" if verdict.patch else "allowed")
        for rule in verdict.rules:
            metrics.VIOLATIONS.labels(route.kind.kind, rule).inc()
        for found in verdict.policies:
            counter = metrics.POLICY_EXCEPTED if found.excepted_by else metrics.POLICY_VIOLATIONS
            counter.labels(found.policy, found.mode, route.kind.kind, found.rule).inc()
        self._decisions.note(review, verdict, self._clock() - begun)
        _warnings(route.kind.kind).inc(len(verdict.warnings))
        return web.Response(body=answer(review, verdict), content_type=JSON)

    def _reads(self, request: web.BaseRequest, begun: float) -> LiveReads:
        ends = begun + seconds_for_reads(request.query.get("timeout", ""))
        return LiveReads(self._find, self._list_live, self._clock, ends)

    async def _decide(self, route: WebhookRoute, review: AdmissionReview, reads: LiveReads) -> AdmissionVerdict:
        if (review.kind.group, review.kind.kind) != (route.kind.group, route.kind.kind):
            return ALLOWED  # the path was registered for another kind, which has no rules
        lookups: Lookups = self._lookups
        if wanted := (*unknown_namespace(review, lookups), *flow_of_command(review)):
            lookups = InMemoryLookups(await reads.find(wanted), below=lookups)
        if unknown_namespace(review, lookups):
            return _NAMESPACE_NOT_READ
        if route.mutating:
            return await self._mutated(review, lookups, reads)
        verdict = await self._validated(review, lookups, reads)
        self._admitted.note(review, verdict, lookups)
        return verdict

    async def _mutated(self, review: AdmissionReview, lookups: Lookups, reads: LiveReads) -> AdmissionVerdict:
        """The defaults, or the refusal of an object that the API server's own policies would refuse with fewer words."""
        while missing := missing_sources(review, lookups, self._options):
            found = await reads.find(missing)
            if not found:
                break
            lookups = InMemoryLookups(found, below=lookups)
        options = self._options_now()
        subject = changed_subject(review, lookups, options)
        if is_unreadable(review, subject):
            return await self._unreadable(review, lookups, reads)
        verdict = ALLOWED if subject is None else defaulted(subject, review, lookups, options)
        in_time = self._watch(reads)
        if has_broken_structure(review, subject) or violates_in_process(review, verdict, lookups, options, in_time):
            judged = await self._validated(with_defaults(review, verdict), lookups, reads)
            return verdict if judged.allowed else judged
        return verdict

    async def _unreadable(self, review: AdmissionReview, lookups: Lookups, reads: LiveReads) -> AdmissionVerdict:
        """The refusal of an object that does not match the schema. The API server would name the faults of the schema alone,
        without remedies, before it calls the validating webhook. It does so for an object that is too large to be checked here.
        """
        judged = await self._validated(review, lookups, reads)
        return judged if judged.schema_faults else ALLOWED

    def _watch(self, reads: LiveReads) -> Callable[[], bool]:
        """Whether judging has taken less than WORK_SECONDS from now on, without the reads meanwhile."""
        ends = self._clock() + WORK_SECONDS - reads.spent
        return lambda: self._clock() < ends + reads.spent

    def _options_now(self) -> AdmissionOptions:
        return msgspec.structs.replace(self._options, now=self._wall_clock() if self._wall_clock else None)

    async def _validated(self, review: AdmissionReview, lookups: Lookups, reads: LiveReads) -> AdmissionVerdict:
        """The verdict. Before a refusal, objects that the caches may lack or still contain are read from the API server."""
        in_time = self._watch(reads)
        options = self._options_now()

        counted = counted_namespace(lookups, review.namespace)

        def judge(seen: Lookups, seconds: float = SECONDS) -> AdmissionVerdict:
            known = self._admitted.over(seen, counted, seconds=seconds)
            return validate(review, known, options, in_time=in_time)

        verdict = judge(lookups)
        missing = missing_objects(review, lookups) if depends_on_missing_objects(verdict) else ()
        if missing and (found := await reads.find(missing)):
            lookups = InMemoryLookups(found, below=lookups)
            verdict = judge(lookups)
        recent = SECONDS
        kind = exceeded_kind(review, verdict)
        if kind is not None and (stored := await reads.list(kind, counted)) is not None:
            lookups, recent = ReplacedLookups(kind, counted, stored, below=lookups), IN_FLIGHT_SECONDS
            verdict = judge(lookups, recent)
        if may_be_excepted(verdict, lookups, review.namespace):
            exceptions = await reads.list(JOBFLOWPOLICYEXCEPTION, review.namespace)
            if exceptions is not None:
                place = (JOBFLOWPOLICYEXCEPTION, review.namespace)
                verdict = judge(ReplacedLookups(*place, exceptions, below=lookups), recent)
        return verdict


_TOO_LARGE: Final = AdmissionVerdict(
    (
        Violation(
            "spec",
            f"validation took longer than {WORK_SECONDS:g} s: make the object smaller, or retry if it is not large",
            reason=Reason.FORBIDDEN,
            passing=True,  # on a busy machine the next review may be in time
        ),
    ),
    rules=("time",),
)


_NAMESPACE_NOT_READ: Final = AdmissionVerdict(
    (
        Violation(
            "metadata.namespace",
            "its Namespace, by whose labels JobFlowPolicies select, cannot be read from the API server: try again",
            reason=Reason.FORBIDDEN,
            passing=True,
        ),
    ),
    rules=("namespace",),
)


class FailureResponse(web.Response):
    """An HTTP error with a metav1.Status, which the API server shows. `cause`: the reason in the Status."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "Status", "status": "Failure"}
        body |= {"reason": reason, "message": message, "code": code}
        super().__init__(status=code, body=msgspec.json.encode(body), content_type=JSON)
        self.cause = reason


def _after(seconds: float, call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, call)


async def _body(request: web.BaseRequest) -> bytes:
    """The request's body. Raises TimeoutError if it does not arrive in time; of most requests all has arrived already."""
    if request.content.is_eof():
        return await request.read()
    async with asyncio.timeout(READ_SECONDS):
        return await request.read()


def _closing(response: web.Response) -> web.Response:
    """Close the connection after this response, because the rest of the request body is not read."""
    response.force_close()
    return response


def _count(route: WebhookRoute, review: AdmissionReview | None, verdict: str) -> None:
    operation = review.operation.value if review else ""
    verb = "mutate" if route.mutating else "validate"
    _reviews(route.kind.kind, operation, verb, verdict).inc()


@cache
def _reviews(kind: str, operation: str, verb: str, verdict: str) -> Counter:
    """Kept for each of the few combinations, as the two below, because to look a metric up takes longer than to count."""
    return metrics.REVIEWS.labels(kind, operation, verb, verdict)


@cache
def _warnings(kind: str) -> Counter:
    return metrics.WARNINGS.labels(kind)


@cache
def _duration(path: str) -> Histogram:
    return metrics.DURATION.labels(path)
