"""The very first page of an installation: whoever has the operator key makes the organisation and its owner."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from infra.local.stack import Stack
from tests.ui.conftest import DESKTOP, shot

PARTS = ("dashboard", "auth", "caddy")
# With an app at the platform there is no sandbox, and no demo's owner.
APP = {"ADLOOM_META_APP_ID": "123456789012345", "ADLOOM_META_APP_SECRET": "no secret of anybody's"}
PASSWORD = "a long enough sentence"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Dashboard and auth, beside no sandbox, that nobody has used yet."""
    with Stack(tmp_path_factory.mktemp("fresh") / "home", parts=PARTS, settings=APP) as stack:
        yield stack


def test_the_owner_sets_up_the_installation_and_the_second_factor(fresh: Stack, browser: Browser) -> None:
    context = browser.new_context(viewport=DESKTOP, locale="en-GB")
    page = context.new_page()
    page.goto(fresh.url)
    expect(page.get_by_role("heading", name="Set up Adloom")).to_be_visible()
    page.get_by_label("Operator key").fill("not the key")
    page.get_by_label("Organisation").fill("Nordlicht")
    page.get_by_label("Your name").fill("Olga Owner")
    page.get_by_label("E-mail").fill("olga@example.com")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the operator key.")
    expect(page.get_by_label("Organisation")).to_have_value("Nordlicht")
    shot(page, "setup")
    page.get_by_label("Operator key").fill(str(fresh.secret("cli", "operator-key")))
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()

    # It is the log-in that comes next, and for an owner the second factor.
    page.wait_for_url(f"{fresh.url}/login")
    page.get_by_label("E-mail").fill("olga@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/login/enrol**")
    secret = page.locator(".enrol code").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(int(time.time())))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url(f"{fresh.url}/")
    page.goto(f"{fresh.url}/settings/security")
    # Nobody is exempt here.
    expect(page.get_by_role("button", name="New recovery codes")).to_be_visible()
    expect(page.get_by_role("button", name="Turn it off")).to_have_count(0)
    # The door is shut.
    page.goto(f"{fresh.url}/setup")
    page.wait_for_url(f"{fresh.url}/")
    context.close()
