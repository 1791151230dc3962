"""Counts requests to the API server by client, from an audit log or from the record of the embedded API server."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec
import orjson

from shared.model.types import Body

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
# requests that every process makes, independent of the load
OTHERS: Final = frozenset({"leases", "tokenreviews", "subjectaccessreviews"})


class CountedRequest(msgspec.Struct, frozen=True):
    """One request. `agent`: the client's User-Agent; `resource`: with its subresource, as `jobs/status`."""

    agent: str
    verb: str
    resource: str
    code: int

    @property
    def writes(self) -> bool:
        return self.verb in WRITES


class AuditTrail(Protocol):
    """A source of requests. `mark` begins a measurement; `since` returns all requests after it."""

    def mark(self) -> None: ...

    def since(self) -> list[CountedRequest]: ...


class AuditLogTrail:
    """An audit log of kube-apiserver: JSON lines."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._at = 0

    def mark(self) -> None:
        self._at = self._log.stat().st_size

    def since(self) -> list[CountedRequest]:
        with self._log.open("rb") as stream:
            stream.seek(self._at)
            return list(parse(stream))


def parse(lines: Iterable[bytes]) -> Iterator[CountedRequest]:
    """The requests in an audit log, without an incomplete last line."""
    for line in lines:
        if not line.endswith(b"\n"):
            return
        event = orjson.loads(line)
        place = event.get("objectRef") or {}
        if event.get("stage") == "ResponseComplete" and place.get("resource"):
            code = int((event.get("responseStatus") or {}).get("code") or 0)
            yield CountedRequest(event.get("userAgent", ""), event["verb"], _resource(place), code)


def parse_record(record: Iterable[Body]) -> Iterator[CountedRequest]:
    """The requests in the answer of the embedded server's `/testing/audit`."""
    for each in record:
        yield CountedRequest(each["agent"], each["verb"], _resource(each), each["code"])


def _resource(place: Body) -> str:
    sub = place.get("subresource")
    return f"{place['resource']}/{sub}" if sub else str(place["resource"])


def of_agent(asked: Iterable[CountedRequest], prefix: str) -> list[CountedRequest]:
    """The requests of one program, without those for leases and those that open a watch."""
    return [
        each
        for each in asked
        if each.agent.startswith(prefix) and each.verb != "watch" and each.resource.partition("/")[0] not in OTHERS
    ]


def tally(asked: Iterable[CountedRequest]) -> Counter[str]:
    """Number of requests by name, such as `create jobs`, or `update jobflows/status 409` for refused ones."""
    return Counter(f"{each.verb} {each.resource}{f' {each.code}' if each.code >= 400 else ''}" for each in asked)


def costs(asked: Iterable[CountedRequest], steps: int) -> Body:
    """Writes and reads per step, in total and by verb and resource. Refused writes count, because they cost the server work."""
    mine = list(asked)
    writes = [each for each in mine if each.writes]
    reads = [each for each in mine if not each.writes]
    return {
        "writes_per_step": len(writes) / steps,
        "flow_status_writes_per_step": sum(each.resource == "jobflows/status" for each in writes) / steps,
        "reads_per_step": len(reads) / steps,
        "by_verb": {name: round(count / steps, 4) for name, count in sorted(tally(mine).items())},
    }
