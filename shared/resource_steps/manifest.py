"""What the manifest of a step with `resource` must not contain. The webhook and the controller apply the same checks."""

from collections.abc import Iterator
from typing import Any, Final

from shared.model.step import StepResource
from shared.model.types import Body
from shared.substitution import MAX_DEPTH, member, references_in

_METADATA: Final = ("labels", "annotations", "namespace")
_NAME: Final = "the controller names the object FLOW-STEP[-INDEX][-rN]: remove it"
_REFUSED: Final = {
    "ownerReferences": "the flow owns the object: remove it",
    "finalizers": "the flow could not be deleted: remove it",
    "name": _NAME,
    "generateName": _NAME,
}
_ACCOUNTS: Final = ("serviceaccountname", "serviceaccount")
Fault = tuple[str, str, Any]


def manifest_faults(manifest: Body, namespace: str) -> Iterator[Fault]:
    """(path below the manifest, message, value) of everything that is refused."""
    for field in ("apiVersion", "kind"):
        value = manifest.get(field)
        if not isinstance(value, str) or not value:
            yield field, "say which object to create", value
        elif "$(" in value:
            yield field, "must be written out, without a placeholder", value
    if "status" in manifest:
        yield "status", "its operator writes the status: remove it", None
    yield from _metadata_faults(manifest.get("metadata"), namespace)
    yield from _account_faults(manifest, "")


def termination_faults(resource: StepResource) -> Iterator[Fault]:
    """(path below terminate, message, value) of a patch that does more than end the object."""
    if resource.terminate is None:
        return
    if not resource.terminate.patch:
        yield "patch", "give at least one operation, or remove terminate to have the object deleted", None
    for index, operation in enumerate(resource.terminate.patch):
        for field, pointer in (("path", operation.path), ("from", operation.from_)):
            if (pointer or field == "path") and not pointer.startswith("/spec/"):
                yield f"patch[{index}].{field}", "must begin with /spec/", pointer
        if operation.expression is not None:
            yield f"patch[{index}].expression", "is not evaluated here: give value", operation.expression


def _metadata_faults(metadata: Any, namespace: str) -> Iterator[Fault]:
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        yield "metadata", "must be a map", metadata
        return
    for field, value in metadata.items():
        if field not in _METADATA:
            said = _REFUSED.get(field, f"may not be set; only {', '.join(_METADATA)} may")
            yield f"metadata.{field}", said, value
    for field in ("labels", "annotations"):
        given = metadata.get(field)
        if given is not None and not _is_texts(given):
            yield f"metadata.{field}", "must be a map of strings", given
    given = metadata.get("namespace")
    if given not in (None, "", namespace):
        yield "metadata.namespace", f'must be absent or the flow\'s namespace "{namespace}"', given


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _account_faults(value: Any, path: str, depth: int = 0) -> Iterator[Fault]:
    """Service accounts that a placeholder would choose: whoever gives a param must not choose another account."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _account_faults(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            place = member(path, key)
            if key.lower() in _ACCOUNTS and references_in(item):
                yield place, "a service account must be written out, without a placeholder", item
            yield from _account_faults(item, place, depth + 1)
