"""What nobody gets past: each test fails when the one check it is about is taken away."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from adloom.db import Database
from adloom.sso import discovery, fetch
from adloom.web.public import SSO_FINISH, SSO_START
from functions.auth.handler import app
from tests.integration.auth_rig import Admin, admin, auth, client, org_id, viewer
from tests.integration.cast import Logged, Person
from tests.integration.sso_rig import Browser, Provider, at_provider, browser, by_sandbox, provider, use
from tests.unit.sandbox.support import CLIENT_SECRET, Sandbox, sandbox

if TYPE_CHECKING:
    from uuid import UUID

    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "auth", "browser", "by_sandbox", "client", "org_id", "provider", "sandbox", "viewer"]


def logged_in(answer: Any) -> bool:
    return answer.status_code == 200 and bool(answer.get_json()["login"]["token"])


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.text
    assert "adl_" not in answer.text


# The state


def test_a_state_is_good_once(browser: Browser, provider: Provider) -> None:
    brought = at_provider(browser.leave())
    assert logged_in(browser.come_back(brought))
    refused(browser.come_back(brought), 409, "state_unusable")


@pytest.mark.parametrize("state", ["x", "A" * 43, "\u00e4\ud83d\ude00"])
def test_a_state_that_nobody_gave_is_none(browser: Browser, provider: Provider, state: str) -> None:
    brought = at_provider(browser.leave()) | {"state": state}
    refused(browser.come_back(brought), 409, "state_unusable")


def test_without_a_state_nothing_is_looked_at(browser: Browser, provider: Provider) -> None:
    brought = at_provider(browser.leave())
    del brought["state"]
    assert browser.come_back(brought).status_code == 422


def test_a_state_of_another_browser_is_none_and_stays_unused(browser: Browser, provider: Provider) -> None:
    brought = at_provider(browser.leave())
    refused(Browser(browser.client).come_back(brought), 409, "state_unusable")
    assert logged_in(browser.come_back(brought))


def test_a_state_is_good_for_ten_minutes(browser: Browser, provider: Provider, admin: Admin) -> None:
    brought = at_provider(browser.leave())
    admin.execute("update sso_states set expires_at = now()")
    refused(browser.come_back(brought), 409, "state_unusable")


def test_a_state_of_one_provider_is_none_of_another(
    postgres: Postgres, auth: Database, sandbox: Sandbox, org_id: UUID, browser: Browser, provider: Provider
) -> None:
    other = {"oidc_issuer": provider.issuer, "oidc_client_id": "adloom", "oidc_client_secret": CLIENT_SECRET}
    use(postgres, auth, sandbox, sso_domains=f"adloom.local={org_id}", **other)
    brought = at_provider(browser.leave("sandbox"))
    refused(browser.come_back(brought, "oidc"), 409, "state_unusable")
    assert logged_in(browser.come_back(brought, "sandbox"))


def test_the_database_alone_gives_neither_state_nor_verifier_nor_nonce(
    browser: Browser, provider: Provider, admin: Admin
) -> None:
    asked = httpx.URL(browser.leave()).params
    stored = str(admin.execute("select s::text from sso_states s").fetchall())
    for secret in (asked["state"], asked["nonce"], asked["code_challenge"], browser.cookie):
        assert secret not in stored
    assert asked["code_challenge_method"] == "S256"
    again = httpx.URL(browser.leave()).params
    for name in ("state", "nonce", "code_challenge"):
        assert asked[name] != again[name]


# The code


def test_a_code_that_was_stolen_and_brought_to_another_log_in_opens_nothing(
    browser: Browser, provider: Provider
) -> None:
    """PKCE: the provider gives out nothing for a verifier that does not fit."""
    stolen = at_provider(browser.leave())["code"]
    thief = Browser(browser.client)
    brought = at_provider(thief.leave(), "guest") | {"code": stolen}
    refused(thief.come_back(brought), 401, "sso_refused")


def test_a_code_is_not_asked_for_twice(browser: Browser, provider: Provider) -> None:
    """Even where the provider would give the same again."""
    provider.behaves(reuses_codes=True)
    brought = at_provider(browser.leave())
    assert logged_in(browser.come_back(brought))
    before = len(provider.sandbox.control("GET", "requests")["requests"])
    refused(browser.come_back(brought), 409, "state_unusable")
    assert len(provider.sandbox.control("GET", "requests")["requests"]) == before


def test_a_refusal_uses_the_state_up(browser: Browser, provider: Provider) -> None:
    brought = at_provider(browser.leave(), "")
    assert brought["error"] == "access_denied"
    refused(browser.come_back(brought), 403, "access_denied")
    refused(browser.come_back(brought), 409, "state_unusable")


@pytest.mark.parametrize(("brought", "status"), [({}, 400), ({"code": ""}, 400), ({"error": "server_error"}, 401)])
def test_an_answer_without_a_code_logs_nobody_in(
    browser: Browser, provider: Provider, brought: dict[str, str], status: int
) -> None:
    whole = at_provider(browser.leave())
    answer = browser.come_back({"state": whole["state"], "iss": whole["iss"], **brought})
    assert answer.status_code == status


def test_a_client_with_a_wrong_secret_gets_nothing(
    postgres: Postgres, auth: Database, sandbox: Sandbox, browser: Browser, provider: Provider
) -> None:
    use(postgres, auth, sandbox, sandbox_client_secret="wrong")
    refused(browser.log_in(), 401, "sso_refused")


# Who answers (RFC 9207)


@pytest.mark.parametrize("issuer", [None, "https://evil.example", "", "http://127.0.0.1:1/oidc"])
def test_an_answer_of_another_issuer_is_none_of_this_one(
    browser: Browser, provider: Provider, issuer: str | None
) -> None:
    provider.behaves(answer={"iss": issuer})
    refused(browser.log_in(), 401, "sso_refused")


def test_a_provider_that_does_not_name_itself_need_not(browser: Browser, provider: Provider) -> None:
    provider.behaves(answer={"iss": None}, metadata={"authorization_response_iss_parameter_supported": None})
    assert logged_in(browser.log_in())
    provider.behaves(
        answer={"iss": "https://evil.example"}, metadata={"authorization_response_iss_parameter_supported": None}
    )
    refused(browser.log_in(), 401, "sso_refused")


# The token


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": ["x"]},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": ["somebody-else"]},
        {"aud": None},
        {"aud": []},
        {"aud": ["adloom", "somebody-else"]},
        {"aud": ["adloom", "somebody-else"], "azp": "somebody-else"},
        {"azp": "somebody-else"},
        {"exp": timedelta(minutes=-2)},
        {"exp": None},
        {"exp": "soon"},
        {"iat": timedelta(hours=1)},
        {"iat": timedelta(hours=-1)},
        {"iat": None},
        {"nbf": timedelta(hours=1)},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "a\u0000b"},
        {"sub": "sandbox-nora\n"},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_logs_nobody_in(
    browser: Browser, provider: Provider, admin: Admin, claims: dict[str, Any]
) -> None:
    now = time.time()
    told = {name: int(now + one.total_seconds()) if isinstance(one, timedelta) else one for name, one in claims.items()}
    provider.behaves(claims=told)
    refused(browser.log_in(), 401, "sso_refused")
    assert admin.execute("select count(*) from sso_identities").fetchone() == (0,)


def test_several_audiences_are_right_where_the_token_is_for_us(browser: Browser, provider: Provider) -> None:
    provider.behaves(claims={"aud": ["adloom", "another"], "azp": "adloom"})
    assert logged_in(browser.log_in())


@pytest.mark.parametrize("signature", ["none", "hs256_with_public_key", "another_key", "unknown_kid", "swapped_kid"])
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_that_the_provider_did_not_sign_logs_nobody_in(
    browser: Browser, provider: Provider, algorithm: str, signature: str
) -> None:
    provider.behaves(signature=signature, algorithm=algorithm)
    refused(browser.log_in(), 401, "sso_refused")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_each_algorithm_of_the_provider_is_right(browser: Browser, provider: Provider, algorithm: str) -> None:
    provider.behaves(algorithm=algorithm)
    assert logged_in(browser.log_in())


def test_an_algorithm_that_the_provider_does_not_name_is_refused(browser: Browser, provider: Provider) -> None:
    provider.behaves(algorithm="ES256", metadata={"id_token_signing_alg_values_supported": ["RS256"]})
    refused(browser.log_in(), 401, "sso_refused")


def test_a_token_of_an_earlier_log_in_opens_no_second_one(browser: Browser, provider: Provider) -> None:
    assert logged_in(browser.log_in())
    provider.behaves(replay=True)
    refused(browser.log_in(), 401, "sso_refused")


def test_unknown_keys_are_asked_for_again_but_not_for_everybody_who_makes_one_up(
    browser: Browser, provider: Provider
) -> None:
    provider.sandbox.control("DELETE", "requests")
    provider.behaves(signature="unknown_kid")
    for _ in range(4):
        refused(browser.log_in(), 401, "sso_refused")
    assert provider.asked("oidc/jwks") == 1


def test_a_key_that_is_new_is_found(browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that changed its keys: what was remembered of them is old."""
    provider.fails("oidc/jwks", status=200, body={"keys": []})
    refused(browser.log_in(), 401, "sso_refused")
    provider.sandbox.faults()
    refused(browser.log_in(), 401, "sso_refused")
    monkeypatch.setattr(discovery, "AGAIN_AFTER_S", 0)
    assert logged_in(browser.log_in())


