"""What a person does with the pages."""

import re

import psycopg
import pytest
from playwright.sync_api import expect

from tests.ui import seed
from tests.ui.conftest import PHONE


def names(page):
    return page.locator("tbody td.name a").all_inner_texts()


def test_whoever_follows_a_link_logs_in_and_arrives_there(site):
    site.fill(seed.SHOP)
    context = site.context()
    page = context.new_page()
    page.goto(f"{site.stack.url}/campaigns?range=7d&sort=roas")
    expect(page).to_have_url(re.compile(r"/login\?next=%2Fcampaigns%3Frange%3D7d%26sort%3Droas$"))
    email, password = site.stack.login
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{site.stack.url}/campaigns?range=7d&sort=roas")
    expect(page.get_by_role("heading", name="Campaigns", exact=True)).to_be_visible()
    context.close()


def test_a_wrong_password_says_so_and_lets_nobody_in(site):
    context = site.context()
    page = context.new_page()
    page.goto(f"{site.stack.url}/login")
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("That e-mail and password don't fit together.")
    expect(page.get_by_label("E-mail")).to_have_value("nobody@example.com")
    page.goto(site.stack.url)
    expect(page).to_have_url(f"{site.stack.url}/login")
    context.close()


def test_the_range_changes_without_a_reload_and_back_brings_the_old_one(site, open_page):
    site.fill(seed.SHOP)
    page = open_page("/")
    before = page.locator("[data-kpi=spend] .kpi-value").inner_text()
    page.evaluate("window.stayed = true")
    page.locator("#range-menu > summary").click()
    page.get_by_role("link", name="Last 7 days").click()
    expect(page).to_have_url(f"{site.stack.url}/?range=7d")
    expect(page.locator(".legend")).to_contain_text("13 Nov")
    expect(page.locator(".legend")).to_contain_text("previous 7 days")
    assert page.locator("[data-kpi=spend] .kpi-value").inner_text() != before
    assert page.evaluate("window.stayed")
    page.go_back()
    expect(page.locator(".legend")).to_contain_text("previous 28 days")
    expect(page.locator("[data-kpi=spend] .kpi-value")).to_have_text(before)


def test_days_of_ones_own_choice_are_in_the_address(site, open_page):
    site.fill(seed.SHOP)
    page = open_page("/")
    page.locator("#range-menu > summary").click()
    page.get_by_label("From").fill("2026-11-02")
    page.get_by_label("To", exact=True).fill("2026-11-08")
    page.get_by_role("button", name="Show these days").click()
    expect(page).to_have_url(f"{site.stack.url}/?from=2026-11-02&to=2026-11-08")
    expect(page.locator("#range-menu > summary")).to_contain_text("2 Nov")


def test_an_account_of_another_currency_brings_its_own_line(site, open_page):
    site.fill(seed.CURRENCIES)
    page = open_page("/")
    expect(page.locator(".kpi-line")).to_have_count(4)
    page.locator("#account-menu > summary").click()
    page.get_by_role("link", name=re.compile("Kumo KK")).click()
    expect(page).to_have_url(re.compile(r"\?account=\d+$"))
    expect(page.locator(".kpi-line")).to_have_count(1)
    expect(page.locator("[data-kpi=spend] .kpi-value")).to_contain_text("JP¥")


def test_amounts_of_two_currencies_are_never_added(site, open_page):
    site.fill(seed.CURRENCIES)
    page = open_page("/campaigns")
    expect(page.locator("tfoot tr")).to_have_count(1)
    assert all("€" in cell for cell in page.locator("tbody tr:not(.more) td:nth-child(3)").all_inner_texts())
    page.get_by_role("button", name="USD").click()
    expect(page).to_have_url(f"{site.stack.url}/campaigns?currency=USD")
    expect(page.locator("tbody td.name a")).to_have_text(["Brand · US"])
    assert "US$" in page.locator("tfoot").inner_text()


