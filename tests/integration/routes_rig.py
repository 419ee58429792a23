"""The routes of every function, and two organisations whose people and keys try them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet

from adloom.db import Database
from adloom.events.catalogue import Platform
from adloom.identity import operator_keys, sessions
from adloom.identity.policy import SessionSettings
from adloom.identity.proof import Proven
from adloom.identity.roles import ROLES, Role
from adloom.identity.scopes import SCOPES
from adloom.identity.tokens import new_key_token, token_hash
from adloom.platforms import conversions
from adloom.web.routes import Route
from infra.deployment.stackfile import read_functions
from tests.integration.cast import auth_settings, person

if TYPE_CHECKING:
    from adloom.web import Function
    from tests.conftest import Postgres

OPERATOR_KEY = "adl_o_the-operators-key-of-this-test"
FUNCTIONS: dict[str, Any] = {
    function.name: importlib.import_module(f"functions.{function.folder.name}.handler") for function in read_functions()
}
SYNCS = [name for name in FUNCTIONS if name.startswith("sync-")]
GUARDED: list[tuple[str, Route]] = [
    (name, route) for name, module in FUNCTIONS.items() for route in module.app.routes if not route.guard.is_public
]


Check = Callable[["House", str, int], bool]


def titles(routes: list[tuple[str, Route]]) -> list[str]:
    return [f"{name} {route.endpoint}" for name, route in routes]


class Unlimited:
    """The limits have tests of their own."""

    def hit(self, *_: Any) -> float | None:
        return None


@dataclass(frozen=True)
class House:
    """An organisation with a member of each role, a stranger's organisation, and the database as its administrator."""

    auth: Database
    admin: psycopg.Connection[Any]
    org_id: UUID
    people: dict[Role, UUID]
    other_org: UUID
    theirs: dict[str, UUID | int]

    def token(self, role: Role, **columns: str) -> str:
        """A new session of the member; `columns` are SQL expressions put into its row."""
        who = Proven(self.people[role], self.org_id)
        with self.auth.tenant(self.org_id) as connection:
            made = sessions.begin(connection, who, SessionSettings(), sessions.Arrival(), ["password"])
        for column, value in columns.items():
            query = f"update sessions set {column} = {value} where session_id = %s"
            self.admin.execute(query, (made.session_id,))  # type: ignore[arg-type]
        return made.token

    def key(
        self, role: Role = "owner", scopes: Iterable[str] = SCOPES, maker: UUID | None = None, but: str = ""
    ) -> str:
        """A new API key of our organisation, by its owner unless somebody else is named; `but` is SQL for its row."""
        token, key_id = new_key_token()[0], uuid4()
        maker = maker or self.people["owner"]
        self.admin.execute(NEW_KEY, (key_id, self.org_id, maker, token_hash(token), [*scopes], role))
        if but:
            self.admin.execute(f"update api_keys set {but} where key_id = %s", (key_id,))
        return token


NEW_ACCOUNT = """
with made as (
    insert into connections (connection_id, org_id, platform, external_user_id, name)
    values (gen_random_uuid(), %s, 'meta', 'x', 'x') returning connection_id, org_id)
insert into ad_accounts (org_id, connection_id, platform, external_id, name, currency, timezone)
select org_id, connection_id, 'meta', 'x', 'x', 'EUR', 'UTC' from made returning account_id
"""
NEW_INVITATION = """
insert into invitations (invitation_id, org_id, email, role, token_hash, invited_by, expires_at)
values (%s, %s, %s, 'viewer', %s, %s, now() + interval '1 day')
"""
NEW_IDENTITY = """
insert into sso_identities (identity_id, org_id, user_id, provider, issuer, subject, email)
values (%s, %s, %s, 'oidc', 'https://id.example', %s, 'someone@example.com')
"""
NEW_KEY = """
insert into api_keys (key_id, org_id, made_by, name, token_hash, prefix, last_four, scopes, role, account_scope,
                      per_minute, created_at, expires_at)
values (%s, %s, %s, 'of a test', %s, 'ab12cd34', 'wxyz', %s, %s, '*', 1000, now() - interval '1 hour',
        now() + interval '1 day')
"""


@pytest.fixture(scope="module")
def house(postgres: Postgres) -> Iterator[House]:
    auth = Database(postgres.url("auth"), pool_size=3)
    key = Fernet.generate_key().decode()
    for name, module in FUNCTIONS.items():
        told = auth_settings(postgres.url(name), OPERATOR_KEY)
        told |= {"token_ring": key, "mail_ring": key, "mfa_ring": key, "meta_app_id": "1", "meta_app_secret": "x"}
        module.app.use(module.app._settings_model(**told))
        module.app.limiter = Unlimited()
    operator_keys.register(auth, OPERATOR_KEY, "deployment")
    ours, others = uuid4(), uuid4()
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        for org, name in ((ours, "Acme"), (others, "Other")):
            admin.execute("insert into organisations (org_id, name) values (%s, %s)", (org, name))
        people = {role: person(auth, ours, role, role).user_id for role in ROLES}
        outsider = person(auth, others, "outsider", "owner").user_id
        yield House(auth, admin, ours, people, others, _others(admin, others, outsider))
    for module in FUNCTIONS.values():
        module.app.database().close()
        module.app.limiter = None
    auth.close()


