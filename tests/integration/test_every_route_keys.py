"""Every route of every function against API keys: each is closed to keys without its scope, and most have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from adloom.identity.roles import ROLES, Role, includes
from adloom.identity.scopes import MEANINGS, SCOPES
from adloom.web.routes import Route
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

__all__ = ["house"]

OPEN = [(name, route) for name, route in GUARDED if route.guard.scope is not None]
# What a key may do at all: a new one comes here with its reason, and never one that makes keys, members or sessions.
OPEN_TO_KEYS = {
    "auth GET /members": "members:read",
    "oauth-callback GET /connections": "connections:read",
    "oauth-callback GET /connections/<connection_id>": "connections:read",
    **{f"{name} POST /runs": "runs:write" for name in SYNCS},
}


def test_what_is_open_to_keys_is_a_short_list() -> None:
    assert {f"{name} {route.endpoint}": route.guard.scope for name, route in OPEN} == OPEN_TO_KEYS


def test_every_scope_opens_something_and_says_the_role_it_needs() -> None:
    assert {route.guard.scope for _, route in OPEN} == set(SCOPES)
    for scope in SCOPES:
        needs = {route.guard.needed for _, route in OPEN if route.guard.scope == scope}
        assert MEANINGS[scope].needs in needs


@pytest.mark.parametrize(("name", "route"), GUARDED, ids=titles(GUARDED))
class TestNoKeyPasses:
    def test_without_the_scope(self, house: House, name: str, route: Route) -> None:
        """It has every other one, and the highest role."""
        scopes = [scope for scope in SCOPES if scope != route.guard.scope]
        refused(call(name, route, house.key("owner", scopes)), 403, "scope_missing")

    def test_when_it_has_expired(self, house: House, name: str, route: Route) -> None:
        refused(call(name, route, house.key(but="expires_at = now()")), 401, "unauthenticated")

    def test_when_it_was_revoked(self, house: House, name: str, route: Route) -> None:
        over = house.key(but="revoked_at = now(), ended_because = 'revoked'")
        refused(call(name, route, over), 401, "unauthenticated")

    def test_when_its_maker_is_no_member_any_more(self, house: House, name: str, route: Route) -> None:
        leaver = person(house.auth, house.org_id, f"leaver{uuid4().hex[:8]}", "owner")
        key = house.key(maker=leaver.user_id)
        house.admin.execute("delete from memberships where user_id = %s", (leaver.user_id,))

        refused(call(name, route, key), 401, "unauthenticated")

    def test_when_another_organisation_is_named(self, house: House, name: str, route: Route) -> None:
        answer = call(name, route, house.key(), **{"X-Adloom-Org": str(house.other_org)})

        refused(answer, 403, "other_organisation")

    def test_when_it_comes_anywhere_but_in_the_header(self, house: House, name: str, route: Route) -> None:
        key = house.key()
        client = FUNCTIONS[name].app.test_client()
        client.set_cookie("adloom_session", key)
        path = route.path
        for parameter in route.parameters:
            path = path.replace(f"<{parameter}>", str(uuid4()))

        answer = client.open(path, method=route.method, query_string={"key": key, "api_key": key, "token": key})

        refused(answer, 401, "unauthenticated")

    def test_when_a_part_of_it_is_another(self, house: House, name: str, route: Route) -> None:
        key = house.key()
        for other in (key[:-1], key + "A", key.replace("adl_k_", "adl_s_"), key.upper()):
            refused(call(name, route, other), 401, "unauthenticated")


LOWER = [(name, route, role) for name, route in OPEN for role in ROLES if not includes(role, lowest(route))]


@pytest.mark.parametrize(
    ("name", "route", "role"), LOWER, ids=[f"{name} {route.endpoint} as {role}" for name, route, role in LOWER]
)
def test_the_scope_alone_does_not_suffice(house: House, name: str, route: Route, role: Role) -> None:
    """Neither does a key's high role where its maker has a lower one by now."""
    refused(call(name, route, house.key(role)), 403, "forbidden")
    refused(call(name, route, house.key("owner", maker=house.people[role])), 403, "forbidden")


@pytest.mark.parametrize(("name", "route"), OPEN, ids=titles(OPEN))
def test_a_key_with_the_scope_and_the_role_passes(house: House, name: str, route: Route) -> None:
    """Without it the tests above would show nothing."""
    needed = [scope for scope in SCOPES if scope == route.guard.scope]
    answer = call(name, route, house.key(lowest(route), needed), **{"X-Adloom-Org": str(house.org_id)})

    admitted(answer)
    assert answer.status_code != 403, answer.text


def _asked_with(house: House, endpoint: str, account: int, scope: str) -> bool:
    return OF_ACCOUNTS[endpoint](house, house.key(but=f"account_scope = '{scope}'"), account)


NARROWED: list[Any] = sorted(each for each in OF_ACCOUNTS if each in OPEN_TO_KEYS)


@pytest.mark.parametrize("endpoint", NARROWED)
def test_a_narrowed_key_reaches_only_its_own_accounts(
    house: House, make_account: Callable[..., int], endpoint: str
) -> None:
    account = make_account(house.org_id, uuid4().hex[:12], platform=platform_of(endpoint))

    assert _asked_with(house, endpoint, account, str(account))
    assert not _asked_with(house, endpoint, account, str(account + 1_000_000))


@pytest.mark.parametrize("endpoint", NARROWED)
def test_a_key_sees_no_more_than_its_maker_does_now(
    house: House, make_account: Callable[..., int], endpoint: str
) -> None:
    account = make_account(house.org_id, uuid4().hex[:12], platform=platform_of(endpoint))
    maker = person(house.auth, house.org_id, f"maker{uuid4().hex[:8]}", "owner")
    key = house.key(maker=maker.user_id)
    assert OF_ACCOUNTS[endpoint](house, key, account)

    query = "update memberships set account_scope = %s where user_id = %s"
    house.admin.execute(query, (str(account + 1_000_000), maker.user_id))

    assert not OF_ACCOUNTS[endpoint](house, key, account)
