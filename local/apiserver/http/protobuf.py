"""Kubernetes' protobuf request bodies, for the kinds that kubectl and helm send as protobuf (answers are JSON).

A message is a table of `number name kind`; kinds: s string, i integer (n: 0 is none), b boolean (f: false is none), t time, u time in microseconds,
q quantity, x int-or-string, d bytes, a Message name; `*` repeats, `%` is a map from strings, `-` is left out. A field
in no table is refused, so that no data is lost.
"""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from local.apiserver.errors import StatusError
from shared.model.types import Body

MAGIC = b"k8s\x00"
MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_META = "1 metadata ObjectMeta, "
_MESSAGES = {
    "ObjectMeta": (
        "1 name s, 2 generateName s, 3 namespace s, 5 uid s, 6 resourceVersion s, 8 creationTimestamp t, 11 labels %s,"
        "12 annotations %s, 13 ownerReferences *OwnerReference, 14 finalizers *s, 4 selfLink -, 7 generation -,"
        "9 deletionTimestamp -, 10 deletionGracePeriodSeconds -, 17 managedFields -"
    ),
    "OwnerReference": "1 kind s, 3 name s, 4 uid s, 5 apiVersion s, 6 controller b, 7 blockOwnerDeletion b",
    "DeleteOptions": "1 gracePeriodSeconds i, 2 preconditions Preconditions, 3 orphanDependents b, 4 propagationPolicy s, 5 dryRun *s",
    "Preconditions": "1 uid s, 2 resourceVersion s",
    "Namespace": _META + "2 spec NamespaceSpec, 3 status -",
    "NamespaceSpec": "1 finalizers *s",
    "ConfigMap": _META + "2 data %s, 3 binaryData %d, 4 immutable b",
    "Secret": _META + "2 data %d, 3 type s, 4 stringData %s, 5 immutable b",
    "ServiceAccount": _META
    + "2 secrets *ObjectReference, 3 imagePullSecrets *LocalObjectReference, 4 automountServiceAccountToken b",
    "LocalObjectReference": "1 name s",
    "ObjectReference": "1 kind s, 2 namespace s, 3 name s, 4 uid s, 5 apiVersion s, 6 resourceVersion s, 7 fieldPath s",
    "ResourceQuota": _META + "2 spec ResourceQuotaSpec, 3 status -",
    "ResourceQuotaSpec": "1 hard %q, 2 scopes *s",
    "Event": (
        _META + "2 involvedObject ObjectReference, 3 reason s, 4 message s, 5 source EventSource, 6 firstTimestamp t,"
        "7 lastTimestamp t, 8 count n, 9 type s, 10 eventTime u, 12 action s, 14 reportingComponent s, 15 reportingInstance s"
    ),
    "EventSource": "1 component s, 2 host s",
    "Binding": _META + "2 target ObjectReference",
    "Service": _META + "2 spec ServiceSpec, 3 status -",
    "ServiceSpec": (
        "1 ports *ServicePort, 2 selector %s, 3 clusterIP s, 18 clusterIPs *s, 4 type s, 5 externalIPs *s, 7 sessionAffinity s,"
        "10 externalName s, 11 externalTrafficPolicy s, 17 ipFamilyPolicy s, 19 ipFamilies *s,"
        "8 loadBalancerIP s, 9 loadBalancerSourceRanges *s, 12 healthCheckNodePort n, 13 publishNotReadyAddresses f,"
        "20 allocateLoadBalancerNodePorts b, 21 loadBalancerClass s, 22 internalTrafficPolicy s, 23 trafficDistribution s"
    ),
    "ServicePort": "1 name s, 2 protocol s, 3 port i, 4 targetPort x, 5 nodePort n, 6 appProtocol s",
    "TokenRequest": _META + "2 spec TokenRequestSpec, 3 status -",
    "TokenRequestSpec": "1 audiences *s, 3 boundObjectRef BoundObjectReference, 4 expirationSeconds i",
    "BoundObjectReference": "1 kind s, 2 apiVersion s, 3 name s, 4 uid s",
    "SelfSubjectReview": "1 metadata ObjectMeta, 2 status -",
    "TokenReview": _META + "2 spec TokenReviewSpec, 3 status -",
    "TokenReviewSpec": "1 token s, 2 audiences *s",
    "SelfSubjectAccessReview": _META + "2 spec SubjectAccessReviewSpec, 3 status -",
    "SubjectAccessReview": _META + "2 spec SubjectAccessReviewSpec, 3 status -",
    "LocalSubjectAccessReview": _META + "2 spec SubjectAccessReviewSpec, 3 status -",
    "SubjectAccessReviewSpec": (
        "1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes, 3 user s, 4 groups *s, 6 uid s"
    ),
    "ResourceAttributes": "1 namespace s, 2 verb s, 3 group s, 4 version s, 5 resource s, 6 subresource s, 7 name s",
    "NonResourceAttributes": "1 path s, 2 verb s",
    "SelfSubjectRulesReview": _META + "2 spec SelfSubjectRulesReviewSpec, 3 status -",
    "SelfSubjectRulesReviewSpec": "1 namespace s",
    "Role": _META + "2 rules *PolicyRule",
    "ClusterRole": _META + "2 rules *PolicyRule",
    "RoleBinding": _META + "2 subjects *Subject, 3 roleRef RoleRef",
    "ClusterRoleBinding": _META + "2 subjects *Subject, 3 roleRef RoleRef",
    "PolicyRule": "1 verbs *s, 2 apiGroups *s, 3 resources *s, 4 resourceNames *s, 5 nonResourceURLs *s",
    "Subject": "1 kind s, 2 apiGroup s, 3 name s, 4 namespace s",
    "RoleRef": "1 apiGroup s, 2 kind s, 3 name s",
    "PriorityClass": _META + "2 value i, 3 globalDefault f, 4 description s, 5 preemptionPolicy s",
    "Eviction": _META + "2 deleteOptions DeleteOptions",
    "Lease": _META + "2 spec LeaseSpec",
    "LeaseSpec": "1 holderIdentity s, 2 leaseDurationSeconds i, 3 acquireTime u, 4 renewTime u, 5 leaseTransitions i",
}
Fields = dict[int, tuple[str, str]]


