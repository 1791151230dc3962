"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386), with the API server's errors for invalid ones."""

from typing import Any

import jsonpatch
import jsonpointer

from local.apiserver.errors import StatusError, bad_request
from shared.model.types import Body

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
MAX_OPERATIONS = 10_000


def unprocessable(why: str) -> StatusError:
    """The error for a patch that cannot be applied."""
    return StatusError(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
        {"causes": [{"reason": "UnexpectedServerResponse", "message": why}]},
    )


def apply_json(obj: Body, operations: Any) -> Body:
    """Apply the operations in place; the caller passes a copy."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > MAX_OPERATIONS:
        raise StatusError(
            413,
            "RequestEntityTooLarge",
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}",
        )
    try:
        patched = jsonpatch.JsonPatch(operations).apply(obj, in_place=True)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
        raise unprocessable(str(error)) from None
    if not isinstance(patched, dict):
        raise unprocessable("the patched document is not an object")
    return patched


def apply_merge(target: Any, patch: Any) -> Any:
    """The target with the merge patch applied; parts that do not change are shared with the target."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = apply_merge(merged.get(key), value)
    return merged
