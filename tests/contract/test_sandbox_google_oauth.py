"""Google's log-in as the sandbox answers it over plain HTTP, and by google-auth's own flow."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.sandbox.google import ADWORDS, CLIENT_ID, CLIENT_SECRET, SCOPES, Google, google, row
from tests.unit.sandbox.support import REDIRECT, facts

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    folder = facts(tmp_path_factory.mktemp("facts"), row(date="2026-03-01"))
    with google(tmp_path_factory.mktemp("home"), folder, "2026-03-03T12:30:00+00:00") as started:
        yield started


def refusal(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]


def test_a_code_is_good_for_two_tokens_once(platform: Google) -> None:
    code = platform.code()
    given = platform.exchange(code).json()
    assert set(given) == {"access_token", "refresh_token", "expires_in", "scope", "token_type"}
    assert (given["expires_in"], given["scope"], given["token_type"]) == (3599, SCOPES, "Bearer")
    assert refusal(platform.exchange(code)) == (400, "invalid_grant")


def test_the_person_comes_back_with_state_and_scopes_or_with_a_refusal(platform: Google) -> None:
    came = httpx.URL(platform.agree([ADWORDS]).headers["location"]).params
    assert (came["state"], came["scope"], came["next"]) == ("a b&c", ADWORDS, "/")
    asked = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "state": "s", "response_type": "code", "scope": SCOPES}
    url = f"{platform.sandbox.url}/o/oauth2/v2/auth"
    denied = httpx.URL(httpx.post(url, params=asked, data={"decision": "deny"}).headers["location"]).params
    assert (denied["error"], denied["state"], "code" in denied) == ("access_denied", "s", False)
    page = httpx.get(url, params=asked)
    assert "SANDBOX" in page.text
    assert "Account 11" in page.text


@pytest.mark.parametrize(
    "wrong", [{"client_id": "x"}, {"redirect_uri": "nowhere"}, {"response_type": "token"}, {"scope": "everything"}]
)
def test_nobody_is_redirected_with_a_wrong_question(platform: Google, wrong: dict[str, str]) -> None:
    asked = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "response_type": "code", "scope": SCOPES, **wrong}
    reply = httpx.get(f"{platform.sandbox.url}/o/oauth2/v2/auth", params=asked)
    assert reply.status_code in {400, 401}


def test_without_offline_access_nothing_lasts(platform: Google) -> None:
    assert "refresh_token" not in platform.exchange(platform.code(access_type="online")).json()


def test_a_challenge_wants_its_verifier(platform: Google) -> None:
    asked = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    code = platform.code(**asked)
    assert refusal(platform.exchange(code)) == (400, "invalid_grant")
    assert refusal(platform.exchange(code, code_verifier="w" * 64)) == (400, "invalid_grant")
    assert platform.exchange(code, code_verifier=VERIFIER).status_code == 200


def test_the_client_is_known_by_form_or_by_header(platform: Google) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": platform.login()}
    assert platform.token(**form).status_code == 200
    assert httpx.post(platform.token_url, data=form, auth=(CLIENT_ID, CLIENT_SECRET)).status_code == 200
    assert refusal(httpx.post(platform.token_url, data=form, auth=(CLIENT_ID, "x"))) == (401, "invalid_client")
    assert refusal(httpx.post(platform.token_url, data=form)) == (401, "invalid_client")


def test_another_redirect_and_another_grant_are_refused(platform: Google) -> None:
    code = platform.code()
    assert refusal(platform.exchange(code, redirect_uri="http://127.0.0.1:9/")) == (400, "redirect_uri_mismatch")
    assert refusal(platform.token(grant_type="password")) == (400, "unsupported_grant_type")
    assert refusal(platform.token(grant_type="refresh_token", refresh_token="x")) == (400, "invalid_grant")


def test_a_revoked_grant_takes_its_access_tokens_with_it(platform: Google) -> None:
    given = platform.exchange(platform.code()).json()
    person = f"{platform.sandbox.url}/v1/userinfo"
    bearer = {"authorization": f"Bearer {given['access_token']}"}
    assert httpx.get(person, headers=bearer).json()["email"] == "person@sandbox.example"
    revoke = f"{platform.sandbox.url}/revoke"
    assert httpx.post(revoke, data={"token": given["refresh_token"]}).status_code == 200
    assert httpx.post(revoke, data={"token": given["refresh_token"]}).status_code == 400
    assert httpx.get(person, headers=bearer).status_code == 401
    again = platform.token(grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert again.json() == {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}


def test_no_secret_is_in_the_request_log(platform: Google) -> None:
    platform.sandbox.control("DELETE", "requests")
    grant = platform.login()
    platform.token(grant_type="refresh_token", refresh_token=grant)
    shown = str(platform.asked())
    assert len(platform.asked("token")) == 2
    assert grant not in shown
    assert CLIENT_SECRET not in shown


def test_googles_own_flow_logs_in(platform: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    from google_auth_oauthlib.flow import Flow

    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    web = {
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "token_uri": platform.token_url,
        "auth_uri": f"{platform.sandbox.url}/o/oauth2/v2/auth",
    }  # fmt: skip
    flow = Flow.from_client_config({"web": web}, SCOPES.split(), redirect_uri=REDIRECT)
    address, _ = flow.authorization_url(access_type="offline", prompt="consent")
    location = httpx.post(address, data={"decision": "allow"}).headers["location"]
    flow.fetch_token(code=httpx.URL(location).params["code"])
    assert flow.credentials.refresh_token
    assert set(flow.credentials.granted_scopes) == set(SCOPES.split())
