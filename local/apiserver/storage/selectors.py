"""Label and field selectors: the query form, and the LabelSelector objects of webhook configurations."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.apiserver.errors import StatusError, bad_request
from shared.model.types import Body

Match = Callable[[Body], bool]
Labels = Mapping[str, str]
_SET = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)\s*$")
_EQUAL = re.compile(r"^\s*(?P<key>[^\s!=,()<>]+)\s*(?P<op>==|=|!=|>|<)\s*(?P<value>[^\s!=,()]*)\s*$")
_EXISTS = re.compile(r"^\s*(?P<absent>!?)\s*(?P<key>[^\s!=,()]+)\s*$")


def _parts(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            yield text[start:index]
            start = index + 1
    yield text[start:]


def _requirement(part: str) -> Callable[[Labels], bool]:
    if found := _SET.match(part):
        key, values = found["key"], frozenset(value.strip() for value in found["values"].split(","))
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(part):
        return _comparison(found["key"], found["op"], found["value"])
    if found := _EXISTS.match(part):
        key, absent = found["key"], bool(found["absent"])
        return lambda labels: (key in labels) is not absent
    raise bad_request(f"unable to parse requirement: found '{part.strip()}', expected: identifier")


def _comparison(key: str, op: str, value: str) -> Callable[[Labels], bool]:
    if op in ("=", "=="):
        return lambda labels: labels.get(key) == value
    if op == "!=":
        return lambda labels: labels.get(key) != value
    try:
        bound = int(value)
    except ValueError:
        raise bad_request(f'for "Gt", "Lt" operators, the value must be an integer: "{value}"') from None

    def compare(labels: Labels) -> bool:
        text = labels.get(key, "")
        return text.lstrip("-").isdigit() and (int(text) > bound if op == ">" else int(text) < bound)

    return compare


def label_selector(text: str) -> Match | None:
    """The predicate of a `labelSelector` query; None if it selects everything."""
    if not text.strip():
        return None
    wanted = [_requirement(part) for part in _parts(text)]
    return lambda obj: all(fits(obj["metadata"].get("labels") or {}) for fits in wanted)


def matches_labels(selector: Body | None, labels: Labels) -> bool:
    """Whether a metav1.LabelSelector matches these labels; an absent or empty one matches everything."""
    if not selector:
        return True
    pairs = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in pairs.items()):
        return False
    return all(_expression(item, labels) for item in selector.get("matchExpressions") or ())


def _expression(item: Body, labels: Labels) -> bool:
    key, values = item["key"], item.get("values") or ()
    return {
        "In": lambda: labels.get(key) in values,
        "NotIn": lambda: labels.get(key) not in values,
        "Exists": lambda: key in labels,
        "DoesNotExist": lambda: key not in labels,
    }[item["operator"]]()


# --- fields -----------------------------------------------------------------------------------------------------------
_EVERY = ("metadata.name", "metadata.namespace")
_FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    ("", "events"): (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    ("", "namespaces"): ("status.phase",),
    ("", "nodes"): ("spec.unschedulable",),
    ("", "secrets"): ("type",),
    ("", "services"): ("spec.clusterIP", "spec.type"),
    ("batch", "jobs"): ("status.successful",),
    ("apps", "replicasets"): ("status.replicas",),
}


def dig(obj: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(obj, dict):
            return None
        obj = obj.get(part)
    return obj


def _field_text(obj: Body, path: str) -> str:
    found = dig(obj, "source.component" if path == "source" else path)
    if isinstance(found, bool):
        return "true" if found else "false"
    return "" if found is None else str(found)


def field_selector(
    text: str, group: str, plural: str, extra: tuple[str, ...] = ()
) -> tuple[Match | None, dict[str, str]]:
    """The predicate of a `fieldSelector` query, and the fields that it requires to be equal (for a look-up by name)."""
    if not text.strip():
        return None, {}
    allowed = (*_EVERY, *_FIELDS.get((group, plural), ()), *extra)
    wanted: list[tuple[str, bool, str]] = []
    for part in text.split(","):
        found = re.match(r"^\s*([^=!]+?)\s*(==|=|!=)\s*(.*?)\s*$", part)
        if found is None:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        if found[1] not in allowed:
            raise unknown_field(found[1])
        wanted.append((found[1], found[2] != "!=", found[3]))
    equal = {path: value for path, same, value in wanted if same}
    return (lambda obj: all((_field_text(obj, path) == value) is same for path, same, value in wanted)), equal


def unknown_field(name: str) -> StatusError:
    return bad_request(f"field label not supported: {name}")
