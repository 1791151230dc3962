"""Server-side printing: metav1.Table for `kubectl get`, by the columns of the kind or of the CRD."""

from typing import Any

import orjson

from local.apiserver.printing import durations, jsonpath
from local.apiserver.printing.columns import PRINTERS, Printer
from local.apiserver.storage.store import StoredObject
from local.apiserver.types.resources import PrinterColumn, Resource
from shared.model.types import Body

_NAME = PrinterColumn(
    "Name",
    "string",
    format="name",
    description="Name must be unique within a namespace. Is required when creating resources, although some resources may "
    "allow a client to request the generation of an appropriate name automatically.",
)
_AGE = PrinterColumn(
    "Created At",
    "date",
    description="CreationTimestamp is a timestamp representing the server time when this object was created.",
)


def table(resource: Resource, entries: list[StoredObject], meta: Body, include: str, headers: bool = True) -> bytes:
    """A Table of these objects. `include`: Object, Metadata or None, the part of the object in each row."""
    columns, printer = _columns(resource)
    rows = []
    for entry in entries:
        row: Body = {"cells": printer(entry.obj) if printer is not None else _cells(entry.obj, columns[1:])}
        if include == "Object":
            row["object"] = {**entry.obj, "apiVersion": resource.api_version}
        elif include != "None":
            row["object"] = partial(entry)
        rows.append(row)
    found: Body = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
    found["columnDefinitions"] = [_definition(column) for column in columns] if headers else []
    found["rows"] = rows
    return orjson.dumps(found)


def partial(entry: StoredObject) -> Body:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": entry.meta}


def _definition(column: PrinterColumn) -> Body:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description or f"Custom resource definition column (in JSONPath format): {column.path}",
        "priority": column.priority,
    }


def _columns(resource: Resource) -> tuple[tuple[PrinterColumn, ...], Printer | None]:
    if resource.custom:
        return (_NAME, *resource.columns), None
    found = PRINTERS.get(resource.gr)
    if found is None:
        return (_NAME, _AGE), lambda obj: [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]
    return (_NAME, *found[0]), found[1]


def _cells(obj: Body, columns: tuple[PrinterColumn, ...]) -> list[Any]:
    return [obj["metadata"]["name"], *(_cell(obj, column) for column in columns)]


def _cell(obj: Body, column: PrinterColumn) -> Any:
    """One custom column; null where the path has no value or one of another type."""
    try:
        found = jsonpath.find(obj, column.path)
    except ValueError:
        return None
    if not found:
        return None
    value = found[0]
    if column.type == "date":
        return durations.since(value) if isinstance(value, str) else "<unknown>"
    if column.type == "string":
        return ",".join(_text(item) for item in found) if len(found) > 1 else _text(value)
    if column.type == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if column.type == "integer" else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
