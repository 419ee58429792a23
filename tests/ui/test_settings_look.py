"""The pages of the settings, light and dark, on a desk and in a hand, empty and full. With ADLOOM_SOAK=1 very full."""

from __future__ import annotations

import hashlib
import os
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from adloom import audit
from adloom.audit.actor import Actor
from tests.ui import seed
from tests.ui.conftest import DESKTOP, PHONE
from tests.ui.settings_rig import People, Someone, people, settled

__all__ = ["people"]

PAGES = {"profile": "", "security": "", "members": "", "keys": "", "audit": ""}
VIEWS: dict[str, dict[str, Any]] = {
    "desktop-light": {"viewport": DESKTOP, "color_scheme": "light"},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
    "phone-light-german": {"viewport": PHONE, "color_scheme": "light", "locale": "de-DE"},
    "desktop-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
}
NAMES = (
    "Ana Petrović",
    "Jonas Müller-Lüdenscheidt",
    "Zoë O'Connor",
    "Wolfeschlegelsteinhausenbergerdorff Hubert Blaine the Third of the House of Long Names",
    '<script>alert("x")</script> & sons',
)
MANY = os.environ.get("ADLOOM_SOAK") == "1"
MEMBERS, SESSIONS, KEYS, EVENTS = (300, 50, 200, 5_000) if MANY else (60, 24, 60, 60)
_END = "now() + interval '1 day'"


@pytest.fixture
def full(people: People) -> Someone:
    """An organisation with as much of everything as there may be, seen by its owner."""
    with people.admin() as connection:
        found = connection.execute("select user_id, org_id, email, name from users where email like 'full-owner-%'")
        if row := found.fetchone():
            return Someone(*row)
        org_id = people.organisation("Nordlicht & Töchter Handelsgesellschaft")
        owner = people.make("Full Owner", "owner", org_id)
        connection.execute("update users set email = 'full-owner-' || email where user_id = %s", (owner.user_id,))
        seed.seed(people.site.admin_url, org_id, seed.TROUBLED)
        _members(connection, org_id)
        for number in range(SESSIONS):
            _session(connection, org_id, owner.user_id, number)
        for number in range(3):
            values = (org_id, f"invited{number}@a-rather-long-domain.example.com", os.urandom(32), owner.user_id)
            connection.execute(
                "insert into invitations (invitation_id, org_id, email, role, token_hash, invited_by, expires_at)"
                f" values (gen_random_uuid(), %s, %s, 'viewer', %s, %s, {_END})",
                values,
            )
        for number in range(KEYS):
            _key(connection, org_id, owner.user_id, number)
    _events(people, owner)
    return owner


def _members(connection: Any, org_id: uuid.UUID) -> None:
    for number in range(MEMBERS):
        user_id = uuid.uuid4()
        values = (user_id, org_id, f"person{number}.{user_id.hex[:5]}@example.com", NAMES[number % 5] + f" {number}")
        connection.execute("insert into users (user_id, org_id, email, name) values (%s, %s, %s, %s)", values)
        role = ("viewer", "editor", "approver", "admin")[number % 4]
        query = "insert into memberships (org_id, user_id, role, account_scope) values (%s, %s, %s, %s)"
        connection.execute(query, (org_id, user_id, role, "*" if number % 3 else "1,2,3"))
        if number % 2:
            _session(connection, org_id, user_id, number)


def _session(connection: Any, org_id: uuid.UUID, user_id: uuid.UUID, number: int) -> None:
    device = ("Firefox 140 on Linux", "Chrome 142 on Android", "Safari 19 on iPhone", "")[number % 4]
    address = ("203.0.113.7", "2001:db8:85a3:8d3:1319:8a2e:370:7348")[number % 2]
    place = ("Berlin, Germany", "", "Kuala Lumpur, Malaysia")[number % 3]
    connection.execute(
        "insert into sessions (session_id, org_id, user_id, token_hash, created_at, last_used_at, idle_expires_at,"
        f" expires_at, device, address, place) values (gen_random_uuid(), %s, %s, %s, now() - %s * interval '9 hours',"
        f" now() - %s * interval '3 hours', {_END}, {_END}, %s, %s, %s)",
        (org_id, user_id, os.urandom(32), number, number, device, address, place),
    )


