"""Why an operation of a JSON patch cannot be applied."""

from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpointer import JsonPointerException

from shared.codec.patch_words import patch_fault

DOCUMENT: dict[str, Any] = {"tasks": [{"name": "main", "a/b": None}], "queue": "q", "none": []}
WORDS: dict[str, tuple[dict[str, Any], str]] = {
    "another value": (
        {"op": "test", "path": "/tasks/0/name", "value": "x"},
        'the value is "main", not "x"',
    ),
    "nothing to test": ({"op": "test", "path": "/tasks/0/nope", "value": 1}, '/tasks/0 has no field "nope"'),
    "a field that is not there": ({"op": "remove", "path": "/nope"}, 'the JobSpec has no field "nope"'),
    "a parent that is not there": ({"op": "add", "path": "/nope/x", "value": 1}, 'the JobSpec has no field "nope"'),
    "beyond a list": (
        {"op": "add", "path": "/tasks/7", "value": 1},
        "/tasks has 1 item, so that there is no index 7; write /- to append",
    ),
    "in an empty list": ({"op": "remove", "path": "/none/0"}, "/none has 0 items, so that there is no index 0"),
    "a name in a list": ({"op": "replace", "path": "/tasks/main", "value": 1}, '/tasks is a list, in which "main" is no index'),
    "below a text": ({"op": "add", "path": "/queue/x", "value": 1}, "/queue is a string, which has no fields"),
    "below null": ({"op": "add", "path": "/tasks/0/a~1b/x", "value": 1}, "/tasks/0/a/b is null, which has no fields"),
    "a source that is not there": ({"op": "copy", "from": "/x", "path": "/y"}, 'the JobSpec has no field "x"'),
    "into itself": ({"op": "move", "from": "/tasks", "path": "/tasks/0"}, "a value cannot be put into itself"),
    "a copy below a field that is not there": (
        {"op": "copy", "from": "/tasks/0", "path": "/tasks/0/x/y"},
        '/tasks/0 has no field "x"',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("operation", "said"), WORDS.values(), ids=WORDS)
def test_the_reason_is_told_in_terms_of_the_api(operation: dict[str, Any], said: str) -> None:
    assert patch_fault(operation, DOCUMENT) == said


POINTERS = st.lists(st.sampled_from(("tasks", "0", "1", "name", "queue", "x", "none", "a~1b")), max_size=4).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)


@given(st.sampled_from(("add", "remove", "replace", "test")), POINTERS, st.sampled_from(("q", "main", 1, None)))
def test_a_reason_is_found_for_each_operation_that_fails_and_for_no_other(op: str, path: str, value: Any) -> None:
    operation = {"op": op, "path": path, "value": value}
    try:
        jsonpatch.JsonPatch([operation]).apply(DOCUMENT)
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError):
        assert patch_fault(operation, DOCUMENT) is not None
    else:
        assert patch_fault(operation, DOCUMENT) is None