def _fields(text: str) -> Fields:
    parts = (item.split() for item in text.split(","))
    return {int(number): (name, kind) for number, name, kind in parts}


_TABLES: dict[str, Fields] = {name: _fields(text) for name, text in _MESSAGES.items()}


def decode(body: bytes) -> Body:
    """The object in a protobuf envelope. 415 for a kind that has no table."""
    if not body.startswith(MAGIC):
        raise StatusError(
            400, "BadRequest", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    envelope = dict(_wire(body[len(MAGIC) :]))
    about = {number: value.decode() for number, value in _wire(envelope.get(1, b""))}
    kind = about.get(2, "")
    if kind not in _TABLES:
        raise StatusError(415, "UnsupportedMediaType", f"this server reads {kind} as application/json only")
    return {"apiVersion": about.get(1, ""), "kind": kind, **_message(envelope.get(2, b""), kind)}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _wire(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and raw values: integers, or bytes for what has a length."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            size, at = _varint(data, at)
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            at += {1: 8, 5: 4}.get(tag & 7, len(data))


def _message(data: bytes, name: str) -> Body:
    table = _TABLES[name]
    found: Body = {}
    for number, raw in _wire(data):
        if number not in table:
            if raw in (0, b""):
                continue
            raise StatusError(
                415, "UnsupportedMediaType", f"this server reads field {number} of {name} as application/json only"
            )
        key, kind = table[number]
        if kind == "-":
            continue
        if kind[0] == "*":
            found.setdefault(key, []).append(_value(raw, kind[1:]))
        elif kind[0] == "%":
            entry = dict(_wire(raw))
            found.setdefault(key, {})[entry.get(1, b"").decode()] = _value(entry.get(2, b""), kind[1:])
        else:
            value = _value(raw, kind)
            if value not in ("", None, {}):
                found[key] = value
    return found


def _value(raw: Any, kind: str) -> Any:
    scalar = _SCALARS.get(kind)
    return scalar(raw) if scalar is not None else _message(raw, kind)


def _time(raw: bytes, micro: bool = False) -> str | None:
    parts = dict(_wire(raw))
    if not parts.get(1) or parts[1] >= 2**63:
        return None
    moment = datetime.fromtimestamp(parts[1] + parts.get(2, 0) / 1e9 * micro, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def _int_or_string(raw: bytes) -> int | str | None:
    parts = dict(_wire(raw))
    return parts.get(3, b"").decode() if parts.get(1) else parts.get(2) or None


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "s": lambda raw: raw.decode(),
    "i": lambda raw: raw - 2**64 if raw >= 2**63 else raw,
    "b": bool,
    "n": lambda raw: raw or None,
    "f": lambda raw: bool(raw) or None,
    "d": lambda raw: base64.b64encode(raw).decode(),
    "t": _time,
    "u": lambda raw: _time(raw, micro=True),
    "q": lambda raw: dict(_wire(raw)).get(1, b"").decode(),
    "x": _int_or_string,
}
