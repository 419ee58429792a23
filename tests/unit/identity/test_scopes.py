"""What API keys may be allowed to do, and what is left to a key whose maker may do less."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import get_args

import pytest

from adloom.identity.account_scope import NO_ACCOUNT, common, is_within
from adloom.identity.roles import ROLES, Role, includes, least, lesser
from adloom.identity.scopes import MEANINGS, SCOPES, Scope
from adloom.web.openapi import describe
from adloom.web.routes import Route

ROOT = Path(__file__).resolve().parents[3]
APPS = [
    importlib.import_module(f"functions.{path.parent.name}.handler").app
    for path in sorted(ROOT.glob("functions/*/handler.py"))
]
ROUTES: list[tuple[str, Route]] = [(app.name, route) for app in APPS for route in app.routes]


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_opens_a_route_and_asks_for_the_role_that_all_of_them_need(scope: Scope) -> None:
    needed = [route.guard.needed for _, route in ROUTES if route.guard.scope == scope]

    assert needed
    assert least(role for role in needed if role) == MEANINGS[scope].needs


def test_every_scope_is_explained() -> None:
    assert tuple(MEANINGS) == SCOPES == get_args(Scope)
    assert all(meaning.label and meaning.description for meaning in MEANINGS.values())
    assert len({meaning.label for meaning in MEANINGS.values()}) == len(SCOPES)


def test_what_makes_or_shows_credentials_and_rights_is_closed_to_every_key() -> None:
    """All of it is in `auth`: of its routes a key may see the list of members, and nothing else."""
    assert [route.endpoint for name, route in ROUTES if name == "auth" and route.guard.scope] == ["GET /members"]


def test_the_description_says_which_scope_a_route_asks_for() -> None:
    for app in APPS:
        document = describe(app)
        schemes = document["components"]["securitySchemes"]
        for route in app.routes:
            operation = document["paths"][route.path.replace("<", "{").replace(">", "}")][route.method.lower()]
            keys = [way["key"] for way in operation["security"] if "key" in way]
            assert keys == ([[route.guard.scope]] if route.guard.scope else []), route.endpoint
            assert {name for way in operation["security"] for name in way} <= set(schemes)
            if route.guard.scope:
                assert f"`{route.guard.scope}`" in operation["description"]
                assert MEANINGS[route.guard.scope].description in schemes["key"]["description"]
            elif route.guard.kind in ("session", "role"):
                assert "Not open to API keys" in operation["description"]


def test_the_documentation_lists_the_scopes_as_the_code_does() -> None:
    lines = (ROOT / "docs" / "api-keys.md").read_text(encoding="utf-8").splitlines()

    rows = [line for line in lines if line.startswith("| `") and line.count("|") == 5 and ":" in line.split("`")[1]]
    listed = {row.split("`")[1]: [cell.strip() for cell in row.strip("|").split("|")] for row in rows}
    assert list(listed) == list(SCOPES)
    for scope, meaning in MEANINGS.items():
        assert listed[scope][1] == meaning.description
        assert listed[scope][2] == meaning.needs
        for name, route in ROUTES:
            if route.guard.scope == scope:
                assert f"`{route.method} /function/{name}{route.path}`" in listed[scope][3]


def test_a_lesser_role_is_what_both_include() -> None:
    """Editor and approver stand beside each other: what both may do is look."""
    assert lesser("editor", "approver") == lesser("approver", "editor") == "viewer"
    for one in ROLES:
        for other in ROLES:
            both = {role for role in ROLES if includes(one, role) and includes(other, role)}
            assert {role for role in ROLES if includes(lesser(one, other), role)} == both


@pytest.mark.parametrize(
    ("needed", "role"),
    [(["viewer"], "viewer"), (["viewer", "editor"], "editor"), (["editor", "approver"], "admin"), (["admin"], "admin")],
)
def test_the_least_role_suffices_for_all(needed: list[Role], role: Role) -> None:
    assert least(needed) == role


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("*", "*", "*"),
        ("*", "3,17", "3,17"),
        ("3,17", "*", "3,17"),
        ("17,3,9", "3,17,4", "3,17"),
        ("3", "17", NO_ACCOUNT),
        (NO_ACCOUNT, "*", NO_ACCOUNT),
    ],
)
def test_accounts_that_both_see(one: str, other: str, both: str) -> None:
    assert common(one, other) == both
    assert is_within(both, one)
    assert is_within(both, other)


def test_all_accounts_are_not_within_some() -> None:
    assert not is_within("*", "3")
    assert not is_within("3,4", "3")
