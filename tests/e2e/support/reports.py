"""The CRDs of openreports.io/v1alpha1, with the types, enums and required fields of the published ones."""

from typing import Final

from shared.kinds import CLUSTERREPORT, CRD, REPORT, Kind
from shared.model.types import Body

_TEXT: Final = {"type": "string"}
_REFERENCE: Final = {
    "type": "object",
    "x-kubernetes-map-type": "atomic",
    "properties": dict.fromkeys(
        ("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"), _TEXT
    ),
}
_OUTCOMES: Final = ("pass", "fail", "warn", "error", "skip")
_RESULT: Final = {
    "type": "object",
    "required": ["policy"],
    "properties": {
        **dict.fromkeys(("category", "message", "policy", "rule", "source"), _TEXT),
        "properties": {"type": "object", "additionalProperties": _TEXT},
        "resources": {"type": "array", "items": _REFERENCE},
        "result": {"type": "string", "enum": list(_OUTCOMES)},
        "scored": {"type": "boolean"},
        "severity": {"type": "string", "enum": ["critical", "high", "low", "medium", "info"]},
        "timestamp": {
            "type": "object",
            "required": ["nanos", "seconds"],
            "properties": {
                "nanos": {"type": "integer", "format": "int32"},
                "seconds": {"type": "integer", "format": "int64"},
            },
        },
    },
}
_SCHEMA: Final = {
    "type": "object",
    "properties": {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "metadata": {"type": "object"},
        "source": _TEXT,
        "scope": _REFERENCE,
        "results": {"type": "array", "items": _RESULT},
        "summary": {"type": "object", "properties": {name: {"type": "integer"} for name in _OUTCOMES}},
    },
}


def openreports_crds() -> tuple[Body, Body]:
    """Of Reports and ClusterReports."""
    return _crd(REPORT), _crd(CLUSTERREPORT)


def _crd(kind: Kind) -> Body:
    version = {"name": kind.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": _SCHEMA}}
    names = {"kind": kind.kind, "plural": kind.plural, "singular": kind.kind.lower(), "listKind": f"{kind.kind}List"}
    return {
        "apiVersion": CRD.api_version,
        "kind": CRD.kind,
        "metadata": {"name": kind.resource},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [version],
        },
    }
