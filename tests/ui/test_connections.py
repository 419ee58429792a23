"""What a person does with connections: against the real function, and the sandbox's own log-in pages."""

from __future__ import annotations

import re
from dataclasses import replace

import psycopg
import pytest
from playwright.sync_api import expect

from tests.ui import connections_seed, seed
from tests.ui.conftest import PHONE
from tests.ui.settings_rig import People, agree, people, prove, says, settled
from tests.ui.test_connections_look import empty, fill

__all__ = ["people"]

PLATFORMS = {"google": "Google Ads", "meta": "Meta", "tiktok": "TikTok"}


def chosen(site, connection_id):
    with psycopg.connect(site.admin_url) as connection:
        query = "select name from ad_accounts where connection_id = %s and sync_enabled order by name"
        return [name for (name,) in connection.execute(query, (connection_id,)).fetchall()]


def of(site, column, connection_id):
    with psycopg.connect(site.admin_url) as connection:
        query = f"select {column} from connections where connection_id = %s"
        [(value,)] = connection.execute(query, (connection_id,)).fetchall()
    return value


@pytest.mark.parametrize("platform", ["google", "meta"])
def test_a_person_connects_a_platform_and_its_page_shows_the_accounts(site, people: People, platform):
    empty(site)
    admin = people.make("Ada Admin", "admin")
    page = people.open(admin, "/connections")
    tile = page.locator(".platform-tile").filter(has_text=PLATFORMS[platform])
    tile.get_by_label("Let me choose the accounts first").check()
    tile.get_by_role("button").click()
    page.locator("button[value=allow]").click()
    expect(page).to_have_title(re.compile("Connected"))
    page.get_by_role("link", name="Back to Adloom").click()
    expect(page).to_have_url(re.compile("/connections/[0-9a-f-]{36}$"))
    settled(page)
    expect(page.locator("#access")).to_contain_text("Read")
    # Nothing is read before somebody chooses.
    expect(page.locator("#access")).to_contain_text("choose accounts")
    assert of(site, "account_choice", page.url.rpartition("/")[2]) == "chosen"


def test_a_log_in_without_ad_accounts_says_what_to_do(site, people: People):
    """These facts have none of TikTok's."""
    empty(site)
    page = people.open(people.make("Ada Admin", "admin"), "/connections")
    page.get_by_role("button", name="Connect TikTok").click()
    page.locator("button[value=allow]").click()
    expect(page.get_by_text("connect again and choose at least one")).to_be_visible()


def test_whoever_says_no_at_the_platform_has_connected_nothing(site, people: People):
    empty(site)
    page = people.open(people.make("Ada Admin", "admin"), "/connections")
    page.get_by_role("button", name="Connect Meta").click()
    page.locator("button[value=deny]").click()
    expect(page.get_by_text("nothing was connected")).to_be_visible()
    with psycopg.connect(site.admin_url) as connection:
        assert connection.execute("select count(*) from connections").fetchone() == (0,)


def test_what_changes_access_asks_who_it_is_and_goes_on(site, people: People):
    empty(site)
    admin = people.make("Ada Admin", "admin")
    page = people.open(admin, "/connections")
    people.make_stale(admin)
    page.get_by_role("button", name="Connect TikTok").click()
    prove(page)
    expect(page.locator("button[value=allow]")).to_be_visible()


def test_accounts_are_chosen_with_a_filter_and_the_choice_stays(site, people: People):
    ids = fill(site, connections_seed.agency(30, 0))
    page = people.open(people.make("Ada Admin", "admin"), f"/connections/{ids[0]}")
    form = page.locator("#choice")
    form.get_by_role("button", name="None shown").click()
    form.get_by_role("searchbox").fill("kumo")
    expect(form.locator(".boxes label:visible")).to_have_count(6)
    form.get_by_role("button", name="All shown").click()
    form.get_by_role("button", name="Save the choice").click()
    says(page, "6 accounts are read now.")
    assert chosen(site, ids[0]) == [f"Kumo {number:04d}" for number in (1, 6, 11, 16, 21, 26)]
    assert of(site, "account_choice", ids[0]) == "chosen"
    page.get_by_label("Also read accounts").check()
    form.get_by_role("button", name="Save the choice").click()
    expect(page.locator("#says")).to_be_visible()
    page.reload()
    settled(page)
    expect(page.locator("#choice .boxes input:checked")).to_have_count(6)
    expect(page.get_by_label("Also read accounts")).to_be_checked()
    assert of(site, "account_choice", ids[0]) == "all"


