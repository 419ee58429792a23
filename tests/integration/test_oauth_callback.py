"""The log-in at Meta, against the sandbox's dialog and token endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet

from adloom.cli.connect_sandbox import walk
from adloom.connections import store
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.errors import PlatformProtocolError
from adloom.platforms.meta.oauth import VERSION
from adloom.web.limits import MemoryLimiter
from functions.oauth_callback.handler import OAuthCallbackSettings, app
from infra.local.stack import Stack
from tests.integration.cast import Connect, MakeOrganisation, Person, common_settings, person

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.conftest import Postgres

RING = Fernet.generate_key().decode()
PUBLIC_URL = "http://adloom.test"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROGRAM = {"Accept": "application/json"}
COOKIE = "__Host-adloom_browser" if PUBLIC_URL.startswith("https") else "adloom_browser"
THIS_BROWSER = "a-browser-of-256-random-bits-" + "x" * 14


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("sandbox") / "home"
    with Stack(home, parts=["sandbox"], facts=project_root / "tests" / "data" / "meta_90_days") as stack:
        yield stack


@pytest.fixture
def sandbox(stack: Stack) -> Iterator[Callable[..., httpx.Response]]:
    """`sandbox("POST", "faults", [...])` speaks to its control interface; no fault outlives its test."""
    key, url = stack.env("sandbox")["ADLOOM_SANDBOX_KEY"], f"http://127.0.0.1:{stack.port('sandbox')}"

    def control(method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"X-Sandbox-Key": key}
        answer = httpx.request(method, f"{url}/_sandbox/{path}", json=body, headers=headers, trust_env=False)
        return answer.raise_for_status()

    yield control
    control("POST", "faults", [])


@pytest.fixture
def database(connect: Connect) -> Database:
    return connect("oauth-callback")


def settings(stack: Stack, postgres: Postgres, **changes: Any) -> OAuthCallbackSettings:
    env = stack.env("sandbox")
    values = common_settings(
        public_url=PUBLIC_URL,
        database_url=postgres.url("oauth-callback"),
        token_ring=RING,
        sandbox_url=f"http://127.0.0.1:{stack.port('sandbox')}",
        meta_app_id=env["ADLOOM_META_APP_ID"],
        meta_app_secret=env["ADLOOM_META_APP_SECRET"],
    )
    return OAuthCallbackSettings(**(values | changes))


@pytest.fixture
def client(stack: Stack, postgres: Postgres, database: Database) -> FlaskClient:
    app.use(settings(stack, postgres), database)
    app.limiter = MemoryLimiter()
    return app.test_client()


@pytest.fixture
def admin(connect: Connect, make_organisation: MakeOrganisation) -> Person:
    return person(connect("auth"), make_organisation("Acme"), "admin", "admin")


@pytest.fixture
def superuser(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        yield connection


def start(client: FlaskClient, who: Person) -> str:
    client.set_cookie(COOKIE, THIS_BROWSER)
    answer = client.post("/connections", json={"platform": "meta", "browser": THIS_BROWSER}, headers=who.headers)
    assert answer.status_code == 201
    return str(answer.get_json()["authorize_url"])


def decide(authorize_url: str, decision: str = "allow", granted: tuple[str, ...] = ("ads_read",)) -> str:
    """Press a button on the dialog; the path and query to which the browser is sent."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
    form = {**query, "choices": "1", "granted": list(granted), "decision": decision}
    answer = httpx.post(authorize_url, data=form, trust_env=False)
    assert answer.status_code == 302
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{PUBLIC_URL}/function/oauth-callback/callback"
    return f"/callback?{back.query}"


