"""Patched copies share what a patch leaves alone, and are what the jsonpatch library makes of the whole object."""

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.envelope.patch import Path, Setting, applied, operations

NAMES = st.sampled_from(["a", "b/c", "d~e", "0"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, 1, "x"]),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(NAMES, below, max_size=2),
    max_leaves=8,
)
PATHS = st.lists(NAMES | st.sampled_from([0, 1]), min_size=1, max_size=4).map(tuple)


@given(st.dictionaries(NAMES, VALUES, max_size=3), PATHS, VALUES)
def test_a_patched_copy_is_what_patching_a_whole_copy_gives(body: dict[str, Any], path: Path, value: Any) -> None:
    before = copy.deepcopy(body)
    patch = operations(body, [Setting(path, value)])
    try:
        wanted = jsonpatch.JsonPatch(copy.deepcopy(patch)).apply(body)
    except (
        jsonpatch.JsonPatchException,
        TypeError,
    ) as fault:  # a path that leads through a scalar or past a list's end
        with pytest.raises(type(fault)):
            applied(body, patch)
    else:
        assert applied(body, patch) == wanted
    assert body == before


def test_what_a_patch_leaves_alone_is_shared_with_the_object() -> None:
    body = {"spec": {"flows": [{"name": "a"}], "params": [{"name": "p"}]}}
    made = applied(body, operations(body, [Setting(("spec", "flows", 0, "template"), "t")]))
    assert made["spec"]["flows"] == [{"name": "a", "template": "t"}]
    assert made["spec"]["params"] is body["spec"]["params"]
    assert body["spec"]["flows"] == [{"name": "a"}]