def test_a_log_in_whose_accounts_were_not_chosen_leads_to_the_choice(site, people: People):
    fill(site, connections_seed.TROUBLED[5:6])
    page = people.open(people.make("Ada Admin", "admin"), "/connections")
    page.get_by_role("link", name="Choose accounts").click()
    settled(page)
    page.locator("#choice").get_by_role("button", name="All shown").click()
    page.get_by_role("button", name="Save the choice").click()
    says(page, "9 accounts are read now.")
    expect(page.locator(".need")).to_have_count(0)


def test_disconnecting_is_asked_about_and_keeps_what_is_there(site, people: People):
    ids = fill(site, connections_seed.SHOP)
    page = people.open(people.make("Ada Admin", "admin"), f"/connections/{ids[1]}")
    page.get_by_role("button", name="Disconnect").click()
    expect(page.locator("#sure-words")).to_contain_text("Mira Keller")
    page.keyboard.press("Escape")
    assert of(site, "status", ids[1]) == "active"
    page.get_by_role("button", name="Disconnect").click()
    agree(page)
    says(page, re.compile("Disconnected"))
    expect(page.locator("#access")).to_contain_text("disconnected")
    assert of(site, "status", ids[1]) == "revoked"
    assert of(site, "status", ids[0]) == "active"
    with psycopg.connect(site.admin_url) as connection:
        assert connection.execute("select count(*) from ad_accounts").fetchone() == (7,)


@pytest.mark.parametrize(("number", "happened"), [
    (0, "Google Ads does not accept Adloom's access any more"),
    (1, "The access to Meta has run out."),
    (4, "A right that Adloom needs to read the numbers was not given at TikTok."),
])  # fmt: skip
def test_an_access_that_ended_says_what_happened_and_one_button_mends_it(site, people: People, number, happened):
    log = connections_seed.TROUBLED[number]
    fill(site, [log])
    page = people.open(people.make("Ada Admin", "admin"), "/connections", viewport=PHONE)
    need = page.locator(".need.with-verb")
    expect(need).to_contain_text(happened)
    need.get_by_role("button", name=f"Connect {PLATFORMS[log.platform]} again").click()
    expect(page.locator("button[value=allow]")).to_be_visible()


def test_a_viewer_sees_how_connections_are_and_can_change_nothing(site, people: People):
    ids = fill(site, connections_seed.TROUBLED)
    viewer = people.make("Vera Viewer", "viewer")
    page = people.open(viewer, "/connections")
    expect(page.locator(".need.with-verb")).to_have_count(5)
    expect(page.get_by_text("An administrator of your organisation can mend this here.").first).to_be_visible()
    for path in ("/connections", f"/connections/{ids[1]}", f"/connections/{ids[2]}"):
        page.goto(site.stack.url + path)
        settled(page)
        assert page.locator("main form[data-send], .stack form[data-send]").count() == 0


def test_data_health_leads_to_what_mends_an_account(site, open_page):
    site.fill(seed.TROUBLED)
    page = open_page("/data-health")
    need = page.locator(".need.with-verb").filter(has_text="Nordlicht Archive")
    expect(need).to_contain_text("The person who connected may not see this ad account")
    need.get_by_role("link", name="Reconnect").click()
    expect(page).to_have_url(re.compile("/connections/[0-9a-f-]{36}$"))


def test_a_token_that_is_none_is_said_at_its_field(site, people: People):
    empty(site)
    page = people.open(people.make("Ada Admin", "admin"), "/connections")
    page.get_by_text("Connect Meta by the token of a system user").click()
    page.get_by_label("Token of the system user").fill("not a token")
    page.get_by_role("button", name="Connect Meta by this token").click()
    expect(page.locator(".field-problem")).to_have_text("That is no token.")


def test_an_access_is_checked_when_somebody_asks(site, people: People):
    """This one has lost its token."""
    ids = fill(site, connections_seed.SHOP)
    page = people.open(people.make("Eda Editor", "editor"), f"/connections/{ids[1]}")
    page.get_by_role("button", name="Check now").click()
    says(page, re.compile("Meta does not accept Adloom's access any more"))


def test_what_passes_by_itself_needs_nobody(site, open_page):
    empty(site)
    site.fill((replace(seed.TROUBLED[3], error="platform_throttled"), replace(seed.SHOP[1], error="platform_setup")))
    site.contents = None
    page = open_page("/data-health")
    expect(page.locator(".need.with-verb")).to_have_count(1)
    expect(page.locator(".need.with-verb")).to_contain_text("Nordlicht Meta")
    page.goto(site.stack.url)
    expect(page.locator(".need-title")).to_have_text(["Nordlicht Meta cannot be synced"])
