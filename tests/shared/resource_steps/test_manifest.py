"""No value of a param decides which kind of object a step creates, where, or with which service account."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.resource_steps.manifest import manifest_faults
from shared.substitution import Reference, substitute

ACCOUNTS = ("serviceAccountName", "serviceAccount", "SERVICEACCOUNT")
LEAVES = st.sampled_from(("a", "$(params.p)", "a-$(params.p)", "$$(params.p)", "", 3, None))
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(("spec", "x", "apiVersion", "metadata", *ACCOUNTS)), inner, max_size=3)
    ),
    max_leaves=8,
)
PLACES = st.sampled_from(({}, {"namespace": "ns"}, {"namespace": "$(params.p)"}, {"labels": {"x": "$(params.p)"}}))
MANIFESTS = st.fixed_dictionaries(
    {
        "apiVersion": st.sampled_from(("x.dev/v1", "x.dev/$(params.p)")),
        "kind": st.sampled_from(("Thing", "$(params.p)")),
    },
    optional={"metadata": PLACES, "spec": VALUES, "template": VALUES, "serviceAccountName": LEAVES, "status": VALUES},
)


def accounts(value: Any) -> Iterator[Any]:
    """What stands in fields that name a service account, at any depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if str(key).lower() in ("serviceaccountname", "serviceaccount"):
            yield item
        yield from accounts(item)


def with_param(manifest: Any, value: str) -> Any:
    def lookup(reference: Reference) -> str:
        return value

    return substitute(manifest, lookup).value


def decided(manifest: Any) -> tuple[Any, ...]:
    """What nobody who gives a param may choose."""
    place = (manifest.get("metadata") or {}).get("namespace")
    return manifest["apiVersion"], manifest["kind"], place, list(accounts(manifest))


@given(MANIFESTS)
def test_a_manifest_in_which_a_param_decides_is_refused(manifest: dict[str, Any]) -> None:
    one, other = (decided(with_param(manifest, value)) for value in ("one", "other"))
    faults = list(manifest_faults(manifest, "ns"))
    assert one == other or faults
    assert "status" not in manifest or "status" in {path for path, _, _ in faults}


@given(VALUES)
def test_a_service_account_that_is_written_out_is_accepted(value: Any) -> None:
    manifest = {"apiVersion": "x.dev/v1", "kind": "Thing", "spec": value}
    faults = [message for _, message, _ in manifest_faults(manifest, "ns")]
    same = decided(with_param(manifest, "one")) == decided(with_param(manifest, "other"))
    assert bool(faults) is not same
