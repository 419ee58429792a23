"""Every route that changes something leaves an event, in the right chain, of the right actor. Made from the routes: one
that is new fails until it stands below with what it leaves, or with why it leaves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from adloom.audit import strangers
from adloom.db import Database, migrate
from adloom.identity import operator_keys
from adloom.keyring import KeyRing
from adloom.mail.sender import Postbox
from adloom.platforms import conversions
from adloom.web.limits import MemoryLimiter
from functions.auth.handler import AuthSettings
from functions.auth.handler import app as auth_app
from functions.oauth_callback.handler import OAuthCallbackSettings
from functions.oauth_callback.handler import app as callback_app
from tests.integration.auth_rig import OPERATOR, OPERATOR_KEY, admin, auth, client, org_id, owner, viewer
from tests.integration.cast import (
    MAIL_RING,
    PASSWORD,
    Connect,
    MakeOrganisation,
    Person,
    auth_settings,
    code_of,
    common_settings,
    new_address,
    person,
)
from tests.integration.routes_rig import FUNCTIONS, NEW_ACCOUNT, SYNCS, Unlimited, platform_of
from tests.integration.sso_rig import Browser, provider, use
from tests.unit.sandbox.support import APP_ID, APP_SECRET, Sandbox, sandbox

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "auth", "client", "org_id", "owner", "provider", "sandbox", "viewer"]

BROWSER = "a-browser-of-256-random-bits-" + "x" * 14
FROM = "203.0.113.77"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
OTHER = "another long sentence"

NO_EVENT = {
    "POST /": "a tick: what it does of itself is noted where it does it",
    "POST /events": "brings what others did; what it changes is noted where it changes it",
    "auth POST /sso/start": "sends a browser to a provider; what becomes of it is noted when it is back",
    "auth POST /invitations/look": "a look, by POST so that the link is in no log",
}
SET_UP = "auth POST /setup"  # needs a database without organisations: a test of its own
# GETs that do more than look.
ACTING_GETS = {"auth GET /audit/export", "oauth-callback GET /callback"}


@dataclass
class Scene:
    """Everybody a route needs."""

    client: FlaskClient
    auth: Database
    admin: psycopg.Connection[Any]
    owner: Person
    viewer: Person
    make_organisation: MakeOrganisation
    postgres: Postgres
    sandbox: Sandbox

    def call(self, method: str, path: str, who: Person | dict[str, str] | None = None, **body: Any) -> Any:
        credentials = who.headers if isinstance(who, Person) else who or {}
        sent = {"json": body} if body else {}
        answer = self.client.open(path, method=method, headers={**NETWORK, **credentials}, **sent)
        assert answer.status_code < 400, answer.text
        return answer.get_json()

    def mailed(self, address: str) -> str:
        query = "select link from mail_outbox where address = %s and link is not null order by created_at desc"
        sealed = self.admin.execute(query, (address,)).fetchone()
        assert sealed is not None
        return KeyRing(MAIL_RING, "mail-ring").open(bytes(sealed[0])).partition("?token=")[2]

    def enrol(self, who: Person) -> str:
        """A second factor of somebody with a session, who gets a new one; its secret."""
        secret = str(self.call("POST", "/mfa/authenticator", who)["secret"])
        made = self.call("POST", "/mfa/authenticator/confirm", who, code=code_of(secret, -1))
        object.__setattr__(who, "token", made["token"])
        return secret

    def strict(self) -> None:
        """No sandbox: owners need a second factor."""
        told = {"mail_key": "re_x", "registration": "on", "sandbox_url": None}
        auth_app.use(AuthSettings(**auth_settings(self.postgres.url("auth"), OPERATOR_KEY, **told)), self.auth)


NETWORK = {"X-Forwarded-For": FROM, "User-Agent": AGENT}


@dataclass(frozen=True)
class Leaves:
    """What the last request of a scenario leaves. `by` is the kind of the actor; `old` and `new` name fields that must
    be there.
    """

    action: str
    by: str = "user"
    chain: str = "organisation"
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


Scenario = Callable[[Scene], Any]
SCENARIOS: dict[str, tuple[Leaves, Scenario]] = {}


def leaves(endpoint: str, action: str, **more: Any) -> Callable[[Scenario], Scenario]:
    def add(scenario: Scenario) -> Scenario:
        SCENARIOS[endpoint] = (Leaves(action, **more), scenario)
        return scenario

    return add


@leaves("auth GET /audit/export", "audit.exported", new=("format", "chain"))
def _(scene: Scene) -> None:
    assert scene.client.get("/audit/export", headers={**NETWORK, **scene.owner.headers}).status_code == 200


@leaves("auth POST /login", "session.opened", new=("methods", "device"))
def _(scene: Scene) -> None:
    scene.call("POST", "/login", email=scene.viewer.email, password=PASSWORD)


@leaves("auth POST /login/code", "session.opened", new=("methods",))
def _(scene: Scene) -> None:
    secret = scene.enrol(scene.viewer)
    challenge = scene.call("POST", "/login", email=scene.viewer.email, password=PASSWORD)["challenge"]
    scene.call("POST", "/login/code", challenge=challenge, code=code_of(secret))


def begun_enrolment(scene: Scene) -> tuple[str, str]:
    scene.strict()
    challenge = scene.call("POST", "/login", email=scene.owner.email, password=PASSWORD)["challenge"]
    return challenge, scene.call("POST", "/login/enrol", challenge=challenge)["secret"]


@leaves("auth POST /login/enrol", "mfa.begun")
def _(scene: Scene) -> None:
    begun_enrolment(scene)


@leaves("auth POST /login/enrol/confirm", "mfa.enabled")
def _(scene: Scene) -> None:
    challenge, secret = begun_enrolment(scene)
    scene.call("POST", "/login/enrol/confirm", challenge=challenge, code=code_of(secret))


@leaves("auth POST /logout", "session.ended", old=("because", "sessions"))
def _(scene: Scene) -> None:
    scene.call("POST", "/logout", scene.viewer)


@leaves("auth POST /session/step-up", "session.renewed", new=("methods",))
def _(scene: Scene) -> None:
    scene.call("POST", "/session/step-up", scene.viewer, password=PASSWORD)


@leaves("auth POST /session/switch", "session.switched", chain="other", new=("from", "role"))
def _(scene: Scene) -> None:
    other = scene.make_organisation("Other")
    query = "insert into memberships (org_id, user_id, role) values (%s, %s, 'viewer')"
    scene.admin.execute(query, (other, scene.viewer.user_id))
    scene.call("POST", "/session/switch", scene.viewer, org_id=str(other))


@leaves("auth DELETE /sessions/<session_id>", "session.ended", old=("because", "sessions"))
def _(scene: Scene) -> None:
    scene.call("POST", "/login", email=scene.viewer.email, password=PASSWORD)
    listed = scene.call("GET", "/sessions", scene.viewer)["sessions"]
    other = next(each["session_id"] for each in listed if not each["current"])
    scene.call("DELETE", f"/sessions/{other}", scene.viewer)


@leaves("auth DELETE /sessions", "session.ended", old=("because", "sessions"))
def _(scene: Scene) -> None:
    scene.call("POST", "/login", email=scene.viewer.email, password=PASSWORD)
    scene.call("DELETE", "/sessions", scene.viewer)


@leaves("auth POST /email/verification", "email.verification_asked")
def _(scene: Scene) -> None:
    scene.call("POST", "/email/verification", scene.viewer)


@leaves("auth POST /email", "email.change_asked", old=("email",), new=("email",))
def _(scene: Scene) -> None:
    scene.call("POST", "/email", scene.viewer, email=new_address())


@leaves("auth POST /email/verify", "email.changed", old=("email",), new=("email",))
def _(scene: Scene) -> None:
    email = new_address()
    scene.call("POST", "/email", scene.viewer, email=email)
    scene.call("POST", "/email/verify", token=scene.mailed(email))


@leaves("auth PATCH /profile", "profile.changed", old=("name",), new=("name",))
def _(scene: Scene) -> None:
    scene.call("PATCH", "/profile", scene.viewer, name="Vera")


@leaves("auth POST /password", "password.changed")
def _(scene: Scene) -> None:
    scene.call("POST", "/password", scene.viewer, current=PASSWORD, password=OTHER)


@leaves("auth POST /password/forgotten", "password.reset_asked", by="anonymous", chain="deployment")
def _(scene: Scene) -> None:
    scene.call("POST", "/password/forgotten", email=scene.viewer.email)


@leaves("auth POST /password/reset", "password.reset")
def _(scene: Scene) -> None:
    scene.call("POST", "/password/forgotten", email=scene.viewer.email)
    scene.call("POST", "/password/reset", token=scene.mailed(scene.viewer.email), password=OTHER)


@leaves("auth POST /mfa/authenticator", "mfa.begun")
def _(scene: Scene) -> None:
    scene.call("POST", "/mfa/authenticator", scene.viewer)


@leaves("auth POST /mfa/authenticator/confirm", "mfa.enabled")
def _(scene: Scene) -> None:
    scene.enrol(scene.viewer)


@leaves("auth POST /mfa/recovery-codes", "mfa.recovery_codes_made")
def _(scene: Scene) -> None:
    scene.enrol(scene.viewer)
    scene.call("POST", "/mfa/recovery-codes", scene.viewer)


@leaves("auth DELETE /mfa/authenticator", "mfa.disabled")
def _(scene: Scene) -> None:
    scene.enrol(scene.viewer)
    scene.call("DELETE", "/mfa/authenticator", scene.viewer)


@leaves("auth DELETE /members/<user_id>/mfa", "mfa.disabled")
def _(scene: Scene) -> None:
    scene.enrol(scene.viewer)
    scene.call("DELETE", f"/members/{scene.viewer.user_id}/mfa", scene.owner)


@leaves("auth PATCH /members/<user_id>", "member.role_changed", old=("role", "accounts"), new=("role", "accounts"))
def _(scene: Scene) -> None:
    scene.call("PATCH", f"/members/{scene.viewer.user_id}", scene.owner, role="editor", all_accounts=True)


@leaves("auth DELETE /members/<user_id>", "member.removed", old=("role", "accounts"))
def _(scene: Scene) -> None:
    scene.call("DELETE", f"/members/{scene.viewer.user_id}", scene.owner)


@leaves("auth DELETE /members/<user_id>/sessions", "session.ended", old=("because", "sessions"))
def _(scene: Scene) -> None:
    scene.call("DELETE", f"/members/{scene.viewer.user_id}/sessions", scene.owner)


@leaves("auth POST /users", "member.added", new=("role", "accounts"))
def _(scene: Scene) -> None:
    told = auth_settings(scene.postgres.url("auth"), OPERATOR_KEY)  # where registration is open, people are invited
    auth_app.use(AuthSettings(**told), scene.auth)
    scene.call("POST", "/users", scene.owner, email=new_address(), name="New", password=PASSWORD, role="editor")


@leaves("auth POST /invitations", "invitation.made", new=("email", "role", "accounts"))
def _(scene: Scene) -> None:
    scene.call("POST", "/invitations", scene.owner, email=new_address(), role="editor")


@leaves("auth DELETE /invitations/<invitation_id>", "invitation.revoked", old=("role",))
def _(scene: Scene) -> None:
    made = scene.call("POST", "/invitations", scene.owner, email=new_address(), role="editor")
    scene.call("DELETE", f"/invitations/{made['invitation_id']}", scene.owner)


@leaves("auth POST /invitations/accept", "member.added", new=("role", "accounts"))
def _(scene: Scene) -> None:
    email = new_address()
    scene.call("POST", "/invitations", scene.owner, email=email, role="editor")
    scene.call("POST", "/invitations/accept", token=scene.mailed(email), name="New", password=PASSWORD)


@leaves("auth POST /invitations/join", "member.added", new=("role", "accounts"))
def _(scene: Scene) -> None:
    guest = person(scene.auth, scene.make_organisation("Elsewhere"), "guest", "owner")
    scene.call("POST", "/invitations", scene.owner, email=guest.email, role="editor")
    scene.call("POST", "/invitations/join", guest, token=scene.mailed(guest.email))


@leaves("auth POST /registrations", "registration.asked", by="anonymous", chain="deployment")
def _(scene: Scene) -> None:
    scene.call("POST", "/registrations", email=new_address())


@leaves("auth POST /registrations/accept", "organisation.made", chain="deployment", new=("name",))
def _(scene: Scene) -> None:
    email = new_address()
    scene.call("POST", "/registrations", email=email)
    body = {"name": "Rea", "organisation": "New Inc", "password": PASSWORD}
    scene.call("POST", "/registrations/accept", token=scene.mailed(email), **body)


@leaves("auth POST /keys", "key.made", new=("name", "scopes"))
def _(scene: Scene) -> None:
    scene.call("POST", "/keys", scene.owner, name="Tool", scopes=["connections:read"], role="viewer")


@leaves("auth DELETE /keys/<key_id>", "key.revoked", old=("name",))
def _(scene: Scene) -> None:
    made = scene.call("POST", "/keys", scene.owner, name="Tool", scopes=["connections:read"], role="viewer")
    scene.call("DELETE", f"/keys/{made['key_id']}", scene.owner)


@leaves("auth POST /operator-keys", "operator_key.made", by="operator", chain="deployment", new=("name",))
def _(scene: Scene) -> None:
    scene.call("POST", "/operator-keys", OPERATOR, name="Script")


@leaves("auth DELETE /operator-keys/<key_id>", "operator_key.revoked", by="operator", chain="deployment", old=("name",))
def _(scene: Scene) -> None:
    made = scene.call("POST", "/operator-keys", OPERATOR, name="Script")
    scene.call("DELETE", f"/operator-keys/{made['key_id']}", OPERATOR)


def with_provider(scene: Scene) -> Browser:
    use(scene.postgres, scene.auth, scene.sandbox, sso_domains=f"adloom.local={scene.owner.org_id}")
    scene.admin.execute("delete from sso_identities")
    scene.admin.execute("update users set email = user_id || '@gone.example' where email like '%@adloom.local'")
    return Browser(scene.client, agent=NETWORK)


@leaves("auth POST /sso/finish", "session.opened", new=("methods",))
def _(scene: Scene) -> None:
    assert with_provider(scene).log_in("nora").status_code == 200


@leaves("auth POST /sso/link", "sso.linked", new=("provider",))
def _(scene: Scene) -> None:
    assert with_provider(scene).link(scene.viewer.token).status_code == 200


@leaves("auth DELETE /sso/identities/<identity_id>", "sso.unlinked", old=("provider",))
def _(scene: Scene) -> None:
    assert with_provider(scene).link(scene.viewer.token).status_code == 200
    [known] = scene.call("GET", "/sso/identities", scene.viewer)["identities"]
    scene.call("DELETE", f"/sso/identities/{known['identity_id']}", scene.viewer)


def begin_connecting(scene: Scene) -> Any:
    told = common_settings(
        database_url=scene.postgres.url("oauth-callback"),
        token_ring=Fernet.generate_key().decode(),
        sandbox_url=scene.sandbox.url,
        meta_app_id=APP_ID,
        meta_app_secret=APP_SECRET,
    )
    callback_app.use(OAuthCallbackSettings(**told))
    callback_app.limiter = MemoryLimiter()
    browser = callback_app.test_client()
    browser.set_cookie("adloom_browser", BROWSER)
    body = {"platform": "meta", "browser": BROWSER}
    answer = browser.post("/connections", json=body, headers={**NETWORK, **scene.owner.headers})
    assert answer.status_code == 201, answer.text
    return browser, answer.get_json()["authorize_url"]


@leaves("oauth-callback POST /connections", "connection.begun")
def _(scene: Scene) -> None:
    begin_connecting(scene)
    callback_app.database().close()


@leaves("oauth-callback GET /callback", "connection.made", new=("platform", "name", "scopes"))
def _(scene: Scene) -> None:
    browser, url = begin_connecting(scene)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    form = {**query, "choices": "1", "granted": ["ads_read"], "decision": "allow"}
    back = urlsplit(httpx.post(url, data=form, trust_env=False).headers["Location"])
    answer = browser.get(f"/callback?{back.query}", headers={**NETWORK, "Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    callback_app.database().close()


def connected(scene: Scene) -> tuple[Any, str]:
    """A browser that has connected, and its connection."""
    browser, url = begin_connecting(scene)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    back = urlsplit(httpx.post(url, data={**query, "decision": "allow"}, trust_env=False).headers["Location"])
    answer = browser.get(f"/callback?{back.query}", headers={**NETWORK, "Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return browser, str(answer.get_json()["connection_id"])


@leaves("oauth-callback POST /connections/tokens", "connection.made", new=("platform", "name", "scopes"))
def _(scene: Scene) -> None:
    browser, _ = begin_connecting(scene)
    token = scene.sandbox.system_user_token()
    answer = browser.post("/connections/tokens", json={"token": token}, headers={**NETWORK, **scene.owner.headers})
    assert answer.status_code == 201, answer.text
    callback_app.database().close()


@leaves(
    "oauth-callback PUT /connections/<connection_id>/accounts",
    "connection.accounts_chosen",
    old=("accounts", "future"),
    new=("accounts", "future"),
)
def _(scene: Scene) -> None:
    browser, made = connected(scene)
    path, body = f"/connections/{made}/accounts", {"accounts": [], "future": "chosen"}
    answer = browser.put(path, json=body, headers={**NETWORK, **scene.owner.headers})
    assert answer.status_code == 200, answer.text
    callback_app.database().close()


@leaves("oauth-callback POST /connections/<connection_id>/check", "connection.mended", new=("status",))
def _(scene: Scene) -> None:
    browser, made = connected(scene)
    scene.admin.execute("update connections set status = 'broken' where connection_id = %s", (made,))
    answer = browser.post(f"/connections/{made}/check", headers={**NETWORK, **scene.owner.headers})
    assert answer.status_code == 200, answer.text
    callback_app.database().close()


@leaves("oauth-callback DELETE /connections/<connection_id>", "connection.removed", old=("platform", "name"))
def _(scene: Scene) -> None:
    browser, made = connected(scene)
    answer = browser.delete(f"/connections/{made}", headers={**NETWORK, **scene.owner.headers})
    assert answer.status_code == 200, answer.text
    callback_app.database().close()


@leaves(
    "oauth-callback POST /rings/<ring>/rotation",
    "ring.rotated",
    by="operator",
    chain="deployment",
    new=("newest", "changed"),
)
def _(scene: Scene) -> None:
    browser, _ = connected(scene)
    told = callback_app.settings()
    ring = SecretStr(f"{Fernet.generate_key().decode()},{told.token_ring.get_secret_value()}")
    callback_app.use(told.model_copy(update={"token_ring": ring}), callback_app.database())
    answer = browser.post("/rings/token/rotation", headers={**NETWORK, **OPERATOR})
    assert answer.status_code == 200, answer.text
    callback_app.database().close()


@leaves(
    "auth POST /rings/<ring>/rotation", "ring.rotated", by="operator", chain="deployment", new=("newest", "changed")
)
def _(scene: Scene) -> None:
    scene.call("POST", "/password/forgotten", email=scene.viewer.email)
    told = {"mail_ring": f"{Fernet.generate_key().decode()},{MAIL_RING}"}
    auth_app.use(AuthSettings(**auth_settings(scene.postgres.url("auth"), OPERATOR_KEY, **told)), scene.auth)
    scene.call("POST", "/rings/mail/rotation", OPERATOR)


def sync_of(scene: Scene, name: str) -> Any:
    """A client of a sync function."""
    app = FUNCTIONS[name].app
    told = common_settings(
        database_url=scene.postgres.url(name),
        token_ring=Fernet.generate_key().decode(),
        sandbox_url=scene.sandbox.url,
        meta_app_id=APP_ID,
        meta_app_secret=APP_SECRET,
    )
    app.use(app._settings_model(**told))
    app.limiter = MemoryLimiter()
    return app.test_client()


def ask_for_a_sync(scene: Scene, name: str) -> None:
    answer = sync_of(scene, name).post("/runs", json={}, headers={**NETWORK, **scene.owner.headers})
    assert answer.status_code == 202, answer.text
    FUNCTIONS[name].app.database().close()


def count_something_else(scene: Scene, name: str) -> None:
    platform = platform_of(name)
    query = NEW_ACCOUNT.replace("'meta'", f"'{platform}'")
    [(account,)] = scene.admin.execute(query, (scene.owner.org_id,)).fetchall()  # type: ignore[arg-type]
    wanted = {"conversion": conversions.of(platform).offered[-1]}
    client = sync_of(scene, name)
    answer = client.patch(f"/accounts/{account}", json=wanted, headers={**NETWORK, **scene.owner.headers})
    assert answer.status_code == 200, answer.text
    FUNCTIONS[name].app.database().close()


for one in SYNCS:
    leaves(f"{one} POST /runs", "sync.asked", new=("accounts", "since", "until"))(partial(ask_for_a_sync, name=one))
    leaves(f"{one} PATCH /accounts/<account_id>", "account.changed", old=("conversion",), new=("conversion",))(
        partial(count_something_else, name=one)
    )


def changing() -> set[str]:
    """Every route that may change something, of every function."""
    return ACTING_GETS | {
        f"{name} {route.endpoint}"
        for name, module in FUNCTIONS.items()
        for route in module.app.routes
        if route.method != "GET" and route.endpoint not in NO_EVENT and f"{name} {route.endpoint}" not in NO_EVENT
    }


def test_every_route_that_changes_something_says_what_it_leaves() -> None:
    assert changing() == {*SCENARIOS, SET_UP}


def test_the_set_up_begins_both_chains(empty_database: Postgres, client: FlaskClient) -> None:
    migrate.upgrade(empty_database.admin_url)
    fresh = Database(empty_database.url("auth"), pool_size=3)
    auth_app.use(AuthSettings(**auth_settings(empty_database.url("auth"), OPERATOR_KEY)), fresh)
    operator_keys.register(fresh, OPERATOR_KEY, "deployment")
    body = {"email": new_address(), "password": PASSWORD, "name": "Olga", "organisation": "Acme"}
    made = client.post("/setup", json=body, headers={**NETWORK, **OPERATOR}).get_json()
    fresh.close()
    with psycopg.connect(empty_database.admin_url) as connection:
        query = "select org_id, action, actor_kind, record from audit_events where action ~ 'organisation|member'"
        rows = connection.execute(query).fetchall()
    ours = UUID(made["organisation"]["org_id"])
    assert {row[:3] for row in rows} == {
        (None, "organisation.made", "operator"),
        (ours, "organisation.made", "operator"),
        (ours, "member.added", "operator"),
    }
    assert all(json.loads(row[3])["actor"]["address"] == FROM for row in rows)


@pytest.fixture
def scene(
    client: FlaskClient,
    auth: Database,
    admin: psycopg.Connection[Any],
    owner: Person,
    viewer: Person,
    make_organisation: MakeOrganisation,
    postgres: Postgres,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    monkeypatch.setattr(Postbox, "wake", lambda _self: None)
    monkeypatch.setattr(strangers, "_repeats", strangers.Repeats())
    told = {"mail_key": "re_x", "registration": "on"}
    auth_app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY, **told)), auth)
    auth_app.limiter = Unlimited()
    admin.execute("truncate audit_events, audit_chains")
    return Scene(client, auth, admin, owner, viewer, make_organisation, postgres, sandbox)


@pytest.mark.parametrize("endpoint", sorted(SCENARIOS))
def test_the_route_leaves_its_event(scene: Scene, endpoint: str, connect: Connect) -> None:
    expected, scenario = SCENARIOS[endpoint]
    scenario(scene)
    rows = scene.admin.execute("select org_id, record from audit_events where action = %s", (expected.action,))
    found = [(org, json.loads(record)) for org, record in rows if _is_of(org, expected.chain, scene.owner.org_id)]
    assert found, f"{endpoint} left no {expected.action} in the chain of the {expected.chain}"
    _, record = found[-1]
    assert record["actor"]["kind"] == expected.by
    assert record["actor"]["address"] == FROM
    assert record["actor"]["agent"] == AGENT
    assert record["request"]
    if expected.by == "user":
        assert UUID(record["actor"]["id"])
    for field in ("old", "new"):
        assert set(getattr(expected, field)) <= set(record.get(field) or {}), field


def _is_of(org: UUID | None, chain: str, ours: UUID) -> bool:
    return {"organisation": org == ours, "deployment": org is None, "other": org not in (None, ours)}[chain]
