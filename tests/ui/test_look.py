"""Every page in every state, light and dark, on a desk and in a hand. Screenshots land in .adloom/screenshots."""

import psycopg
import pytest
from playwright.sync_api import expect

from tests.ui import seed
from tests.ui.conftest import DESKTOP, PHONE

SIZES = {"desktop": DESKTOP, "phone": PHONE}
PAGES = {"overview": "/", "campaigns": "/campaigns", "data-health": "/data-health"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page_name", PAGES)
def test_a_page_with_numbers(site, open_page, inspect, page_name, size, theme):
    site.fill(seed.SHOP)
    page = open_page(PAGES[page_name], viewport=SIZES[size], color_scheme=theme)
    page.wait_for_selector("table")
    inspect(page, f"{page_name}-{size}-{theme}")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page_name", PAGES)
def test_a_page_with_four_currencies_long_names_and_big_numbers(site, open_page, inspect, page_name, size):
    site.fill(seed.CURRENCIES)
    page = open_page(PAGES[page_name] + "?currency=INR", viewport=SIZES[size])
    page.wait_for_selector("table")
    inspect(page, f"{page_name}-{size}-currencies")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page_name", PAGES)
def test_a_page_where_much_needs_a_person(site, open_page, inspect, page_name, size):
    site.fill(seed.TROUBLED)
    page = open_page(PAGES[page_name], viewport=SIZES[size])
    page.wait_for_selector("table")
    expect(page.locator("[data-trust]")).to_have_attribute("data-trust", "unexplained")
    inspect(page, f"{page_name}-{size}-troubled")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page_name", PAGES)
def test_a_page_before_anything_is_connected(site, open_page, inspect, page_name, size, theme):
    site.fill(())
    page = open_page(PAGES[page_name], viewport=SIZES[size], color_scheme=theme)
    expect(page.get_by_role("heading", name="No ad account is connected yet")).to_be_visible()
    expect(page.get_by_role("button", name="Connect Meta")).to_be_visible()
    inspect(page, f"{page_name}-{size}-{theme}-empty")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_login_page(site, inspect, size, theme):
    context = site.context(viewport=SIZES[size], color_scheme=theme)
    page = context.new_page()
    page.goto(f"{site.stack.url}/login")
    inspect(page, f"login-{size}-{theme}")
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_ten_thousand_campaigns(site, open_page, inspect, size):
    site.fill(seed.TEN_THOUSAND)
    page = open_page("/campaigns?page=2", viewport=SIZES[size])
    expect(page.get_by_text("51 to 100 of 10,000")).to_be_visible()
    inspect(page, f"campaigns-{size}-10000")
    page = open_page("/", viewport=SIZES[size])
    page.wait_for_selector("table")
    inspect(page, f"overview-{size}-10000")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_page_while_the_database_is_away(site, open_page, inspect, size, theme):
    site.fill(seed.SHOP)
    open_page("/")  # whoever is known stays known for a moment
    with site.stack.without("postgres"):
        page = open_page("/", viewport=SIZES[size], color_scheme=theme, quiet=False)
        expect(page.get_by_role("heading", name="The numbers cannot be shown right now")).to_be_visible()
        expect(page.get_by_role("link", name="Try again")).to_be_visible()
        inspect(page, f"overview-{size}-{theme}-error")
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", name="Spend per day")).to_be_visible()


def test_menus_fit_the_phone(site, open_page, inspect):
    site.fill(seed.CURRENCIES)
    page = open_page("/", viewport=PHONE)
    page.wait_for_selector("table")
    for menu in ("account-menu", "range-menu", "user-menu"):
        page.locator(f"#{menu} > summary").click()
        inspect(page, f"overview-phone-{menu}")
        page.keyboard.press("Escape")
        expect(page.locator(f"#{menu} > summary")).to_be_focused()


def test_the_german_overview_fits_the_phone(site, open_page, inspect):
    site.fill(seed.SHOP)
    page = open_page("/", viewport=PHONE, locale="de-DE")
    expect(page.get_by_role("heading", name="Überblick")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    inspect(page, "overview-phone-german")


@pytest.mark.parametrize("size", SIZES)
def test_while_numbers_are_read_the_page_shows_where_they_will_stand(site, open_page, inspect, size):
    site.fill(seed.SHOP)
    with psycopg.connect(site.admin_url) as connection:
        connection.execute("lock table ad_accounts in access exclusive mode")
        page = open_page("/", viewport=SIZES[size], reduced_motion="reduce")
        expect(page.locator(".ghost").first).to_be_visible()
        assert page.locator("table").count() == 0
        inspect(page, f"overview-{size}-loading")
    page.wait_for_selector("table")
    assert page.locator(".ghost").count() == 0
