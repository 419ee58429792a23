"""Every route of every function against everybody who must not pass, made from the routes themselves.

A route that is new is in here by itself. One with a parameter, or about an ad account, fails until it says below how
another organisation's or a narrowed member's request is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from adloom.identity.roles import ROLES, Role, includes
from adloom.web.routes import Route
from infra.deployment.stackfile import read_functions
from tests.integration.cast import person
from tests.integration.routes_rig import (
    FUNCTIONS,
    GUARDED,
    OF_ACCOUNTS,
    SYNCS,
    House,
    admitted,
    call,
    house,
    lowest,
    platform_of,
    refused,
    titles,
)

if TYPE_CHECKING:
    from adloom.web import Function

__all__ = ["house"]

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
    "auth POST /rings/<ring>/rotation": "the operator's",
    "oauth-callback POST /rings/<ring>/rotation": "the operator's",
    "oauth-callback PUT /connections/<connection_id>/accounts": "reads what was granted, or stops reading it",
    "oauth-callback POST /connections/<connection_id>/check": "asks the platform what is so",
    **{f"{name} POST /runs": "reads from the platform again" for name in SYNCS},
    **{f"{name} PATCH /accounts/<account_id>": "reads from the platform again" for name in SYNCS},
}
# Routes that say or change nothing about an ad account. Every other one has a check below.
ABOUT_NO_ACCOUNT = "auth "


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
    path = route.path
    for parameter in route.parameters:
        path = path.replace(f"<{parameter}>", str(house.theirs[parameter]))
    app: Function[Any] = FUNCTIONS[name].app
    body: dict[str, Any] | None = {} if route.body is not None else None

    answer = app.test_client().open(
        path, method=route.method, json=body, headers={"Authorization": f"Bearer {house.token('owner')}"}
    )

    refused(answer, 404, "not_found")


# They work on no account that is there already, or on all of a connection: a member of some accounts only is no admin.
MAKES_ACCOUNTS = {
    "oauth-callback POST /connections",
    "oauth-callback POST /connections/tokens",
    "oauth-callback PUT /connections/<connection_id>/accounts",
    "oauth-callback DELETE /connections/<connection_id>",
    "oauth-callback POST /rings/<ring>/rotation",
}


def test_every_route_about_accounts_has_a_check() -> None:
    about = {f"{name} {route.endpoint}" for name, route in GUARDED}

    assert {each for each in about if not each.startswith(ABOUT_NO_ACCOUNT)} - MAKES_ACCOUNTS == set(OF_ACCOUNTS)


@pytest.mark.parametrize("endpoint", sorted(OF_ACCOUNTS))
def test_a_narrowed_member_reaches_only_the_own_accounts(
    house: House, make_account: Callable[..., int], endpoint: str
) -> None:
    account = make_account(house.org_id, uuid4().hex[:12], platform=platform_of(endpoint))
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