def connections(client: FlaskClient, who: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/connections", headers=who.headers).get_json()["connections"]
    return found


def connect_once(client: FlaskClient, who: Person) -> TestResponse:
    return client.get(decide(start(client, who)), headers=PROGRAM)


def test_a_person_who_agrees_is_connected(client: FlaskClient, admin: Person) -> None:
    answer = client.get(decide(start(client, admin)), headers=BROWSER)

    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert "Sandbox Person" in answer.text
    [connection] = connections(client, admin)
    assert (connection["platform"], connection["name"], connection["status"]) == ("meta", "Sandbox Person", "active")
    assert connection["scopes"] == ["ads_read"]
    assert connection["token_expires_at"] is not None


def test_the_token_is_stored_encrypted_and_works(
    client: FlaskClient, admin: Person, database: Database, stack: Stack, superuser: psycopg.Connection[Any]
) -> None:
    made = connect_once(client, admin).get_json()

    row = superuser.execute(
        "select ciphertext from connection_tokens where connection_id = %s", (made["connection_id"],)
    ).fetchone()
    assert row is not None
    assert b"EAA" not in bytes(row[0])
    with database.tenant(admin.org_id) as connection:
        token = store.access_token(connection, Vault(RING), UUID(made["connection_id"]))
    me = httpx.get(
        f"http://127.0.0.1:{stack.port('sandbox')}/{VERSION}/me", params={"access_token": token}, trust_env=False
    )
    assert me.json()["name"] == "Sandbox Person"


def test_the_event_comes_with_the_connection_and_carries_the_request_id(
    client: FlaskClient, admin: Person, superuser: psycopg.Connection[Any]
) -> None:
    back = decide(start(client, admin))

    made = client.get(back, headers=PROGRAM | {"X-Request-Id": "the-persons-browser"}).get_json()

    rows = superuser.execute("select subject, envelope from outbox where org_id = %s", (admin.org_id,)).fetchall()
    [(subject, envelope)] = rows
    assert subject == "adloom.connections.connected"
    assert envelope["requestid"] == "the-persons-browser"
    assert envelope["data"]["connection_id"] == made["connection_id"]


def test_without_its_event_there_is_no_connection(
    client: FlaskClient, admin: Person, superuser: psycopg.Connection[Any]
) -> None:
    superuser.execute("revoke insert on outbox from adloom_oauth_callback")
    try:
        answer = connect_once(client, admin)
    finally:
        superuser.execute("grant insert on outbox to adloom_oauth_callback")

    assert answer.status_code == 500
    assert connections(client, admin) == []


def test_a_person_who_declines_is_not_connected(client: FlaskClient, admin: Person) -> None:
    back = decide(start(client, admin), "deny")

    answer = client.get(back, headers=BROWSER)

    assert answer.status_code == 403
    assert "You did not allow access" in answer.text
    assert connections(client, admin) == []
    assert client.get(back, headers=PROGRAM).get_json()["code"] == "state_unusable"


def test_an_error_of_the_dialog_is_not_taken_for_a_denial(client: FlaskClient, admin: Person) -> None:
    state = parse_qs(urlsplit(start(client, admin)).query)["state"][0]

    answer = client.get(f"/callback?state={state}&error=server_error", headers=PROGRAM)

    assert (answer.status_code, answer.get_json()["code"]) == (409, "authorization_failed")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "state_missing"),
        ("code=abc", 400, "state_missing"),
        ("state=&code=abc", 400, "state_missing"),
        ("state=made-up&code=abc", 409, "state_unusable"),
        ("state=made-up&error=access_denied", 409, "state_unusable"),
        ("state=%00&code=abc", 400, "invalid_request"),
        ("state=" + "x" * 5000, 422, "validation_failed"),
        ("state=a&state=b&code=abc", 400, "invalid_request"),
    ],
)
def test_a_state_that_is_not_ours_leads_nowhere(client: FlaskClient, query: str, status: int, code: str) -> None:
    program = client.get(f"/callback?{query}", headers=PROGRAM)
    browser = client.get(f"/callback?{query}", headers=BROWSER)

    assert (program.status_code, program.get_json()["code"]) == (status, code)
    assert (browser.status_code, browser.mimetype) == (status, "text/html")
    assert f'<a href="{PUBLIC_URL}">' in browser.text


def test_a_callback_works_once(client: FlaskClient, admin: Person, sandbox: Callable[..., httpx.Response]) -> None:
    back = decide(start(client, admin))
    assert client.get(back, headers=PROGRAM).status_code == 200
    sandbox("DELETE", "requests")

    again = client.get(back, headers=PROGRAM)

    assert (again.status_code, again.get_json()["code"]) == (409, "state_unusable")
    assert sandbox("GET", "requests").json()["requests"] == []


