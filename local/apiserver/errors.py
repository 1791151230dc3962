"""Errors of the API server: `metav1.Status` objects with the codes, reasons and texts of k8s.io/apimachinery."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from shared.model.types import Body


class FieldError(NamedTuple):
    """One invalid field, as `field.Error`: `path`, `reason` (a metav1.CauseType) and the text after the path."""

    path: str
    reason: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def go_json(value: Any) -> str:
    """The value as Go prints it in a field error."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def invalid(path: str, value: Any, detail: str) -> FieldError:
    return FieldError(path, "FieldValueInvalid", f"Invalid value: {go_json(value)}: {detail}")


def type_invalid(path: str, value: Any, detail: str) -> FieldError:
    return FieldError(path, "FieldValueTypeInvalid", f"Invalid value: {go_json(value)}: {detail}")


def required(path: str, detail: str = "") -> FieldError:
    return FieldError(path, "FieldValueRequired", f"Required value: {detail}" if detail else "Required value")


def duplicate(path: str, value: Any) -> FieldError:
    return FieldError(path, "FieldValueDuplicate", f"Duplicate value: {go_json(value)}")


def not_supported(path: str, value: Any, supported: Iterable[Any]) -> FieldError:
    shown = ", ".join(f'"{item if isinstance(item, str) else go_json(item)}"' for item in supported)
    return FieldError(path, "FieldValueNotSupported", f"Unsupported value: {go_json(value)}: supported values: {shown}")


def forbidden_field(path: str, detail: str) -> FieldError:
    return FieldError(path, "FieldValueForbidden", f"Forbidden: {detail}")


def too_long(path: str, limit: int) -> FieldError:
    unit = "byte" if limit == 1 else "bytes"
    return FieldError(path, "FieldValueTooLong", f"Too long: may not be more than {limit} {unit}")


def too_many(path: str, actual: int, limit: int) -> FieldError:
    unit = "item" if limit == 1 else "items"
    return FieldError(path, "FieldValueTooMany", f"Too many: {actual}: must have at most {limit} {unit}")


class StatusError(Exception):
    """An error response. `code`: HTTP status; `status`: the metav1.Status body; `headers`: extra response headers."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Body | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}

    @property
    def status(self) -> Body:
        body: Body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


def group_resource(group: str, resource: str) -> str:
    return f"{resource}.{group}" if group else resource


def _details(group: str, kind: str, name: str, **more: Any) -> Body:
    found = {"name": name, "group": group, "kind": kind, **more}
    return {key: value for key, value in found.items() if value}


def not_found(group: str, resource: str, name: str) -> StatusError:
    message = f'{group_resource(group, resource)} "{name}" not found'
    return StatusError(404, "NotFound", message, _details(group, resource, name))


def already_exists(group: str, resource: str, name: str) -> StatusError:
    message = f'{group_resource(group, resource)} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(group, resource, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(group: str, resource: str, name: str, why: str = MODIFIED) -> StatusError:
    message = f'Operation cannot be fulfilled on {group_resource(group, resource)} "{name}": {why}'
    return StatusError(409, "Conflict", message, _details(group, resource, name))


def forbidden(group: str, resource: str, name: str, why: str, **details: Any) -> StatusError:
    shown = group_resource(group, resource)
    message = f'{shown} "{name}" is forbidden: {why}' if name else f"{shown} is forbidden: {why}"
    return StatusError(403, "Forbidden", message, _details(group, resource, name, **details))


def invalid_object(group: str, kind: str, name: str, errors: Iterable[FieldError]) -> StatusError:
    """422 with all field errors, without duplicates, as `errors.NewInvalid` aggregates them."""
    unique = list(dict.fromkeys(errors))
    listed = [str(error) for error in unique]
    shown = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    causes = [{"reason": error.reason, "message": error.text, "field": error.path} for error in unique]
    message = f'{group_resource(group, kind)} "{name}" is invalid: {shown}'
    return StatusError(422, "Invalid", message, _details(group, kind, name, causes=causes))


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def undecodable(kind: str, version: str, why: str) -> StatusError:
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def internal(message: str) -> StatusError:
    text = f"Internal error occurred: {message}"
    return StatusError(500, "InternalError", text, {"causes": [{"message": message}]})


def gone(message: str) -> StatusError:
    return StatusError(410, "Expired", message)


def unauthorized() -> StatusError:
    return StatusError(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> StatusError:
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def no_such_resource() -> StatusError:
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def unsupported_media(accepted: Iterable[str]) -> StatusError:
    message = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted)
    return StatusError(415, "UnsupportedMediaType", message)


def too_many_requests(retry_after: int) -> StatusError:
    return StatusError(
        429,
        "TooManyRequests",
        "the server has received too many requests and has asked us to try again later",
        {"retryAfterSeconds": retry_after},
        {"Retry-After": str(retry_after)},
    )
