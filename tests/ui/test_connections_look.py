"""The pages of connections and of the data's health: every state, light and dark, on a desk and in a hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.ui import connections_seed, health_seed, seed
from tests.ui.conftest import DESKTOP, PHONE
from tests.ui.settings_rig import people

__all__ = ["people"]

AGENCY = connections_seed.agency(150, 40)
VIEWS = {
    "desktop-light": {"viewport": DESKTOP, "color_scheme": "light"},
    "phone-dark-german": {"viewport": PHONE, "color_scheme": "dark", "locale": "de-DE"},
}
BOTH = pytest.mark.parametrize("view", VIEWS)


def empty(site):
    """Nothing is there, and whoever fills it next begins with nothing, whatever comes into it meanwhile."""
    site.contents = None
    site.fill(())
    site.contents = None


def fill(site, logs):
    """Exactly these log-ins; their ids."""
    empty(site)
    return connections_seed.seed(site.admin_url, site.organisation, logs)


@BOTH
def test_before_anything_is_connected(site, open_page, inspect, view):
    empty(site)
    page = open_page("/connections", **VIEWS[view])
    expect(page.locator(".platform-tile button")).to_have_count(3)
    inspect(page, f"connections-{view}-empty")


@BOTH
def test_connections_that_need_somebody(site, open_page, inspect, view):
    ids = fill(site, connections_seed.TROUBLED)
    page = open_page("/connections", **VIEWS[view])
    expect(page.locator(".need.with-verb")).to_have_count(5)
    expect(page.locator("tbody tr[id]:not(.more)")).to_have_count(7)
    inspect(page, f"connections-{view}-troubled")
    # Ended and with a right missing; with accounts to choose and taken back.
    for number in (1, 4) if "phone" in view else (5, 6):
        page.goto(f"{site.stack.url}/connections/{ids[number]}")
        expect(page.locator("#access .right-list")).to_be_visible()
        # Only an access that works may do something.
        works = connections_seed.TROUBLED[number].status == "active"
        expect(page.locator("#access .right-list").locator(".dot.ok" if works else ".dot.idle").first).to_be_attached()
        expect(page.locator("#access .right-list").locator(".dot.idle" if works else ".dot.ok")).to_have_count(0)
        inspect(page, f"connection-{view}-{number}")


@BOTH
def test_what_a_platform_tells_of_by_itself_is_said_with_the_access(site, open_page, inspect, view):
    ids = fill(site, connections_seed.SHOP)
    connections_seed.subscribe(site.admin_url, ids[1], pages=3, accounts=1, refused=2)
    page = open_page(f"/connections/{ids[1]}", **VIEWS[view])
    expect(page.locator("#told .tag")).to_have_count(3)
    expect(page.locator("#told .tag").first).to_contain_text("3")
    expect(page.locator("#told")).to_contain_text("{Shop} 0")
    inspect(page, f"connection-{view}-told")
    page.goto(f"{site.stack.url}/connections/{ids[0]}")
    expect(page.locator("#access .right-list")).to_have_count(1)


@BOTH
def test_very_many_connections_and_accounts(site, open_page, inspect, view):
    ids = fill(site, AGENCY)
    page = open_page(f"/connections/{ids[0]}", **VIEWS[view])
    expect(page.locator("#choice .boxes label")).to_have_count(150)
    inspect(page, f"connection-{view}-many")
    if "phone" in view:
        return
    page.goto(f"{site.stack.url}/connections?page=2")
    expect(page.locator(".pager")).to_contain_text("26")
    inspect(page, f"connections-{view}-many")
    page.goto(f"{site.stack.url}/data-health?page=2")
    expect(page.locator(".pager")).to_contain_text("190")
    inspect(page, f"data-health-{view}-many")


@BOTH
def test_days_that_were_set_aside_say_what_happened(site, open_page, inspect, view):
    empty(site)
    [account, *_others] = site.fill(seed.SHOP)
    health_seed.aside(site.admin_url, account, number=18)
    health_seed.history(site.admin_url, account)
    site.contents = None
    page = open_page("/data-health", **VIEWS[view])
    card = page.locator("#aside")
    expect(card.locator("tbody tr[id]:not(.more)")).to_have_count(15)
    expect(card.locator("h2 .count")).to_have_text("18")
    if "phone" in view:
        card.get_by_role("button").first.click()
    inspect(page, f"data-health-{view}-aside")


@BOTH
def test_an_editor_chooses_what_accounts_count(site, people, inspect, view):
    ids = fill(site, AGENCY)
    editor, viewer = people.make("Eda Editor", "editor"), people.make("Vera Viewer", "viewer")
    page = people.open(editor, f"/connections/{ids[0]}", **VIEWS[view])
    card = page.locator("#counted")
    expect(card.locator("select")).to_have_count(10)
    expect(card.locator("option").first).to_have_attribute("value", "conversions")
    inspect(page, f"connection-{view}-counted")
    page = people.open(viewer, f"/connections/{ids[0]}", **VIEWS[view])
    expect(page.locator("#accounts")).to_be_visible()
    expect(page.locator("#counted")).to_have_count(0)


@BOTH
def test_numbers_that_moved_and_cadences_that_were_stretched(site, open_page, inspect, view):
    empty(site)
    [account, *_others] = site.fill(seed.SHOP)
    health_seed.stretched(site.admin_url)
    health_seed.moved(site.admin_url, account)
    site.contents = None
    page = open_page(f"/data-health?account={account}", **VIEWS[view])
    expect(page.locator(".stack .stack table")).to_have_count(2)
    inspect(page, f"data-health-{view}-moved")
    health_seed.usual(site.admin_url)


def test_one_that_is_not_there_and_one_that_cannot_be_read(site, open_page, inspect):
    page = open_page("/connections/00000000-0000-0000-0000-000000000000", viewport=PHONE)
    expect(page.get_by_role("heading", name="This is not here")).to_be_visible()
    inspect(page, "connection-phone-light-missing")
    page.goto(f"{site.stack.url}/connections/nonsense")
    expect(page.get_by_role("heading", name="This is not here")).to_be_visible()
    with site.stack.without("postgres"):
        page = open_page("/connections", quiet=False)
        expect(page.get_by_role("alert")).to_be_visible()
        inspect(page, "connections-desktop-light-error")