@pytest.mark.parametrize("change", [{"kty": "oct", "k": "AAAA"}, {"use": "enc"}, {"alg": "ES256"}, {"n": "AQAB"}])
def test_a_key_that_does_not_sign_signs_nothing(browser: Browser, provider: Provider, change: dict[str, str]) -> None:
    (key, *_) = httpx.get(f"{provider.issuer}/jwks").json()["keys"]
    provider.fails("oidc/jwks", status=200, body={"keys": [key | change]})
    refused(browser.log_in(), 401, "sso_refused")


# What the provider says of itself


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"token_endpoint": "http://example.com/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "https://user:pass@example.com/token"},
        {"token_endpoint": "https://"},
        {"token_endpoint": ["https://example.com"]},
        {"jwks_uri": "http://10.0.0.1/jwks"},
        {"jwks_uri": "gopher://example.com"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://example.com/authorize"},
        {"authorization_endpoint": "https://example.com/#x"},
        {"authorization_endpoint": "https://example.com/ a"},
    ],
    ids=str,
)
def test_a_provider_that_names_an_address_it_may_not_is_not_called(
    browser: Browser, provider: Provider, metadata: dict[str, Any]
) -> None:
    provider.behaves(metadata=metadata)
    refused(start(browser), 503, "sso_unreachable")


