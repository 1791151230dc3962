"""Who can sign in, and with which rights."""

import pytest

from shared.kinds import JOBFLOW
from tests.web.make import a_flow
from tests.web.site import SmallCluster, browser, in_cluster, laptop
from web.settings import SignIn

READ = {"apiGroups": ["flow.volcano.sh"], "resources": ["jobflows"], "verbs": ["get", "list", "watch"]}


async def test_the_address_of_a_laptop_works_once_and_leaves_no_token_in_the_next_address(
    cluster: SmallCluster,
) -> None:
    async with laptop(cluster) as first:
        assert (await first.get("/flows")).status == 200
        async with browser(first.base) as second:
            answer = await second.get("/flows")
            assert str(answer.url) == f"{first.base}/signin?next=/flows"
            assert "jobflow ui" in answer.words
            assert (await second.get("/?token=guessed")).status == 401


async def test_a_token_signs_in_and_every_request_has_its_rights_only(cluster: SmallCluster) -> None:
    cluster.server.core.options.rbac = True
    await cluster.allow("ann", READ)
    await cluster.create(JOBFLOW, a_flow("nightly", {"a": ()}))
    async with in_cluster(cluster) as base, browser(base) as found:
        answer = await found.sign_in(cluster.token("ann"), "/flows?namespace=default")
        assert (answer.status, "nightly" in answer.words, "ann" in answer.words) == (200, True, True)
        refused = await found.get("/flows?namespace=*")
        assert refused.status == 403
        assert "ann may not list jobflows.flow.volcano.sh in the whole cluster" in refused.words
        elsewhere = await found.get("/flows?namespace=other")
        assert "ann may not list jobflows.flow.volcano.sh in namespace other" in elsewhere.words


@pytest.mark.parametrize("token", ["", "wrong", "two words", "line\r\nX-Other: 1", "x" * 20_000])
async def test_what_is_no_token_of_the_cluster_does_not_sign_in(cluster: SmallCluster, token: str) -> None:
    async with in_cluster(cluster) as base, browser(base) as found:
        answer = await found.sign_in(token)
        assert answer.status == 401
        assert "token" in answer.words
        assert str((await found.get("/flows")).url).startswith(f"{base}/signin")


async def test_behind_a_proxy_each_request_says_who_it_is(cluster: SmallCluster) -> None:
    cluster.server.core.options.rbac = True
    await cluster.allow("ann", READ)
    ann, bob = (f"Bearer {cluster.token(name)}" for name in ("ann", "bob"))
    async with in_cluster(cluster, SignIn.PROXY) as base, browser(base) as found:
        assert (await found.get("/flows?namespace=default", Authorization=ann)).status == 200
        refused = await found.get("/flows?namespace=default", Authorization=bob)
        assert "bob may not list" in refused.words
        assert (await found.get("/flows?namespace=default")).status == 401


async def test_after_sign_out_the_cookie_is_worth_nothing(cluster: SmallCluster) -> None:
    async with in_cluster(cluster) as base, browser(base) as found:
        await found.sign_in(cluster.token("ann", "system:masters"))
        await found.get("/flows")
        kept = {cookie.key: cookie.value for cookie in found.http.cookie_jar}
        assert (await found.post("/signout")).status == 200
        found.http.cookie_jar.update_cookies(kept)
        assert str((await found.get("/flows")).url).startswith(f"{base}/signin")


async def test_a_sign_in_leads_to_our_own_pages_only(cluster: SmallCluster) -> None:
    async with in_cluster(cluster) as base, browser(base) as found:
        for place in ("//evil.example/x", "https://evil.example", "/\\evil.example"):
            answer = await found.sign_in(cluster.token("ann", "system:masters"), place)
            assert str(answer.url).startswith(base)


async def test_a_link_on_another_site_leads_to_the_page_for_whoever_is_signed_in(cluster: SmallCluster) -> None:
    """A browser sends a strict cookie only on the second of these requests."""
    async with in_cluster(cluster) as base, browser(base) as found:
        first = await found.get("/flows", Sec_Fetch_Site="cross-site")
        assert first.status == 200
        assert 'http-equiv="refresh" content="0"' in first.text
        assert str(first.url) == f"{base}/flows"
        second = await found.get("/flows", Sec_Fetch_Site="same-origin")
        assert str(second.url).startswith(f"{base}/signin")