def test_an_old_state_leads_nowhere(client: FlaskClient, admin: Person, superuser: psycopg.Connection[Any]) -> None:
    back = decide(start(client, admin))
    superuser.execute("update oauth_states set expires_at = now() where org_id = %s", (admin.org_id,))

    assert client.get(back, headers=PROGRAM).get_json()["code"] == "state_unusable"
    assert connections(client, admin) == []


@pytest.mark.parametrize("brought", [None, "", "another-browser-" * 3, "adloom_browser"])
def test_another_browser_connects_nothing_and_uses_nothing_up(
    client: FlaskClient, admin: Person, sandbox: Callable[..., httpx.Response], brought: str | None
) -> None:
    back = decide(start(client, admin))
    stranger = app.test_client()
    if brought is not None:
        stranger.set_cookie(COOKIE, brought)

    answer = stranger.get(back, headers=PROGRAM)

    assert (answer.status_code, answer.get_json()["code"]) == (409, "state_unusable")
    assert connections(client, admin) == []
    assert client.get(back, headers=PROGRAM).status_code == 200


def test_a_token_in_the_cookie_of_the_session_is_not_looked_at(client: FlaskClient, admin: Person) -> None:
    client.set_cookie("adloom_session", admin.token)

    assert client.get("/connections").status_code == 401
    assert client.get(f"/connections?token={admin.token}").status_code == 401


def test_a_head_request_does_nothing(client: FlaskClient, admin: Person) -> None:
    back = decide(start(client, admin))

    assert client.head(back).status_code == 405

    assert connections(client, admin) == []
    assert client.get(back, headers=PROGRAM).status_code == 200


def test_who_may_not_connect_any_more_connects_nothing(
    client: FlaskClient, admin: Person, superuser: psycopg.Connection[Any]
) -> None:
    back = decide(start(client, admin))
    superuser.execute("update memberships set role = 'viewer' where user_id = %s", (admin.user_id,))

    assert client.get(back, headers=PROGRAM).get_json()["code"] == "state_unusable"
    assert connections(client, admin) == []


def test_the_release_before_claims_what_it_began_itself_and_nothing_of_a_browser(
    client: FlaskClient, admin: Person, superuser: psycopg.Connection[Any]
) -> None:
    """After a roll-back its code runs on this database, and names no browser."""
    (state,) = parse_qs(urlsplit(start(client, admin)).query)["state"]
    claim = "select user_id from claim_oauth_state(sha256(convert_to(%s, 'UTF8')))"

    assert superuser.execute(claim, (state,)).fetchall() == []
    superuser.execute("update oauth_states set browser_hash = null where org_id = %s", (admin.org_id,))
    assert superuser.execute(claim, (state,)).fetchall() == [(admin.user_id,)]
    assert superuser.execute(claim, (state,)).fetchall() == [], "once"


def test_a_person_without_a_browser_starts_nothing(client: FlaskClient, admin: Person) -> None:
    answer = client.post("/connections", json={"platform": "meta"}, headers=admin.headers)

    assert (answer.status_code, answer.get_json()["code"]) == (400, "browser_missing")


def test_an_old_proof_does_not_suffice_to_connect(
    client: FlaskClient, admin: Person, superuser: psycopg.Connection[Any]
) -> None:
    superuser.execute("update sessions set authenticated_at = now() - interval '11 minutes'")

    answer = client.post("/connections", json={"platform": "meta"}, headers=admin.headers)

    assert (answer.status_code, answer.get_json()["code"]) == (403, "step_up_needed")


def test_a_state_lives_ten_minutes_and_only_its_hash_is_stored(
    client: FlaskClient, admin: Person, superuser: psycopg.Connection[Any]
) -> None:
    state = parse_qs(urlsplit(start(client, admin)).query)["state"][0]

    row = superuser.execute(
        "select row_to_json(s)::text, extract(epoch from expires_at - now()), user_id from oauth_states s"
        " where org_id = %s",
        (admin.org_id,),
    ).fetchone()
    assert row is not None
    assert state not in row[0]
    assert 590 < row[1] <= 600
    assert row[2] == admin.user_id