def _others(admin: psycopg.Connection[Any], org_id: UUID, of: UUID) -> dict[str, UUID | int]:
    """What another organisation has, by the names of the parameters of paths."""
    invitation, key, identity = uuid4(), uuid4(), uuid4()
    admin.execute(NEW_INVITATION, (invitation, org_id, "someone@example.com", invitation.bytes * 2, of))
    admin.execute(NEW_KEY, (key, org_id, of, key.bytes * 2, ["members:read"], "admin"))
    admin.execute(NEW_IDENTITY, (identity, org_id, of, identity.hex))
    [(session,)] = admin.execute("select session_id from sessions where user_id = %s", (of,)).fetchall()
    [(account,)] = admin.execute(NEW_ACCOUNT, (org_id,)).fetchall()
    [(connection,)] = admin.execute("select connection_id from connections where org_id = %s", (org_id,)).fetchall()
    return {
        "user_id": of,
        "session_id": session,
        "invitation_id": invitation,
        "key_id": key,
        "identity_id": identity,
        "account_id": account,
        "connection_id": connection,
    }


def call(name: str, route: Route, token: str | None, path: str | None = None, **headers: str) -> Any:
    app: Function[Any] = FUNCTIONS[name].app
    given = headers | ({"Authorization": f"Bearer {token}"} if token else {})
    address = path or route.path
    for parameter in route.parameters:
        address = address.replace(f"<{parameter}>", str(uuid4()))
    return app.test_client().open(address, method=route.method, headers=given)


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.text


def admitted(answer: Any) -> None:
    """It came past the guard: what follows is about the body, or about what is not there."""
    assert answer.status_code != 401, answer.text
    assert answer.status_code < 500, answer.text
    if answer.status_code == 403:
        assert answer.get_json()["code"] not in ("forbidden", "step_up_needed", "other_organisation"), answer.text


def lowest(route: Route) -> Role:
    """The least that suffices; editor and approver stand beside each other."""
    needed = route.guard.needed
    return needed if needed is not None else "viewer"


def runs(name: str) -> Check:
    def is_planned(house: House, token: str, account: int) -> bool:
        """Whether a sync of an account is planned for the bearer."""
        client = FUNCTIONS[name].app.test_client()
        answer = client.post("/runs", json={"accounts": [str(account)]}, headers={"Authorization": f"Bearer {token}"})
        return bool(answer.status_code == 202 and answer.get_json()["planned"])

    return is_planned


def counts(name: str) -> Check:
    def is_changed(house: House, token: str, account: int) -> bool:
        """Whether the bearer may say what an account counts as a conversion."""
        client = FUNCTIONS[name].app.test_client()
        wanted = {"conversion": conversions.of(platform_of(name)).offered[-1]}
        answer = client.patch(f"/accounts/{account}", json=wanted, headers={"Authorization": f"Bearer {token}"})
        return bool(answer.status_code == 200 and answer.get_json()["conversion"] == wanted["conversion"])

    return is_changed


def platform_of(endpoint: str) -> Platform:
    """Whose accounts a route is about: a sync function's own platform's; of the others Meta's will do."""
    name = endpoint.split(maxsplit=1)[0].removeprefix("sync-")
    return name if name in ("google", "tiktok") else "meta"  # type: ignore[return-value]


def lists(house: House, token: str, account: int) -> bool:
    """Whether the connection of an account is shown to the bearer."""
    answer = (
        FUNCTIONS["oauth-callback"].app.test_client().get("/connections", headers={"Authorization": f"Bearer {token}"})
    )
    assert answer.status_code == 200
    return bool(answer.get_json()["connections"])


def connection_of(house: House, account: int) -> Any:
    query = "select connection_id from ad_accounts where account_id = %s"
    [(connection,)] = house.admin.execute(query, (account,)).fetchall()
    return connection


def shows(house: House, token: str, account: int) -> bool:
    """Whether the connection of an account is shown with it."""
    client = FUNCTIONS["oauth-callback"].app.test_client()
    path = f"/connections/{connection_of(house, account)}"
    answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
    reached = answer.get_json().get("reached", [])
    return bool(answer.status_code == 200 and [one["account_id"] for one in reached] == [account])


def checks(house: House, token: str, account: int) -> bool:
    """Whether the connection of an account, which has no token, is found to be asked about."""
    client = FUNCTIONS["oauth-callback"].app.test_client()
    path = f"/connections/{connection_of(house, account)}/check"
    answer = client.post(path, headers={"Authorization": f"Bearer {token}"})
    return bool(answer.get_json()["code"] == "token_missing")


# Whether a route does something for, or tells something of, an account: asked by a member who has it and by one whose
# accounts are others.
OF_ACCOUNTS: dict[str, Check] = {
    "oauth-callback GET /connections": lists,
    "oauth-callback GET /connections/<connection_id>": shows,
    "oauth-callback POST /connections/<connection_id>/check": checks,
    **{f"{name} POST /runs": runs(name) for name in SYNCS},
    **{f"{name} PATCH /accounts/<account_id>": counts(name) for name in SYNCS},
}
