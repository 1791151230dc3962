"""Checks the types in a pod template by Kubernetes' own schemas, from the package `kubernetes-validate`.

The schemas contain only types and required fields, so they are compiled once into nested checks, which take some tens of
microseconds for a template. Unknown fields are accepted here, since the API server prunes them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from shared.quantity import fault
from shared.violation import Reason, Violation

RELEASE: Final = "v1.36.0-local"
TEMPLATE: Final = "io.k8s.api.core.v1.PodTemplateSpec"
QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
VOLUME: Final = "io.k8s.api.core.v1.Volume"
CLAIM: Final = "io.k8s.api.core.v1.PersistentVolumeClaimSpec"
_PREFIX: Final = "io.k8s.api.core.v1."
# Required by the schema, but the API server accepts their zero value and therefore their absence.
_ZERO_WILL_DO: Final = {
    (f"{_PREFIX}HTTPHeader", "value"),
    (f"{_PREFIX}ISCSIVolumeSource", "lun"),
    (f"{_PREFIX}PreferredSchedulingTerm", "preference"),
    (f"{_PREFIX}SleepAction", "seconds"),
    (f"{_PREFIX}Sysctl", "value"),
    # Dropped by the API server without their feature gates.
    (f"{_PREFIX}ClusterTrustBundleProjection", "path"),
    (f"{_PREFIX}PodCertificateProjection", "keyType"),
    (f"{_PREFIX}PodCertificateProjection", "signerName"),
}
# Reported by this package's own rules, with Kubernetes' messages.
_SAID_ELSEWHERE: Final = {
    (f"{_PREFIX}{kind}", name)
    for kind, names in {
        "Container": ("name",),
        "ContainerPort": ("containerPort",),
        "EnvVar": ("name",),
        "ConfigMapKeySelector": ("key",),
        "SecretKeySelector": ("key",),
        "KeyToPath": ("key", "path"),
        "NodeSelector": ("nodeSelectorTerms",),
        "NodeSelectorRequirement": ("key", "operator"),
        "PodSchedulingGate": ("name",),
        "PodSpec": ("containers",),
        "PodAffinityTerm": ("topologyKey",),
        "PreferredSchedulingTerm": ("weight",),
        "TopologySpreadConstraint": ("maxSkew", "topologyKey", "whenUnsatisfiable"),
        "Volume": ("name",),
        "VolumeMount": ("mountPath", "name"),
        "SeccompProfile": ("type",),
        "AppArmorProfile": ("type",),
        "CSIVolumeSource": ("driver",),
        "WeightedPodAffinityTerm": ("weight",),
    }.items()
    for name in names
} | {("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement", name) for name in ("key", "operator")}

Check = Callable[[Any, str], Iterator[Violation]]


def wrong_types(value: Any, path: str, schema: str = TEMPLATE) -> Iterator[Violation]:
    """Parts of `value` with a wrong type, and required fields that are missing. `schema`: TEMPLATE or CLAIM."""
    if value is None:
        yield Violation(path, "", reason=Reason.REQUIRED)
    else:
        yield from _compiled(schema)(value, path)


@cache
def volume_sources() -> tuple[str, ...]:
    """The field names of all volume types."""
    return tuple(name for name in definitions()[VOLUME]["properties"] if name != "name")


@cache
def definitions() -> dict[str, Any]:
    """The JSON schemas of Kubernetes' API by name."""
    # Found without being imported: that would import jsonschema, which takes a second where its formats are installed too.
    package = find_spec("kubernetes_validate")
    locations = package.submodule_search_locations if package is not None else None
    assert locations, "kubernetes-validate is a dependency"
    folder = Path(locations[0]) / "kubernetes-json-schema" / RELEASE
    loaded: dict[str, Any] = json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))["$defs"]
    return loaded


@cache
def _compiled(schema: str) -> Check:
    made: dict[str, Check] = {}

    def definition(name: str) -> Check:
        if name not in made:
            made[name] = _compile(definitions()[name], name, definition)
        return made[name]

    return definition(schema)


def _compile(schema: Mapping[str, Any], owner: str, definition: Callable[[str], Check]) -> Check:
    if "$ref" in schema:
        return definition(schema["$ref"].rpartition("/")[2])
    kinds = schema.get("type", ())
    kind = kinds if isinstance(kinds, str) else next((one for one in kinds if one != "null"), "")
    if owner == QUANTITY:
        return _quantity
    if "oneOf" in schema:
        names = [one["type"][0] for one in schema["oneOf"]]
        return _scalar(" or ".join(names), tuple(_TYPES[name] for name in names), schema.get("format", ""))
    if "properties" in schema:
        fields = {name: _compile(field, owner, definition) for name, field in schema["properties"].items()}
        silent = {name for where, name in _ZERO_WILL_DO | _SAID_ELSEWHERE if where == owner}
        return _object(fields, tuple(name for name in schema.get("required", ()) if name not in silent))
    if kind == "array":
        return _array(_compile(schema["items"], owner, definition))
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return _map(_compile(schema["additionalProperties"], owner, definition))
    return _scalar(kind, (_TYPES[kind],), schema.get("format", "")) if kind in _TYPES else _object({}, ())


def _wrong(value: Any, path: str, wanted: str) -> Violation:
    found = next((name for name, fits in _TYPES.items() if fits(value)), "null")
    return Violation(path, f"must be of type {wanted}, not {found}", value)


def _object(fields: Mapping[str, Check], required: tuple[str, ...]) -> Check:
    def check(value: Any, path: str) -> Iterator[Violation]:
        if not isinstance(value, dict):
            yield _wrong(value, path, "object")
            return
        for name, found in value.items():
            if found is not None and name in fields:
                yield from fields[name](found, f"{path}.{name}")
        for name in required:
            if value.get(name) is None:
                yield Violation(f"{path}.{name}", "", reason=Reason.REQUIRED)

    return check


def _array(item: Check) -> Check:
    def check(value: Any, path: str) -> Iterator[Violation]:
        if not isinstance(value, list):
            yield _wrong(value, path, "array")
            return
        for index, found in enumerate(value):
            if found is not None:
                yield from item(found, f"{path}[{index}]")

    return check


def _map(item: Check) -> Check:
    def check(value: Any, path: str) -> Iterator[Violation]:
        if not isinstance(value, dict):
            yield _wrong(value, path, "object")
            return
        for name, found in value.items():
            if found is not None:
                yield from item(found, f"{path}[{name}]")

    return check


def _quantity(value: Any, path: str) -> Iterator[Violation]:
    if not isinstance(value, str) and not _TYPES["number"](value):
        yield _wrong(value, path, "string or number")
    elif message := fault(value):
        yield Violation(path, message, value)


def _scalar(wanted: str, fits: tuple[Callable[[Any], bool], ...], form: str) -> Check:
    bits = {"int32": 31, "int64": 63}.get(form, 63)

    def check(value: Any, path: str) -> Iterator[Violation]:
        if not any(fit(value) for fit in fits):
            yield _wrong(value, path, wanted)
        elif wanted == "integer" and not -(2**bits) <= value < 2**bits:
            yield Violation(path, f"must fit {form or 'int64'}", value)

    return check


_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