def test_a_callback_without_a_code_uses_the_state_up(client: FlaskClient, admin: Person) -> None:
    state = parse_qs(urlsplit(start(client, admin)).query)["state"][0]

    assert client.get(f"/callback?state={state}", headers=PROGRAM).get_json()["code"] == "code_missing"
    assert client.get(f"/callback?state={state}&code=abc", headers=PROGRAM).get_json()["code"] == "state_unusable"


def test_a_made_up_code_is_refused_by_the_platform(client: FlaskClient, admin: Person) -> None:
    state = parse_qs(urlsplit(start(client, admin)).query)["state"][0]

    problem = client.get(f"/callback?state={state}&code=made-up", headers=PROGRAM).get_json()

    assert (problem["status"], problem["code"], problem["acts"]) == (409, "grant_refused", "user")
    assert problem["platform_code"] == "100"


def test_a_person_who_unticks_reading_is_told_so(client: FlaskClient, admin: Person) -> None:
    back = decide(start(client, admin), granted=("business_management",))

    problem = client.get(back, headers=PROGRAM).get_json()

    assert (problem["status"], problem["code"]) == (409, "scopes_missing")
    assert connections(client, admin) == []


def test_a_wrong_app_secret_is_for_the_operator(
    client: FlaskClient, admin: Person, stack: Stack, postgres: Postgres, database: Database
) -> None:
    app.use(settings(stack, postgres, meta_app_secret="wrong"), database)

    problem = connect_once(client, admin).get_json()

    assert (problem["status"], problem["code"], problem["acts"]) == (409, "platform_setup", "operator")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "html_502"}, 503, "platform_transient"),
        ({"kind": "truncate"}, 503, "platform_unreachable"),
        ({"kind": "error", "status": 200, "body": "[]"}, 502, "platform_protocol"),
        ({"kind": "error", "status": 200, "body": "{}"}, 502, "platform_protocol"),
        ({"kind": "error", "status": 200, "body": '{"access_token": 7}'}, 502, "platform_protocol"),
        ({"kind": "error", "status": 200, "body": "surprise"}, 502, "platform_protocol"),
        ({"kind": "error", "status": 400, "body": '{"error": "surprise"}'}, 502, "platform_protocol"),
        ({"kind": "error", "status": 400, "body": '{"error": {"code": 4}}'}, 503, "platform_transient"),
        ({"kind": "error", "status": 500, "body": '{"error": {"code": 1}}'}, 503, "platform_transient"),
        ({"kind": "error", "status": 403, "body": '{"error": {"code": 200}}'}, 502, "platform_error"),
    ],
)
def test_whatever_the_platform_does_nothing_half_is_stored(
    client: FlaskClient,
    admin: Person,
    sandbox: Callable[..., httpx.Response],
    fault: dict[str, Any],
    status: int,
    code: str,
) -> None:
    back = decide(start(client, admin))
    sandbox("POST", "faults", [{"fault": fault, "match": {"path": "oauth/access_token"}}])

    answer = client.get(back, headers=PROGRAM)

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert connections(client, admin) == []


def test_a_platform_that_is_down_is_said_to_be(
    client: FlaskClient, admin: Person, stack: Stack, postgres: Postgres, database: Database
) -> None:
    back = decide(start(client, admin))
    app.use(settings(stack, postgres, meta_graph_url="http://127.0.0.1:1"), database)

    answer = client.get(back, headers=BROWSER)

    assert answer.status_code == 503
    assert "Meta does not answer" in answer.text


def test_connecting_again_mends_the_same_connection(
    client: FlaskClient, admin: Person, superuser: psycopg.Connection[Any]
) -> None:
    first = connect_once(client, admin).get_json()
    superuser.execute(
        "update connections set status = 'broken', broken_code = '190/460', broken_at = now() where connection_id = %s",
        (first["connection_id"],),
    )
    superuser.execute(
        "insert into ad_accounts (org_id, connection_id, platform, external_id, name, currency, timezone,"
        " next_due_at, error_code, error_at)"
        " values (%s, %s, 'meta', '1', 'One', 'EUR', 'UTC', now() + interval '1 day', '190', now())",
        (admin.org_id, first["connection_id"]),
    )

    second = connect_once(client, admin).get_json()

    assert second == first
    [connection] = connections(client, admin)
    assert (connection["status"], connection["broken_code"]) == ("active", None)
    row = superuser.execute(
        "select error_code, next_due_at from ad_accounts where connection_id = %s", (first["connection_id"],)
    ).fetchone()
    assert row == (None, None)
    tokens = superuser.execute("select count(*) from connection_tokens where org_id = %s", (admin.org_id,)).fetchone()
    assert tokens == (1,)