def test_a_kpi_chooses_what_the_chart_shows_and_keeps_the_focus(site, open_page):
    site.fill(seed.SHOP)
    page = open_page("/")
    page.locator("[data-kpi=roas]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="ROAS per day")).to_be_visible()
    expect(page).to_have_url(f"{site.stack.url}/?metric=roas")
    expect(page.locator("[data-kpi=roas]")).to_be_focused()
    expect(page.locator("[data-kpi=roas]")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("img", name=re.compile("^ROAS per day, 23 Oct"))).to_be_visible()


def test_sorting_turns_round_and_says_so(site, open_page):
    site.fill(seed.SHOP)
    page = open_page("/campaigns")
    head = page.locator("th", has=page.get_by_role("button", name="ROAS"))
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(f"{site.stack.url}/campaigns?sort=roas")
    downwards = names(page)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(head.get_by_role("button")).to_be_focused()
    assert names(page) == downwards[::-1]


def test_the_filter_works_while_it_is_typed_and_keeps_the_text(site, open_page):
    site.fill(seed.SHOP)
    page = open_page("/campaigns?range=7d")
    box = page.get_by_role("searchbox")
    box.press_sequentially("black fri", delay=40)
    expect(page.locator("tbody td.name a")).to_have_text(["Black Friday · Prospecting"])
    expect(page).to_have_url(f"{site.stack.url}/campaigns?range=7d&q=black+fri")
    expect(box).to_be_focused()
    expect(box).to_have_value("black fri")
    box.fill("100%_' or true --")
    expect(page.get_by_text("Nothing has “100%_' or true --” in its name.")).to_be_visible()
    page.get_by_role("link", name="Clear the filter").click()
    expect(page.locator("tbody td.name a")).to_have_count(9)


def test_ten_thousand_campaigns_are_paged_and_sorted_quickly(site, open_page):
    site.fill(seed.TEN_THOUSAND)
    page = open_page("/campaigns")
    expect(page.get_by_text("1 to 50 of 10,000")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("51 to 100 of 10,000")).to_be_visible()
    page.get_by_role("button", name="Campaign").click()
    expect(page.locator("tbody td.name a").nth(1)).to_have_text("Campaign 00002 · Prospecting", timeout=2_000)
    expect(page).to_have_url(f"{site.stack.url}/campaigns?sort=name&dir=asc")


def test_names_of_a_platform_are_text_and_never_markup(site, open_page):
    site.fill(seed.TEN_THOUSAND)
    page = open_page("/campaigns")
    expect(page.locator("tbody td.name a").first).to_contain_text("<script>alert(1)</script>")
    assert page.locator("tbody script").count() == 0


def test_a_campaign_leads_to_its_ad_sets_and_these_to_their_ads(site, open_page):
    _google, meta, _tiktok = site.fill(seed.SHOP)
    page = open_page("/campaigns?range=7d")
    page.get_by_role("link", name="Black Friday · Prospecting").click()
    expect(page).to_have_url(f"{site.stack.url}/campaigns/{meta}/120700000?range=7d")
    expect(page.get_by_role("heading", name="Black Friday · Prospecting")).to_be_visible()
    expect(page.locator("tbody td.name a")).to_have_count(4)
    page.get_by_role("link", name="Audience 2 · Black Friday · Prospecting").click()
    expect(page.locator("tbody td.name b")).to_have_text(["Creative 1", "Creative 2", "Creative 3"])
    page.get_by_role("link", name="Black Friday · Prospecting", exact=True).click()
    expect(page).to_have_url(f"{site.stack.url}/campaigns/{meta}/120700000?range=7d")
    page.get_by_label("Where you are").get_by_role("link", name="Campaigns").click()
    expect(page).to_have_url(f"{site.stack.url}/campaigns?range=7d")


@pytest.mark.parametrize("path", ["/campaigns/{meta}/no-such-campaign", "/campaigns/999999/120700000"])
def test_what_is_not_there_says_so(site, open_page, path):
    meta = site.fill(seed.SHOP)[1]
    page = open_page(path.format(meta=meta))
    expect(page.get_by_role("heading", name="This is not here")).to_be_visible()


@pytest.mark.parametrize("query", ["range=x", "account=7x", "page=-1", "sort=;", "from=1&to=2", "account=123456"])
def test_a_senseless_address_shows_the_default_with_a_note(site, open_page, query):
    site.fill(seed.SHOP)
    page = open_page(f"/campaigns?{query}")
    expect(page.locator("tbody td.name a")).to_have_count(9)
    expect(page.get_by_role("status")).to_have_count(1)


def test_on_the_phone_a_row_unfolds_to_the_rest(site, open_page):
    site.fill(seed.SHOP)
    page = open_page("/campaigns", viewport=PHONE, has_touch=True)
    button = page.locator("tbody button[aria-expanded]").first
    expect(page.locator("tr.more").first).to_be_hidden()
    button.tap()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.locator("tr.more").first).to_contain_text("Budget today")
    button.tap()
    expect(page.locator("tr.more").first).to_be_hidden()


def test_a_chosen_theme_is_kept(site, open_page):
    site.fill(seed.SHOP)
    page = open_page("/", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#user-menu > summary").click()
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    page.wait_for_selector("table")
    assert page.evaluate(ground) == dark
    page.locator("#user-menu > summary").click()
    page.get_by_role("button", name="System").click()
    assert page.evaluate(ground) == light


def test_logging_out_ends_the_session_in_every_tab(site, browser):
    site.fill(seed.SHOP)
    context = site.context()
    page = context.new_page()
    site.log_in(page)
    other = context.new_page()
    other.goto(f"{site.stack.url}/campaigns")
    other.wait_for_selector("table")
    page.locator("#user-menu > summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{site.stack.url}/login")
    expect(other).to_have_url(f"{site.stack.url}/login?next=%2Fcampaigns")  # nobody touched it: an event told it
    other.goto(f"{site.stack.url}/campaigns")
    expect(other).to_have_url(f"{site.stack.url}/login?next=%2Fcampaigns")
    context.close()


def test_a_member_sees_only_the_accounts_of_their_membership(site, open_page):
    google, meta, _tiktok = site.fill(seed.SHOP)
    _limit_owner(site, str(meta))
    try:
        page = open_page("/campaigns", quiet=False)  # the dashboard goes away under it at the end
        expect(page.locator("tbody td.name a")).to_have_count(3)
        page.goto(f"{site.stack.url}/campaigns/{google}/844100000")
        expect(page.get_by_role("heading", name="This is not here")).to_be_visible()
    finally:
        _limit_owner(site, "*")


def _limit_owner(site, scope):
    with psycopg.connect(site.admin_url) as connection:
        connection.execute("update memberships set account_scope = %s", (scope,))
    site.stack.kill_and_wait("dashboard")  # it believes a session for a moment
