"""The page of API keys: made, shown once, used, revoked."""

import re

import httpx
from playwright.sync_api import expect

from tests.ui.settings_rig import agree, people, prove, says

__all__ = ["people"]

KEYS = "/settings/keys"


def test_a_key_is_made_shown_once_works_and_is_revoked(people):
    boss = people.make("Bea Boss", "admin")
    page = people.open(boss, KEYS)
    people.make_stale(boss)
    page.get_by_text("New key").click()
    form = page.locator("#new-key-form form")
    form.get_by_role("textbox", name="Name").fill("Looker Studio")
    form.get_by_role("button", name="Make the key").click()
    prove(page)
    expect(form.get_by_text("Choose at least one.")).to_be_visible()
    expect(form.get_by_role("textbox", name="Name")).to_have_value("Looker Studio")
    form.get_by_label("See members").check()
    form.get_by_label("Requests a minute").fill("60")
    form.get_by_role("button", name="Make the key").click()

    key = page.locator("#new-key").inner_text()
    assert re.fullmatch(r"adl_k_\w{8}_[\w-]{43}", key)
    page.get_by_role("button", name="I have kept it").click()
    expect(page.locator("#new-key")).to_have_count(0)
    assert key not in page.content()
    line = page.locator("tr").filter(has_text="Looker Studio")
    expect(line).to_contain_text("60 a minute")
    expect(line).to_contain_text(f"…{key[-4:]}")
    page.reload()
    expect(line).to_contain_text("Bea Boss")
    assert key not in page.content()

    assert ask(people, key).status_code == 200
    line.get_by_role("button", name="Revoke").click()
    agree(page)
    says(page, "The key is revoked: it does not work any more.")
    expect(line).to_contain_text("revoked")
    assert ask(people, key).status_code == 401


def test_an_organisation_without_keys_is_told_what_they_are_for(people):
    boss = people.make("Bea Boss", "admin", org_id=people.organisation("Fresh"))
    page = people.open(boss, KEYS)
    expect(page.get_by_role("heading", name="No API keys yet")).to_be_visible()


def ask(people, key):
    url = f"{people.site.stack.url}/function/auth/members"
    return httpx.get(url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=20)
