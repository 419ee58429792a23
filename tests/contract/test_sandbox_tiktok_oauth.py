"""The sandbox's TikTok log-in as the real one answers, and our own log-in through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adloom.errors import ConnectionBroken, OperatorMustAct, PlatformError
from adloom.platforms.tiktok.client import App
from adloom.platforms.tiktok.oauth import TikTokOAuth
from tests.unit.sandbox.support import REDIRECT, facts
from tests.unit.sandbox.tiktok import APP_ID, APP_SECRET, TikTok, row, tiktok

NOW = "2026-03-03T12:30:00+00:00"
SECOND = {"account_id": "12", "campaign_id": "22", "adgroup_id": "32", "ad_id": "43"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts(tmp_path_factory.mktemp("facts"), row(), row(**SECOND))


@pytest.fixture(scope="module")
def platform(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TikTok]:
    with tiktok(tmp_path_factory.mktemp("home"), folder, NOW) as started:
        yield started


def oauth(platform: TikTok, *, secret: str = APP_SECRET, address: str = "") -> TikTokOAuth:
    authorize_url = address or f"{platform.sandbox.url}/portal/auth"
    return TikTokOAuth(App(APP_ID, secret, platform.sandbox.url), authorize_url=authorize_url)


# The sandbox


def test_the_page_shows_accounts_and_rights_and_says_that_it_is_a_sandbox(platform: TikTok) -> None:
    asked = {"app_id": APP_ID, "redirect_uri": REDIRECT, "state": '"><script>'}
    for path in ("portal/auth", "marketing_api/auth"):
        page = httpx.get(f"{platform.sandbox.url}/{path}", params=asked)
        assert page.status_code == 200
        assert 'value="11"' in page.text
        assert "Reporting" in page.text
        assert "SANDBOX" in page.text
        assert "<script>" not in page.text


def test_agreeing_sends_one_code_under_two_names_and_the_state_back(platform: TikTok) -> None:
    reply = platform.agree()
    assert reply.status_code == 302
    target = httpx.URL(reply.headers["location"])
    assert str(target).startswith(REDIRECT + "&auth_code=")
    assert target.params["auth_code"] == target.params["code"]
    assert target.params["state"] == "a b&c"


def test_who_cancels_stays_on_the_page(platform: TikTok) -> None:
    reply = platform.agree(decision="deny")
    assert reply.status_code == 200
    assert "location" not in reply.headers


@pytest.mark.parametrize("wrong", [{"app_id": "9"}, {"redirect_uri": "javascript:alert(1)"}, {"redirect_uri": ""}])
def test_nobody_is_redirected_for_a_wrong_request(platform: TikTok, wrong: dict[str, str]) -> None:
    asked = {"app_id": APP_ID, "redirect_uri": REDIRECT, **wrong}
    reply = httpx.post(f"{platform.sandbox.url}/portal/auth", params=asked, data={"decision": "allow"})
    assert reply.status_code == 400
    assert "location" not in reply.headers


def test_a_code_becomes_a_token_that_never_expires(platform: TikTok) -> None:
    got = platform.exchange(platform.code())
    assert got["code"] == 0
    assert got["data"].pop("access_token")
    assert got["data"] == {"token_type": "Bearer", "scope": [1, 2, 4, 6], "advertiser_ids": ["11", "12"]}
    assert "advertiser_ids" not in platform.exchange(platform.code(), return_advertiser_ids=False)["data"]


def test_a_code_works_once(platform: TikTok) -> None:
    code = platform.code()
    assert platform.exchange(code)["code"] == 0
    assert platform.exchange(code)["code"] == 40110


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"secret": "x"}, 40101), ({"app_id": "9"}, 40101), ({"auth_code": "x"}, 40110), ({"auth_code": ""}, 40002)],
)
def test_what_is_wrong_with_an_exchange_has_a_code(platform: TikTok, wrong: dict[str, str], code: int) -> None:
    body = {"app_id": APP_ID, "secret": APP_SECRET, "auth_code": platform.code(), **wrong}
    assert httpx.post(f"{platform.api}/oauth2/access_token/", json=body).json()["code"] == code


def test_the_form_under_oauths_own_names_does_the_same(platform: TikTok) -> None:
    form = {"client_id": APP_ID, "client_secret": APP_SECRET, "grant_type": "authorization_code"}
    url = f"{platform.api}/oauth/token/"
    got = httpx.post(url, data={**form, "code": platform.code()}).json()
    assert platform.get("user/info/", got["data"]["access_token"])["code"] == 0
    refused = httpx.post(url, data={**form, "code": platform.code(), "grant_type": "refresh_token"}).json()
    assert refused["code"] == 40108


def test_only_the_chosen_accounts_are_granted(platform: TikTok) -> None:
    token = platform.login(choices="1", advertiser=["12"], granted=["1", "2", "4"])
    credentials = {"app_id": APP_ID, "secret": APP_SECRET}
    listed = platform.get("oauth2/advertiser/get/", token, **credentials)["data"]["list"]
    assert listed == [{"advertiser_id": "12", "advertiser_name": "Account 12"}]
    assert platform.get("advertiser/info/", token, advertiser_ids=["11"])["code"] == 40001
    assert platform.get("oauth2/advertiser/get/", token, app_id="9", secret="x")["code"] == 40000


def test_the_header_alone_carries_the_token(platform: TikTok) -> None:
    token = platform.login()
    assert platform.get("user/info/", token)["code"] == 0
    assert platform.get("user/info/", "")["code"] == 40104
    assert platform.get("user/info/", "made-up")["code"] == 40105
    bearer = httpx.get(f"{platform.api}/user/info/", headers={"Authorization": f"Bearer {token}"})
    assert bearer.json()["code"] == 40104


def test_a_revoked_token_is_dead_and_none_can_be_refreshed(platform: TikTok) -> None:
    token = platform.login()
    body = {"app_id": APP_ID, "secret": APP_SECRET, "access_token": token}
    assert httpx.post(f"{platform.api}/oauth2/refresh_token/", json=body).json()["code"] == 40107
    revoked = httpx.post(f"{platform.api}/oauth2/revoke_token/", json=body).json()
    assert revoked["data"] == {"app_id": APP_ID, "advertiser_ids": ["11", "12"]}
    assert platform.get("user/info/", token)["code"] == 40105
    assert httpx.post(f"{platform.api}/oauth2/revoke_token/", json=body).json()["code"] == 40105


def test_a_token_can_be_let_expire(platform: TikTok) -> None:
    token = platform.login()
    platform.sandbox.control("POST", "tokens/expire", {"token": token})
    assert platform.get("user/info/", token)["code"] == 40102


@pytest.mark.parametrize(
    ("path", "status"),
    [("v1.3/user/info", 404), ("v1.3/nothing/", 404), ("v1.3/oauth2/access_token/", 405)],
)
def test_wrong_paths_and_methods_are_answered_in_plain_text(platform: TikTok, path: str, status: int) -> None:
    reply = httpx.get(f"{platform.sandbox.url}/open_api/{path}")
    assert reply.status_code == status
    assert reply.headers["content-type"].startswith("text/plain")


def test_an_unknown_version_is_refused(platform: TikTok) -> None:
    assert httpx.get(f"{platform.sandbox.url}/open_api/v1.2/user/info/").json()["code"] == 40006


def test_without_an_app_nobody_logs_in(tmp_path: Path, folder: Path) -> None:
    from tests.unit.sandbox.support import running

    with running(tmp_path, ADLOOM_SANDBOX_FACTS=str(folder), ADLOOM_CLOCK=NOW) as sandbox:
        body = {"app_id": "", "secret": "", "auth_code": "x"}
        reply = httpx.post(f"{sandbox.url}/open_api/v1.3/oauth2/access_token/", json=body).json()
        assert reply["code"] == 40002
        page = httpx.get(f"{sandbox.url}/portal/auth", params={"app_id": "", "redirect_uri": REDIRECT})
        assert page.status_code == 400


# Our own log-in


def test_our_log_in_brings_a_grant_without_an_end(platform: TikTok) -> None:
    flow = oauth(platform)
    page = flow.authorize_url(state="s1", redirect_uri=REDIRECT)
    asked = parse_qs(urlsplit(page).query)
    assert asked == {"app_id": [APP_ID], "redirect_uri": [REDIRECT], "state": ["s1"]}
    back = httpx.post(page, data={"decision": "allow"}).headers["location"]
    code = parse_qs(urlsplit(back).query)["auth_code"][0]
    grant = flow.exchange(code=code, redirect_uri=REDIRECT)
    assert (grant.name, grant.scopes, grant.expires_at) == ("Sandbox Person", ("1", "2", "4", "6"), None)
    assert grant.external_user_id == "7043278000000000007"
    assert platform.get("user/info/", grant.token)["code"] == 0
    assert grant.token not in repr(grant)


def test_the_portals_own_address_keeps_its_parameters(platform: TikTok) -> None:
    pasted = f"https://business-api.tiktok.com/portal/auth?app_id={APP_ID}&state=your_custom_params&rid=abc"
    page = oauth(platform, address=pasted).authorize_url(state="s1", redirect_uri=REDIRECT)
    assert parse_qs(urlsplit(page).query) == {
        "app_id": [APP_ID], "rid": ["abc"], "redirect_uri": [REDIRECT], "state": ["s1"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"advertiser": [], "granted": ["1", "2", "4"]}, "no_accounts"),
        ({"advertiser": ["11"], "granted": ["1", "2"]}, "scopes_missing"),
        ({"advertiser": ["11"], "granted": ["4"]}, "scopes_missing"),
    ],
)
def test_a_grant_of_too_little_says_what_to_do(platform: TikTok, choices: dict[str, list[str]], code: str) -> None:
    with pytest.raises(ConnectionBroken) as refused:
        oauth(platform).exchange(code=platform.code(choices="1", **choices), redirect_uri=REDIRECT)
    assert refused.value.code == code
    assert "connect again" in refused.value.detail


def test_a_code_that_is_used_or_made_up_is_to_be_asked_for_again(platform: TikTok) -> None:
    code = platform.code()
    flow = oauth(platform)
    flow.exchange(code=code, redirect_uri=REDIRECT)
    for bad in (code, "made-up"):
        with pytest.raises(ConnectionBroken) as refused:
            flow.exchange(code=bad, redirect_uri=REDIRECT)
        assert (refused.value.code, refused.value.platform_code) == ("grant_refused", "40110")


def test_a_wrong_secret_is_the_operators_and_is_not_told(platform: TikTok) -> None:
    with pytest.raises(OperatorMustAct) as refused:
        oauth(platform, secret="wrong-secret").exchange(code=platform.code(), redirect_uri=REDIRECT)
    assert "wrong-secret" not in str(refused.value)


def test_a_log_in_is_tried_once(platform: TikTok) -> None:
    platform.sandbox.control("DELETE", "requests")
    platform.sandbox.faults({"match": {"path": "access_token", "times": None}, "fault": {"kind": "html_502"}})
    try:
        with pytest.raises(PlatformError) as refused:
            oauth(platform).exchange(code="x", redirect_uri=REDIRECT)
    finally:
        platform.sandbox.faults()
    assert refused.value.retryable
    assert len(platform.asked("access_token")) == 1


def test_a_token_is_taken_back_once_and_twice(platform: TikTok) -> None:
    token = platform.login()
    flow = oauth(platform)
    flow.revoke(token)
    assert platform.get("user/info/", token)["code"] == 40105
    flow.revoke(token)
