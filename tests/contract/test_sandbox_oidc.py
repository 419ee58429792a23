"""The sandbox's identity provider keeps to OpenID Connect, and misbehaves only when told to."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import httpx
import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.unit.sandbox.support import CLIENT_SECRET, KEY, Sandbox, sandbox

__all__ = ["sandbox"]

REDIRECT = "http://127.0.0.1:9/sso/callback/sandbox"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "client_id": "adloom",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "openid email",
    "state": "s",
    "nonce": "n",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def code(sandbox: Sandbox, **asked: str) -> str:
    answer = httpx.post(f"{sandbox.url}/oidc/authorize", data={**ASKED, **asked, "person": "nora"})
    assert answer.status_code == 302, answer.text
    return str(httpx.URL(answer.headers["location"]).params["code"])


def exchange(sandbox: Sandbox, given: str, **changes: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": given,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        "client_id": "adloom",
        "client_secret": CLIENT_SECRET,
    }
    return httpx.post(f"{sandbox.url}/oidc/token", data=form | changes)


def test_its_description_of_itself_is_right_and_its_tokens_fit_its_keys(sandbox: Sandbox) -> None:
    document = httpx.get(f"{sandbox.url}/oidc/.well-known/openid-configuration").json()
    assert document["issuer"] == f"{sandbox.url}/oidc"
    OpenIDProviderMetadata(document | {"issuer": "https://x", "jwks_uri": "https://x", "token_endpoint": "https://x"})
    keys = KeySet.import_key_set(httpx.get(document["jwks_uri"]).json())
    for algorithm in ("RS256", "ES256"):
        sandbox.control("POST", "oidc", {"algorithm": algorithm})
        token = exchange(sandbox, code(sandbox)).json()["id_token"]
        read = jwt.decode(token, keys, algorithms=[algorithm])
        assert (read.claims["sub"], read.claims["aud"], read.claims["nonce"]) == ("sandbox-nora", "adloom", "n")
    sandbox.control("POST", "oidc", {})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"redirect_uri": REDIRECT + "x"}, "invalid_grant"),
        ({"code": "another"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "another"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_nothing_is_given_for_a_code_that_does_not_fit(sandbox: Sandbox, changes: dict[str, str], error: str) -> None:
    answer = exchange(sandbox, code(sandbox), **changes)
    assert answer.status_code in (400, 401)
    assert answer.json() == {"error": error}


def test_a_code_works_once_and_a_wrong_try_uses_it_up(sandbox: Sandbox) -> None:
    given = code(sandbox)
    assert exchange(sandbox, given).status_code == 200
    assert exchange(sandbox, given).json() == {"error": "invalid_grant"}
    given = code(sandbox)
    exchange(sandbox, given, code_verifier="w" * 43)
    assert exchange(sandbox, given).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("authorization", ["adloom:" + CLIENT_SECRET, "adloom:wrong", "\u00e4", "x"])
def test_a_client_may_say_who_it_is_in_the_header(sandbox: Sandbox, authorization: str) -> None:
    form = {"grant_type": "authorization_code", "code": code(sandbox), "redirect_uri": REDIRECT}
    basic = base64.b64encode(authorization.encode("latin-1")).decode()
    headers = {"Authorization": f"Basic {basic}"}
    answer = httpx.post(f"{sandbox.url}/oidc/token", data=form | {"code_verifier": VERIFIER}, headers=headers)
    assert answer.status_code == (200 if authorization.endswith(CLIENT_SECRET) else 401)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"client_id": "another"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": ""},
        {"response_type": "token"},
        {"scope": "email"},
        {"nonce": ""},
        {"state": ""},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_log_in_that_is_asked_for_wrongly_does_not_begin(
    sandbox: Sandbox, method: str, changes: dict[str, str]
) -> None:
    asked: dict[str, Any] = {**ASKED, **changes, "person": "nora"}
    url = f"{sandbox.url}/oidc/authorize"
    answer = httpx.get(url, params=asked) if method == "GET" else httpx.post(url, data=asked)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "203.0.113.7"}, {"Host": "demo.example.com"}, {"Forwarded": "for=203.0.113.7"}]
)
def test_nobody_from_elsewhere_can_choose_who_to_be(sandbox: Sandbox, headers: dict[str, str]) -> None:
    url = f"{sandbox.url}/oidc/authorize"
    assert httpx.get(url, params=ASKED, headers=headers).status_code == 401
    assert httpx.post(url, data={**ASKED, "person": "nora"}, headers=headers).status_code == 401
    assert httpx.get(url, params=ASKED, headers=headers, auth=("x", KEY)).status_code == 200


def test_the_page_shows_text_as_text(sandbox: Sandbox) -> None:
    hostile = '"><script>alert(1)</script>'
    page = httpx.get(f"{sandbox.url}/oidc/authorize", params={**ASKED, "state": hostile})
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_request_log_has_no_secrets(sandbox: Sandbox) -> None:
    given = code(sandbox)
    exchange(sandbox, given)
    logged = json.dumps(sandbox.control("GET", "requests"))
    assert "oidc/token" in logged
    assert given not in logged
    assert VERIFIER not in logged


@pytest.mark.parametrize(
    ("path", "fault", "logged"),
    [
        ("oidc/jwks", {"kind": "error", "status": 503, "body": {}}, ("error", 503)),
        ("oidc/jwks", {"kind": "html_502"}, ("html_502", 502)),
        ("resend/emails", {"kind": "html_502"}, ("html_502", 502)),
        ("stats/eurofxref/eurofxref-daily.xml", {"kind": "hang", "seconds": 0.1}, ("hang", None)),
    ],
)
def test_the_request_log_says_how_a_scripted_fault_was_answered(
    sandbox: Sandbox, path: str, fault: dict[str, Any], logged: tuple[str, int | None]
) -> None:
    sandbox.control("DELETE", "requests")
    sandbox.faults({"match": {"path": path}, "fault": fault})
    ask = httpx.post if path.startswith("resend") else httpx.get
    if logged[1] is None:
        with pytest.raises(httpx.TransportError):
            ask(f"{sandbox.url}/{path}")
    else:
        assert ask(f"{sandbox.url}/{path}").status_code == logged[1]
    (request,) = sandbox.control("GET", "requests")["requests"]
    assert (request["path"], request["fault"], request["status"]) == (path, *logged)


def test_how_it_behaves_is_the_key_holders_to_say(sandbox: Sandbox) -> None:
    assert httpx.post(f"{sandbox.url}/_sandbox/oidc", json={"signature": "none"}).status_code == 403
    answer = httpx.post(f"{sandbox.url}/_sandbox/oidc", json={"signature": "x"}, headers={"X-Sandbox-Key": KEY})
    assert answer.status_code == 422
