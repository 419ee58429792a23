"""The sandbox's Meta login: dialog, token exchange, inspection, revocation, as the real one answers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.unit.sandbox.support import APP_ID, APP_SECRET, META_90_DAYS, REDIRECT, Sandbox, running

CLOCK = "2025-04-02T10:00:00+00:00"
ASKED = {"client_id": APP_ID, "redirect_uri": REDIRECT, "state": "a b&c", "scope": "ads_read,ads_management"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = tmp_path_factory.mktemp("home")
    with running(home, ADLOOM_SANDBOX_FACTS=str(META_90_DAYS), ADLOOM_CLOCK=CLOCK) as started:
        yield started


def error(reply: httpx.Response) -> tuple[int, int | None]:
    assert reply.status_code >= 400
    assert reply.headers["content-type"] == "application/json; charset=UTF-8"
    found = reply.json()["error"]
    assert found["message"]
    assert found["fbtrace_id"]
    return found["code"], found.get("error_subcode")


def test_the_dialog_shows_the_accounts_and_says_that_it_is_a_sandbox(sandbox: Sandbox) -> None:
    page = httpx.get(f"{sandbox.graph}/dialog/oauth", params={**ASKED, "state": '"><script>'})
    assert page.status_code == 200
    assert "1000000000000404" in page.text
    assert "SANDBOX" in page.text
    assert "<script>" not in page.text


def test_allowing_sends_code_and_state_back(sandbox: Sandbox) -> None:
    reply = httpx.post(f"{sandbox.graph}/dialog/oauth", params=ASKED, data={"decision": "allow"})
    assert reply.status_code == 302
    target = httpx.URL(reply.headers["location"])
    assert str(target).startswith(REDIRECT + "&code=")
    assert target.params["state"] == "a b&c"


def test_denying_sends_metas_words_and_no_code(sandbox: Sandbox) -> None:
    reply = httpx.post(f"{sandbox.graph}/dialog/oauth", params=ASKED, data={"decision": "deny"})
    answer = httpx.URL(reply.headers["location"]).params
    assert (answer["error"], answer["error_reason"], answer["state"]) == ("access_denied", "user_denied", "a b&c")
    assert "code" not in answer


@pytest.mark.parametrize("wrong", [{"client_id": "999"}, {"redirect_uri": "javascript:alert(1)"}, {"redirect_uri": ""}])
def test_nobody_is_redirected_for_a_wrong_request(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    reply = httpx.post(f"{sandbox.graph}/dialog/oauth", params={**ASKED, **wrong}, data={"decision": "allow"})
    assert reply.status_code == 400
    assert "location" not in reply.headers


def test_a_code_becomes_a_short_token_and_that_a_long_one(sandbox: Sandbox) -> None:
    short = sandbox.exchange(sandbox.code()).json()
    assert short["token_type"] == "bearer"
    asked = {"client_id": APP_ID, "client_secret": APP_SECRET, "grant_type": "fb_exchange_token"}
    url = f"{sandbox.graph}/oauth/access_token"
    long = httpx.get(url, params={**asked, "fb_exchange_token": short["access_token"]}).json()
    assert long["expires_in"] == 5183944 > short["expires_in"]
    assert sandbox.get("me", long["access_token"]).status_code == 200


def test_a_code_works_once(sandbox: Sandbox) -> None:
    code = sandbox.code()
    assert sandbox.exchange(code).status_code == 200
    assert error(sandbox.exchange(code)) == (100, 36009)


def test_the_redirect_address_must_match_byte_for_byte(sandbox: Sandbox) -> None:
    code = sandbox.code()
    assert error(sandbox.exchange(code, redirect_uri=REDIRECT.replace("%2F", "/"))) == (100, 36008)
    assert sandbox.exchange(code).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"client_secret": "x"}, 1), ({"client_id": "9"}, 101), ({"sent": "x"}, 100), ({"sent": ""}, 100)],
)
def test_wrong_credentials_get_no_token(sandbox: Sandbox, wrong: dict[str, str], code: int) -> None:
    assert error(sandbox.exchange(wrong.get("sent", "x"), **wrong))[0] == code


def test_debug_token_says_what_a_token_is(sandbox: Sandbox) -> None:
    token = sandbox.login("ads_read")
    app = f"{APP_ID}|{APP_SECRET}"
    data = sandbox.get("debug_token", app, input_token=token).json()["data"]
    assert (data["app_id"], data["is_valid"], data["scopes"], data["type"]) == (APP_ID, True, ["ads_read"], "USER")
    assert data["expires_at"] - data["issued_at"] == 3600
    assert sandbox.get("debug_token", app, input_token="x").json()["data"]["is_valid"] is False
    assert error(sandbox.get("debug_token", "wrong|app", input_token=token))[0] == 190


def test_permissions_show_what_was_declined(sandbox: Sandbox) -> None:
    form = {"decision": "allow", "choices": "1", "granted": "ads_read"}
    reply = httpx.post(f"{sandbox.graph}/dialog/oauth", params=ASKED, data=form)
    token = sandbox.exchange(httpx.URL(reply.headers["location"]).params["code"]).json()["access_token"]
    assert sandbox.get("me/permissions", token).json()["data"] == [
        {"permission": "ads_read", "status": "granted"},
        {"permission": "ads_management", "status": "declined"},
    ]


def test_without_a_reading_scope_accounts_stay_closed(sandbox: Sandbox) -> None:
    token = sandbox.login("public_profile")
    assert sandbox.get("me", token).status_code == 200
    assert error(sandbox.get("me/adaccounts", token))[0] == 200
    assert error(sandbox.get("act_1000000000000404/insights", token))[0] == 200


def test_a_proof_is_checked_when_it_is_sent(sandbox: Sandbox) -> None:
    token = sandbox.login()
    right = hmac.new(APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
    assert sandbox.get("me", token, appsecret_proof=right).status_code == 200
    assert error(sandbox.get("me", token, appsecret_proof="0" * 64)) == (100, None)


def test_only_issued_tokens_are_let_in(sandbox: Sandbox) -> None:
    assert error(httpx.get(f"{sandbox.graph}/me")) == (104, None)
    assert error(sandbox.get("me", "EAAforged")) == (190, None)


def test_one_token_can_be_revoked_and_the_others_stay(sandbox: Sandbox) -> None:
    one, other = sandbox.login(), sandbox.login()
    asked = {"client_id": APP_ID, "client_secret": APP_SECRET, "revoke_token": one}
    assert sandbox.get("oauth/revoke", other, **asked).json() == {"success": True}
    assert error(sandbox.get("me", one)) == (190, 467)
    assert sandbox.get("me", other).status_code == 200


def test_removing_the_app_ends_every_token_of_the_person(sandbox: Sandbox) -> None:
    one, other = sandbox.login(), sandbox.login()
    reply = httpx.delete(f"{sandbox.graph}/me/permissions", params={"access_token": one})
    assert reply.json() == {"success": True}
    assert error(sandbox.get("me", one)) == error(sandbox.get("me", other)) == (190, 458)
    assert sandbox.get("me", sandbox.login()).status_code == 200


def test_tokens_can_be_expired_and_revoked_by_the_control_api(sandbox: Sandbox) -> None:
    one, other = sandbox.login(), sandbox.login()
    assert sandbox.control("POST", "tokens/expire", {"token": one}) == {"expired": 1}
    assert error(sandbox.get("me", one)) == (190, 463)
    asked = {"client_id": APP_ID, "client_secret": APP_SECRET, "grant_type": "fb_exchange_token"}
    refused = httpx.get(f"{sandbox.graph}/oauth/access_token", params={**asked, "fb_exchange_token": one})
    assert error(refused) == (190, 463)
    sandbox.control("POST", "tokens/revoke", {"subcode": 460, "token": other})
    assert error(sandbox.get("me", other)) == (190, 460)


def test_tokens_outlive_a_restart_and_are_kept_as_hashes(tmp_path: Path) -> None:
    settings = {"ADLOOM_SANDBOX_FACTS": str(META_90_DAYS), "ADLOOM_CLOCK": CLOCK}
    with running(tmp_path, **settings) as first:
        token = first.login()
    assert token not in (tmp_path / "tokens.json").read_text()
    with running(tmp_path, **settings) as second:
        assert second.get("me", token).status_code == 200
    assert token not in (tmp_path / "log.jsonl").read_text()


def test_no_secret_reaches_the_request_log(sandbox: Sandbox) -> None:
    sandbox.control("DELETE", "requests")
    token = sandbox.login()
    sandbox.get("me", token, appsecret_proof="0" * 64)
    batch = '[{"method":"GET","relative_url":"me?access_token=' + token + '"}]'
    httpx.post(f"{sandbox.graph}/", data={"batch": batch, "access_token": token})
    log = str(sandbox.control("GET", "requests?after=0"))
    assert "dialog/oauth" in log
    assert token not in log
    assert APP_SECRET not in log


def test_the_control_api_needs_its_key(sandbox: Sandbox) -> None:
    for headers in ({}, {"X-Sandbox-Key": "wrong"}):
        assert httpx.get(f"{sandbox.url}/_sandbox/requests", headers=headers).status_code == 403