def test_the_same_person_in_another_organisation_is_another_connection(
    client: FlaskClient, admin: Person, connect: Connect, make_organisation: MakeOrganisation
) -> None:
    outsider = person(connect("auth"), make_organisation("Other"), "outsider", "owner")

    mine, theirs = (connect_once(client, who).get_json()["connection_id"] for who in (admin, outsider))

    assert mine != theirs
    assert [each["connection_id"] for each in connections(client, admin)] == [mine]
    assert [each["connection_id"] for each in connections(client, outsider)] == [theirs]


@pytest.mark.parametrize("role", ["viewer", "editor", "approver"])
def test_who_manages_nothing_connects_nothing(client: FlaskClient, admin: Person, connect: Connect, role: Any) -> None:
    member = person(connect("auth"), admin.org_id, role, role)

    assert client.post("/connections", json={"platform": "meta"}, headers=member.headers).status_code == 403
    assert client.get("/connections", headers=member.headers).status_code == 200


def test_without_a_session_nothing_is_started_or_listed(client: FlaskClient) -> None:
    assert client.post("/connections", json={"platform": "meta"}).status_code == 401
    assert client.get("/connections").status_code == 401


@pytest.mark.parametrize("platform", ["bing", "", "META"])
def test_a_platform_that_is_not_there_is_refused(client: FlaskClient, admin: Person, platform: str) -> None:
    assert client.post("/connections", json={"platform": platform}, headers=admin.headers).status_code == 422


def test_the_pages_say_nothing_secret_and_run_nothing(client: FlaskClient, admin: Person) -> None:
    back = decide(start(client, admin))
    query = parse_qs(urlsplit(back).query)

    for answer in (client.get(back, headers=BROWSER), client.get(back, headers=BROWSER)):
        assert query["state"][0] not in answer.text
        assert query["code"][0] not in answer.text
        assert "<script" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_walk_through_the_sandbox_connects(client: FlaskClient, admin: Person) -> None:
    with walker() as browser:
        walked = walk(start(client, admin), browser)

    (one,) = connections(client, admin)
    assert (walked.name, walked.connection_id) == ("Sandbox Person", one["connection_id"])


def test_the_walk_says_why_it_did_not_connect(
    client: FlaskClient, admin: Person, sandbox: Callable[..., httpx.Response]
) -> None:
    sandbox("POST", "faults", [{"fault": {"kind": "html_502"}, "match": {"path": "oauth/access_token"}}])

    with walker() as browser, pytest.raises(PlatformProtocolError, match="error page") as caught:
        walk(start(client, admin), browser)

    assert caught.value.code == "platform_transient"


def test_a_tick_forgets_states_that_are_long_over(
    client: FlaskClient, admin: Person, superuser: psycopg.Connection[Any]
) -> None:
    start(client, admin)
    superuser.execute(
        "update oauth_states set expires_at = now() - interval '2 days' where org_id = %s", (admin.org_id,)
    )

    assert client.post("/").status_code == 202

    assert superuser.execute("select count(*) from oauth_states where org_id = %s", (admin.org_id,)).fetchone() == (0,)


def walker() -> httpx.Client:
    """A client for which the front door is this function, and the sandbox the real process."""

    def without_prefix(environ: dict[str, Any], start_response: Any) -> Any:
        prefix = "/function/oauth-callback"
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(prefix)
        return app.wsgi_app(environ, start_response)

    front_door = httpx.WSGITransport(app=without_prefix)
    cookies = {COOKIE: THIS_BROWSER}
    return httpx.Client(mounts={PUBLIC_URL: front_door}, cookies=cookies, trust_env=False, timeout=30)
