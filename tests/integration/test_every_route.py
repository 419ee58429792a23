"""Every route of every function against everybody who must not pass, made from the routes themselves.

A route that is new is in here by itself. One with a parameter, or about an ad account, fails until it says below how
another organisation's or a narrowed member's request is made.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet

from adloom.db import Database
from adloom.identity import operator_keys, sessions
from adloom.identity.policy import SessionSettings
from adloom.identity.proof import Proven
from adloom.identity.roles import ROLES, Role, includes
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
GUARDED: list[tuple[str, Route]] = [
    (name, route) for name, module in FUNCTIONS.items() for route in module.app.routes if not route.guard.is_public
]
FRESH = [(name, route) for name, route in GUARDED if route.guard.fresh]
# The operator is in every organisation.
WITH_PARAMETERS = [(name, route) for name, route in GUARDED if route.parameters and route.guard.kind != "operator"]

# What must ask for a proof that is not old: whatever changes tokens, members or security. Looks and the ways to prove
# oneself do not; neither does what undoes nothing that a thief of a session could use.
NOT_FRESH = {
    "auth PATCH /profile": "a name opens nothing",
    "auth POST /email/verification": "writes a mail to the person's own address",
    "auth POST /invitations/join": "its credential is the mailed link",
    "auth POST /logout": "ends the session at hand",
    "auth POST /session/step-up": "is the proof",
    "auth POST /session/switch": "gives nothing that the person has not got",
    "auth POST /setup": "the operator's",
    "auth POST /operator-keys": "the operator's",
    "auth DELETE /operator-keys/<key_id>": "the operator's",
    "sync-meta POST /runs": "reads from the platform again",
}
# Routes that say or change nothing about an ad account. Every other one has a check below.
ABOUT_NO_ACCOUNT = "auth "


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
    outsider: UUID
    outsiders_session: UUID
    others_invitation: UUID
    others_key: UUID

    def token(self, role: Role, **columns: str) -> str:
        """A new session of the member; `columns` are SQL expressions put into its row."""
        who = Proven(self.people[role], self.org_id)
        with self.auth.tenant(self.org_id) as connection:
            made = sessions.begin(connection, who, SessionSettings(), sessions.Arrival(), ["password"])
        for column, value in columns.items():
            query = f"update sessions set {column} = {value} where session_id = %s"
            self.admin.execute(query, (made.session_id,))  # type: ignore[arg-type]
        return made.token


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
        outsider = person(auth, others, "outsider", "owner")
        [session] = admin.execute("select session_id from sessions where user_id = %s", (outsider.user_id,)).fetchall()
        yield House(
            auth,
            admin,
            ours,
            people,
            others,
            outsider.user_id,
            session[0],
            _invitation(admin, others, outsider.user_id),
            _key(admin, others, outsider.user_id),
        )
    for module in FUNCTIONS.values():
        module.app.database().close()
        module.app.limiter = None
    auth.close()


def _invitation(admin: psycopg.Connection[Any], org_id: UUID, by: UUID) -> UUID:
    made = uuid4()
    admin.execute(
        "insert into invitations (invitation_id, org_id, email, role, token_hash, invited_by, expires_at)"
        " values (%s, %s, 'someone@example.com', 'viewer', %s, %s, now() + interval '1 day')",
        (made, org_id, made.bytes * 2, by),
    )
    return made


def _key(admin: psycopg.Connection[Any], org_id: UUID, by: UUID) -> UUID:
    made = uuid4()
    admin.execute(
        "insert into api_keys (key_id, org_id, made_by, name, token_hash, prefix, last_four, scopes, role,"
        " account_scope, per_minute, expires_at) values (%s, %s, %s, 'theirs', %s, 'ab12cd34', 'wxyz',"
        " '{members:read}', 'admin', '*', 100, now() + interval '1 day')",
        (made, org_id, by, made.bytes * 2),
    )
    return made


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


def test_every_function_of_the_deployment_is_here() -> None:
    assert set(FUNCTIONS) == {function.name for function in read_functions()}
    assert all(any(name == function for function, _ in GUARDED) for name in FUNCTIONS)


@pytest.mark.parametrize(("name", "route"), GUARDED, ids=titles(GUARDED))
@pytest.mark.usefixtures("house")
class TestNobodyPasses:
    def test_without_a_session(self, name: str, route: Route) -> None:
        refused(call(name, route, None), 401, "unauthenticated")

    @pytest.mark.parametrize("token", ["adl_s_" + "A" * 43, "adl_d_" + "A" * 43, "adl_k_x", "null"])
    def test_with_a_token_that_is_nobodys(self, name: str, route: Route, token: str) -> None:
        refused(call(name, route, token), 401, "unauthenticated")

    @pytest.mark.parametrize("column", ["expires_at", "idle_expires_at", "revoked_at"])
    def test_with_a_session_that_is_over(self, house: House, name: str, route: Route, column: str) -> None:
        refused(call(name, route, house.token("owner", **{column: "now()"})), 401, "unauthenticated")

    def test_with_the_session_of_somebody_who_is_no_member_any_more(
        self, house: House, name: str, route: Route
    ) -> None:
        leaver = person(house.auth, house.org_id, f"leaver{uuid4().hex[:8]}", "owner")
        house.admin.execute("delete from memberships where user_id = %s", (leaver.user_id,))

        refused(call(name, route, leaver.token), 401, "unauthenticated")

    def test_with_the_token_anywhere_but_in_the_header(self, house: House, name: str, route: Route) -> None:
        token = house.token("owner")
        app: Function[Any] = FUNCTIONS[name].app
        client = app.test_client()
        for cookie in ("adloom_session", "__Host-adloom_session", "session"):
            client.set_cookie(cookie, token)
        path = route.path
        for parameter in route.parameters:
            path = path.replace(f"<{parameter}>", str(uuid4()))

        answer = client.open(path, method=route.method, query_string={"token": token, "access_token": token})

        refused(answer, 401, "unauthenticated")

    def test_naming_another_organisation(self, house: House, name: str, route: Route) -> None:
        answer = call(name, route, house.token("owner"), **{"X-Adloom-Org": str(house.other_org)})

        refused(answer, 403, "other_organisation")

    def test_by_head(self, house: House, name: str, route: Route) -> None:
        if route.method == "GET":
            answer = (
                FUNCTIONS[name]
                .app.test_client()
                .head(route.path, headers={"Authorization": f"Bearer {house.token('owner')}"})
            )
            assert answer.status_code == 405


LOWER = [
    (name, route, role)
    for name, route in GUARDED
    for role in ROLES
    if route.guard.kind == "operator" or (route.guard.needed and not includes(role, route.guard.needed))
]


@pytest.mark.parametrize(
    ("name", "route", "role"), LOWER, ids=[f"{name} {route.endpoint} as {role}" for name, route, role in LOWER]
)
def test_a_lower_role_does_not_suffice(house: House, name: str, route: Route, role: Role) -> None:
    refused(call(name, route, house.token(role)), 403, "forbidden")


PASSING = [(name, route) for name, route in GUARDED if route.guard.kind != "operator"]


@pytest.mark.parametrize(("name", "route"), PASSING, ids=titles(PASSING))
def test_who_has_the_role_and_a_new_session_passes(house: House, name: str, route: Route) -> None:
    """Without it the tests above would show nothing."""
    admitted(call(name, route, house.token(lowest(route)), **{"X-Adloom-Org": str(house.org_id)}))


@pytest.mark.parametrize(("name", "route"), FRESH, ids=titles(FRESH))
def test_an_old_proof_does_not_suffice(house: House, name: str, route: Route) -> None:
    stale = house.token(lowest(route), authenticated_at="now() - interval '10 minutes 1 second'")

    refused(call(name, route, stale), 403, "step_up_needed")


def test_what_changes_something_asks_for_a_new_proof_or_says_why_not() -> None:
    changing = {
        f"{name} {route.endpoint}" for name, route in GUARDED if route.method != "GET" and not route.guard.fresh
    }

    assert changing == set(NOT_FRESH)


@pytest.mark.parametrize(("name", "route"), WITH_PARAMETERS, ids=titles(WITH_PARAMETERS))
def test_what_is_another_organisations_is_not_there(house: House, name: str, route: Route) -> None:
    theirs = {
        "user_id": house.outsider,
        "session_id": house.outsiders_session,
        "invitation_id": house.others_invitation,
        "key_id": house.others_key,
    }
    path = route.path
    for parameter in route.parameters:
        path = path.replace(f"<{parameter}>", str(theirs[parameter]))
    app: Function[Any] = FUNCTIONS[name].app
    body = {} if route.body is not None else None

    answer = app.test_client().open(
        path, method=route.method, json=body, headers={"Authorization": f"Bearer {house.token('owner')}"}
    )

    refused(answer, 404, "not_found")


def runs(house: House, token: str, account: int) -> bool:
    """Whether a sync of an account is planned for the bearer."""
    answer = (
        FUNCTIONS["sync-meta"]
        .app.test_client()
        .post("/runs", json={"accounts": [str(account)]}, headers={"Authorization": f"Bearer {token}"})
    )
    return bool(answer.status_code == 202 and answer.get_json()["planned"])


def lists(house: House, token: str, account: int) -> bool:
    """Whether the connection of an account is shown to the bearer."""
    answer = (
        FUNCTIONS["oauth-callback"].app.test_client().get("/connections", headers={"Authorization": f"Bearer {token}"})
    )
    assert answer.status_code == 200
    return bool(answer.get_json()["connections"])


# Whether a route does something for, or tells something of, an account: asked by a member who has it and by one whose
# accounts are others.
OF_ACCOUNTS: dict[str, Callable[[House, str, int], bool]] = {
    "sync-meta POST /runs": runs,
    "oauth-callback GET /connections": lists,
}
# They work on no account that is there already.
MAKES_ACCOUNTS = {"oauth-callback POST /connections"}


def test_every_route_about_accounts_has_a_check() -> None:
    about = {f"{name} {route.endpoint}" for name, route in GUARDED}

    assert {each for each in about if not each.startswith(ABOUT_NO_ACCOUNT)} - MAKES_ACCOUNTS == set(OF_ACCOUNTS)


@pytest.mark.parametrize("endpoint", sorted(OF_ACCOUNTS))
def test_a_narrowed_member_reaches_only_the_own_accounts(
    house: House, make_account: Callable[..., int], endpoint: str
) -> None:
    account = make_account(house.org_id, uuid4().hex[:12])
    asks = OF_ACCOUNTS[endpoint]
    member = house.people["editor"]

    def narrowed_to(scope: str) -> bool:
        query = "update memberships set account_scope = %s where user_id = %s"
        house.admin.execute(query, (scope, member))
        try:
            return asks(house, house.token("editor"), account)
        finally:
            house.admin.execute(query, ("*", member))

    assert narrowed_to(str(account))
    assert not narrowed_to(str(account + 1_000_000))
