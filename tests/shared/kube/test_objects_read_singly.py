"""Objects read one by one, beside the caches that watch."""

from shared.kinds import POD, SECRET
from shared.kube.cache.cache import Caches
from tests.shared.kube.fake import FakeServer, serving

SECRETS = "/api/v1/secrets"


async def test_what_was_read_or_written_is_known_until_it_is_read_again() -> None:
    fake = FakeServer()
    async with serving(fake) as (_, api):
        caches = Caches(api)
        pods, kept = caches.want(POD), caches.remember(SECRET)
        assert caches.remember(SECRET) is kept
        assert kept.get("ns", "s") is None
        fake.put(SECRETS, {"metadata": {"name": "s", "namespace": "ns", "managedFields": [{}]}})
        await kept.read("ns", "s")
        assert (kept.get("ns", "s") or {})["metadata"].keys() == {"name", "namespace", "uid", "resourceVersion"}
        fake.remove(SECRETS, "ns", "s")
        assert kept.get("ns", "s") is not None
        await kept.read("ns", "s")
        assert kept.get("ns", "s") is None
        caches.assume(SECRET, {"metadata": {"name": "s", "namespace": "ns", "uid": "new"}})
        caches.assume_deleted(SECRET, "ns", "s", "old")
        assert kept.get("ns", "s") is not None
        caches.assume_deleted(SECRET, "ns", "s", "new")
        assert kept.get("ns", "s") is None
        caches.assume(POD, {"metadata": {"name": "p", "namespace": "ns", "uid": "u", "resourceVersion": "1"}})
        assert pods.get("ns", "p") is not None  # a cache that is empty so far is a cache, too
    assert fake.calls["LIST secrets"] == fake.calls["WATCH secrets"] == 0
