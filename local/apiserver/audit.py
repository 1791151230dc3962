"""The audit record of requests, which the tests of RBAC and of write counts read."""

from collections import Counter, deque
from typing import NamedTuple

from local.apiserver.call import ApiRequest
from shared.model.types import Body

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
KEPT = 200_000


class AuditedRequest(NamedTuple):
    """One request. `code` is its HTTP status; 0 for a watch that is still open."""

    user: str
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    agent: str = ""


class Audit:
    """Requests in the order of their responses, and counters over them."""

    def __init__(self) -> None:
        self.requests: deque[AuditedRequest] = deque(maxlen=KEPT)
        self.writes: Counter[tuple[str, str, str]] = Counter()  # verb, resource, subresource
        self.writes_by_user: Counter[tuple[str, str, str, str]] = Counter()
        self.annotations: list[tuple[str, str, dict[str, str]]] = []

    def note(self, call: ApiRequest, code: int) -> None:
        resource = call.resource
        asked = AuditedRequest(
            call.user.name,
            call.verb,
            resource.group,
            resource.plural,
            call.subresource,
            call.namespace,
            call.name,
            code,
            call.agent,
        )
        self.requests.append(asked)
        if call.annotations:
            self.annotations.append((resource.plural, call.name, dict(call.annotations)))
        if call.verb in WRITES and code < 300 and not call.dry_run:
            what = (
                call.verb,
                f"{resource.plural}.{resource.group}" if resource.group else resource.plural,
                call.subresource,
            )
            self.writes[what] += 1
            self.writes_by_user[(call.user.name, *what)] += 1

    def clear(self) -> None:
        self.requests.clear()
        self.writes.clear()
        self.writes_by_user.clear()
        self.annotations.clear()

    def permissions(self, user: str = "") -> list[Body]:
        """The distinct (verb, group, resource, subresource, name) requested by one user or by all."""
        seen = {
            (asked.user, asked.verb, asked.group, asked.resource, asked.subresource, asked.namespace, asked.name)
            for asked in self.requests
            if not user or asked.user == user
        }
        keys = ("user", "verb", "group", "resource", "subresource", "namespace", "name")
        return [dict(zip(keys, found, strict=True)) for found in sorted(seen)]

    def counts(self) -> list[Body]:
        return [
            {"user": user, "verb": verb, "resource": resource, "subresource": subresource, "count": count}
            for (user, verb, resource, subresource), count in sorted(self.writes_by_user.items())
        ]