def _key(connection: Any, org_id: uuid.UUID, user_id: uuid.UUID, number: int) -> None:
    name = ("Looker Studio", "Warehouse of the finance department, nightly export", "n8n")[number % 3]
    scopes = ["connections:read"] if number % 2 else ["connections:read", "runs:write", "members:read"]
    prefix = hashlib.sha256(str(number).encode()).hexdigest()[:8]
    values = (org_id, user_id, f"{name} {number}", os.urandom(32), prefix, scopes, number % 40 - 4)
    connection.execute(
        "insert into api_keys (key_id, org_id, made_by, name, token_hash, prefix, last_four, scopes, role,"
        " account_scope, per_minute, expires_at) values (gen_random_uuid(), %s, %s, %s, %s, %s, 'aB3x', %s, 'viewer',"
        " '*', 1000, now() + %s * interval '1 day')",
        values,
    )


def _events(people: People, owner: Someone) -> None:
    actor = Actor(kind="user", id=str(owner.user_id), address="2001:db8::8a2e:370:7348", agent="Mozilla/5.0 " * 8)
    actions = ("member.role_changed", "permission.denied", "key.made", "session.opened")
    with people.auth.system() as connection:
        for number in range(EVENTS):
            audit.record(
                connection,
                actions[number % 4],
                org_id=owner.org_id,
                actor=actor,
                target=("member", owner.user_id) if number % 3 else ("session", uuid.uuid4()),
                old={"role": "viewer", "accounts": "*"},
                new={"role": "editor", "accounts": ",".join(map(str, range(40))), "note": NAMES[number % 5]},
            )


@pytest.mark.parametrize("view", list(VIEWS)[:3])
def test_every_page_of_the_settings_when_it_is_full(people: People, full: Someone, inspect: Any, view: str) -> None:
    page = people.open(full, "/settings/profile", **VIEWS[view])
    inspect(page, f"settings-profile-{view}")
    for name in ("security", "members", "keys", "audit"):
        go(people, page, name)
        inspect(page, f"settings-{name}-{view}")
    if "german" not in view:
        unfolded(people, page, inspect, view)


def go(people: People, page: Page, name: str) -> None:
    page.goto(f"{people.site.stack.url}/settings/{name}")
    settled(page)


def unfolded(people: People, page: Page, inspect: Any, view: str) -> None:
    """What opens: an event, forms, one member, dialogs."""
    page.locator(".events summary").first.click()
    inspect(page, f"settings-audit-{view}-open")
    for name in ("members", "keys"):
        go(people, page, name)
        page.locator("details.reveal > summary").click()
        page.locator("input[value=some]").check()
        inspect(page, f"settings-{name}-{view}-form")
    go(people, page, "members")
    page.locator("td.name a").first.click()
    expect(page.locator(".facts")).to_be_visible()
    inspect(page, f"settings-member-{view}")
    go(people, page, "security")
    page.locator("form[action$=end-others] button").click()
    expect(page.locator("dialog#sure")).to_be_visible()
    inspect(page, f"settings-sure-{view}")


def test_the_pages_of_somebody_who_is_new(people: People, inspect: Any) -> None:
    view = "desktop-dark"
    new = people.make("Nina New", "admin", people.organisation("Fresh"))
    page = people.open(new, "/settings/members", **VIEWS[view])
    inspect(page, f"settings-members-{view}-empty")
    go(people, page, "keys")
    inspect(page, f"settings-keys-{view}-empty")
    page.goto(f"{people.site.stack.url}/settings/audit?text=nothing-like-this")
    settled(page)
    inspect(page, f"settings-audit-{view}-empty")
    people.make_stale(new)
    go(people, page, "security")
    page.locator("form[action$=authenticator] button").click()
    expect(page.locator("dialog#step-up")).to_be_visible()
    inspect(page, f"settings-step-up-{view}")


def test_a_page_that_cannot_be_read_says_so(people: People, inspect: Any) -> None:
    new = people.make("Nina New", "admin", people.organisation("Fresh"))
    page = people.open(new, "/settings/members", **VIEWS["phone-dark"])
    with people.site.stack.without("postgres"):
        page.goto(f"{people.site.stack.url}/settings/profile")
        expect(page.get_by_role("alert")).to_be_visible()
        inspect(page, "settings-profile-phone-dark-error")
