"""What is committed shows by itself."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import expect

from adloom.db import Database
from adloom.events import MetricsSynced, publish
from infra.local.stack import Stack
from tests.ui import seed
from tests.ui.conftest import Site

FACTS = Path(__file__).parents[1] / "data" / "meta_90_days"
# The last day of the range that pages show at first.
DAY = seed.TODAY - timedelta(days=1)
SPEND = "[data-kpi=spend] .kpi-value"


def spend_more(site):
    """A correction of the last whole day's account total, as a sync would store it."""
    with psycopg.connect(site.admin_url) as connection:
        connection.execute("update metrics set spend = spend + 1000 where level = 'account' and day = %s", (DAY,))


def announce(site, org_id, account_id):
    event = MetricsSynced(
        org_id=org_id,
        account_id=account_id,
        platform="meta",
        run_id=1,
        since=DAY,
        until=DAY,
        rows_changed=1,
    )
    database = Database(site.stack.secret("sync-meta", "sync-meta-database-url"), pool_size=1)
    with database.tenant(org_id) as connection:
        publish(connection, event)
    database.close()


@pytest.fixture
def shop(site):
    site.contents = None
    return site.fill(seed.SHOP)


def test_a_commit_shows_without_a_reload_and_leaves_the_filter_alone(site, shop, open_page):
    page = open_page("/")
    before = page.locator(SPEND).inner_text()
    page.get_by_role("searchbox").fill("bra")
    expect(page.locator("tbody td.name a")).to_have_text(["Brand · Search DE"])
    page.evaluate("window.stayed = true")
    spend_more(site)
    announce(site, site.organisation, shop[1])
    expect(page.locator(SPEND)).not_to_have_text(before)
    assert page.evaluate("window.stayed")
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("bra")


def test_what_happens_in_another_organisation_moves_nothing(site, shop, open_page):
    page = open_page("/")
    before = page.locator(SPEND).inner_text()
    stranger = uuid.uuid4()
    with psycopg.connect(site.admin_url) as connection:
        connection.execute("insert into organisations (org_id, name) values (%s, 'Strangers')", (stranger,))
    spend_more(site)
    announce(site, stranger, shop[1])
    page.wait_for_timeout(1_500)  # an event of one's own takes half a second
    expect(page.locator(SPEND)).to_have_text(before)
    announce(site, site.organisation, shop[1])
    expect(page.locator(SPEND)).not_to_have_text(before)


def test_after_nats_was_away_open_pages_catch_up(site, shop, open_page):
    page = open_page("/")
    before = page.locator(SPEND).inner_text()
    with site.stack.without("nats"):
        spend_more(site)
        page.wait_for_timeout(500)
        expect(page.locator(SPEND)).to_have_text(before)
    expect(page.locator(SPEND)).not_to_have_text(before, timeout=20_000)


def test_a_page_keeps_its_numbers_while_the_database_is_away(site, shop, open_page):
    page = open_page("/")
    page.wait_for_selector("table")
    before = page.locator(SPEND).inner_text()
    with site.stack.without("postgres"):
        page.get_by_role("button", name="ROAS").first.click()
        expect(page.get_by_text("These numbers could not be refreshed.")).to_be_visible()
        expect(page.locator(SPEND)).to_have_text(before)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_text("These numbers could not be refreshed.")).to_have_count(0)


@pytest.mark.slow
def test_a_person_connects_an_account_and_sees_its_sync_arrive(tmp_path, browser):
    truth = json.loads((FACTS / "truth.json").read_text(encoding="utf-8"))["by_platform"]["meta"]
    clock = datetime(2025, 3, 31, 12, tzinfo=UTC)
    with Stack(tmp_path / "home", facts=FACTS, clock=clock, rate=0) as stack:
        context = Site(stack, browser).owner()
        watching = context.new_page()
        watching.goto(f"{stack.url}/?from=2025-01-01&to=2025-03-31")
        watching.evaluate("window.stayed = true")
        expect(watching.get_by_role("heading", name="No ad account is connected yet")).to_be_visible()

        connecting = context.new_page()
        connecting.goto(stack.url)
        connecting.get_by_role("button", name="Connect Meta").click()
        connecting.locator("button[value=allow]").click()
        expect(connecting).to_have_title(re.compile("Connected"))

        whole = re.compile(re.escape(f"₹{Decimal(truth['spend']):,.2f};"))
        expect(watching.locator("[data-kpi=spend]")).to_have_attribute("title", whole, timeout=120_000)
        expect(watching.locator("[data-trust]")).to_have_attribute("data-trust", "ok", timeout=60_000)
        assert watching.evaluate("window.stayed")
        context.close()