def start(browser: Browser) -> Any:
    return browser.client.post("/sso/start", json={"provider": "sandbox", "browser": browser.cookie})


HUGE = "x" * (fetch.MOST_BYTES + 1)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("html_502", {}),
        ("error", {"status": 200, "body": "<html>maintenance</html>"}),
        ("error", {"status": 200, "body": []}),
        ("error", {"status": 200, "body": "[" * 100_000}),
        ("error", {"status": 500, "body": {}}),
        ("error", {"status": 302, "headers": {"location": "http://127.0.0.1:1/"}}),
        ("error", {"status": 200, "body": {"issuer": HUGE}}),
        ("truncate", {}),
    ],
    ids=["502", "html", "list", "deep", "500", "redirect", "huge", "cut"],
)
@pytest.mark.parametrize("path", ["well-known", "jwks", "token"])
def test_a_provider_that_answers_nonsense_is_said_to_be_away(
    browser: Browser, provider: Provider, path: str, kind: str, fault: dict[str, Any]
) -> None:
    brought = at_provider(browser.leave())
    app.extensions.pop("adloom.sso")  # what was remembered of it
    provider.fails(path, kind, **fault)
    answer = browser.come_back(brought)
    refused(answer, 503, "sso_unreachable")


def test_a_redirect_is_not_followed(
    browser: Browser, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Not even to the very document."""
    good = f"{provider.issuer}/.well-known/openid-configuration?again"
    provider.sandbox.faults(
        {"match": {"path": "well-known"}, "fault": {"kind": "error", "status": 302, "headers": {"location": good}}}
    )
    refused(start(browser), 503, "sso_unreachable")
    assert start(browser).status_code == 200


@pytest.mark.parametrize("path", ["well-known", "jwks", "token"])
def test_a_provider_that_does_not_answer_holds_nobody_up(
    browser: Browser, provider: Provider, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = at_provider(browser.leave())
    app.extensions.pop("adloom.sso")
    monkeypatch.setattr(fetch, "_READ_S", 0.2)
    provider.fails(path, "hang", seconds=30)
    refused(browser.come_back(brought), 503, "sso_unreachable")


def test_a_dead_provider_is_said_to_be_away(
    postgres: Postgres, auth: Database, sandbox: Sandbox, client: FlaskClient, browser: Browser
) -> None:
    dead = {"oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": "x", "oidc_client_secret": "x"}
    use(postgres, auth, sandbox, **dead)
    answer = client.post("/sso/start", json={"provider": "oidc", "browser": browser.cookie})
    refused(answer, 503, "sso_unreachable")


@contextmanager
def dripping(seconds: float) -> Iterator[str]:
    """A provider whose right answer takes so long, byte by byte."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        body = json.dumps({"issuer": url} | dict.fromkeys(names, url + "/x"))
        over = threading.Event()

        def answer() -> None:
            with suppress(OSError), server.accept()[0] as caller:
                caller.recv(4096)
                caller.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                until = time.monotonic() + seconds
                while time.monotonic() < until and not over.wait(0.05):
                    caller.sendall(b"x")
                caller.sendall(f"\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield url
        over.set()
        thread.join()


@pytest.mark.parametrize(("patience", "status"), [(0.3, 503), (60.0, 200)])
def test_a_provider_that_sends_a_byte_now_and_then_holds_nobody_up(
    postgres: Postgres,
    auth: Database,
    sandbox: Sandbox,
    client: FlaskClient,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    patience: float,
    status: int,
) -> None:
    monkeypatch.setattr(fetch, "WHOLE_S", patience)
    with dripping(2.0 if status == 503 else 0.2) as url:
        use(postgres, auth, sandbox, oidc_issuer=url, oidc_client_id="x", oidc_client_secret="x")
        answer = client.post("/sso/start", json={"provider": "oidc", "browser": browser.cookie})
    assert answer.status_code == status, answer.text


def test_only_some_wait_for_a_provider_at_once(
    browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_places", fetch.threading.BoundedSemaphore(1))
    with fetch._places:
        refused(start(browser), 503, "sso_unreachable")
    assert start(browser).status_code == 200


# The rest


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "javascript:alert(1)", "evil", ""])
def test_a_target_is_kept_only_as_a_path(browser: Browser, provider: Provider, target: str) -> None:
    """`//` passes here: the dashboard looks at it before and after (see tests/ui/test_sso.py)."""
    body = {"provider": "sandbox", "browser": browser.cookie, "target": target}
    assert browser.client.post("/sso/start", json=body).status_code == (200 if target.startswith("//") else 422)


def test_a_provider_that_is_not_set_up_is_none(browser: Browser, provider: Provider, client: FlaskClient) -> None:
    for path, more in (("/sso/start", {}), ("/sso/finish", {"state": "x"})):
        answer = client.post(path, json={"provider": "google", "browser": browser.cookie, **more})
        refused(answer, 404, "provider_unknown")


def test_where_the_sandbox_is_opened_by_others_nobody_comes_in_by_it(
    postgres: Postgres, auth: Database, sandbox: Sandbox, client: FlaskClient
) -> None:
    assert client.get("/sso").get_json() == {"providers": [{"key": "sandbox", "name": "Sandbox ID"}]}
    for changes in (
        {"sandbox_browser_url": "https://demo.example.com"},
        {"sandbox_url": "http://10.62.0.1:8090"},
        {"sandbox_client_secret": None},
        {"sandbox_url": None},
    ):
        use(postgres, auth, sandbox, **changes)
        assert client.get("/sso").get_json() == {"providers": []}


def test_an_identity_of_one_issuer_is_none_of_another(
    postgres: Postgres,
    auth: Database,
    sandbox: Sandbox,
    org_id: UUID,
    browser: Browser,
    provider: Provider,
    viewer: Person,
    admin: Admin,
) -> None:
    """The same subject under another issuer is somebody else."""
    assert browser.link(viewer.token).status_code == 200
    admin.execute("update sso_identities set issuer = 'https://another.example'")
    login = browser.log_in("nora").get_json()["login"]
    assert login["user"]["user_id"] != str(viewer.user_id)


def test_nothing_that_opens_anything_is_logged(browser: Browser, provider: Provider, logged: Logged) -> None:
    logged()
    url = browser.leave()
    brought = at_provider(url)
    answer = browser.come_back(brought)
    browser.come_back(brought)
    said = logged()
    assert "/sso/finish" in said
    token = answer.get_json()["login"]["token"]
    for secret in (brought["code"], brought["state"], browser.cookie, token, CLIENT_SECRET):
        assert secret not in said


def test_an_address_begins_few_log_ins_and_none_while_they_cannot_be_counted(
    browser: Browser, provider: Provider
) -> None:
    assert [start(browser).status_code for _ in range(31)] == [200] * 30 + [429]
    assert (SSO_START.counted, SSO_FINISH.counted) == ("strict", "strict")
