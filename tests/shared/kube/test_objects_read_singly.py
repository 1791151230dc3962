"""Objects that are read one by one, next to caches with a watch."""

from shared.kinds import POD, SECRET
from shared.kube.cache.cache import Caches
from tests.shared.kube.fake import FakeServer, serving

SECRETS = "/api/v1/secrets"


async def test_objects_stay_known_until_they_are_read_again() -> None:
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
        assert pods.get("ns", "p") is not None  # an empty cache is also a cache
    assert fake.calls["LIST secrets"] == fake.calls["WATCH secrets"] == 0
