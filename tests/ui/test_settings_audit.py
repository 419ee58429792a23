"""The page of the audit trail: searched, paged, unfolded, exported."""

import csv
import io
import json

import pytest
from playwright.sync_api import expect

from adloom import audit
from adloom.audit.actor import Actor
from tests.ui.settings_rig import people, settled

__all__ = ["people"]

AUDIT = "/settings/audit"


@pytest.fixture
def boss(people):
    return people.make("Bea Boss", "admin", org_id=people.organisation("Trails"))


def write(people, boss, number, **what):
    actor = Actor(kind="user", id=str(boss.user_id), address="203.0.113.7", agent="Firefox 140")
    for position in range(number):
        said = {"action": "member.role_changed", "target": ("member", boss.user_id)} | what
        new = {"role": "editor", "number": f"n{position}"}
        audit.note(
            people.auth, said.pop("action"), org_id=boss.org_id, actor=actor, old={"role": "viewer"}, new=new, **said
        )


def test_an_event_unfolds_to_who_what_and_what_it_was_before(people, boss):
    write(people, boss, 1)
    page = people.open(boss, AUDIT)
    event = page.locator(".events li").filter(has_text="Changed a member's role").first
    expect(event).to_contain_text("Bea Boss")
    expect(event).to_contain_text("Changed a member's role or accounts")
    expect(event.get_by_text("203.0.113.7")).to_be_hidden()
    event.locator("summary").click()
    expect(event.get_by_text("203.0.113.7")).to_be_visible()
    expect(event.locator("del")).to_have_text("viewer")
    expect(event.locator("ins").first).to_have_text("editor")
    expect(page.locator(".chain")).to_contain_text("event")


def test_the_trail_is_searched_by_action_and_words_and_paged(people, boss):
    write(people, boss, 60)
    write(people, boss, 1, action="key.made", target=("key", "adl_k_looker"))
    page = people.open(boss, AUDIT)
    expect(page.locator(".events li")).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    settled(page)
    expect(page.get_by_text("These are the oldest.")).to_be_visible()
    page.get_by_role("link", name="Newest").click()
    settled(page)
    page.get_by_role("combobox", name="What", exact=True).select_option("key.made")
    page.get_by_role("button", name="Search").click()
    settled(page)
    expect(page.locator(".events li")).to_have_count(1)
    expect(page.get_by_role("combobox", name="What", exact=True)).to_have_value("key.made")
    page.get_by_role("link", name="Clear").click()
    settled(page)
    page.get_by_label("Words").fill("n42")
    page.get_by_role("combobox", name="Who", exact=True).select_option(str(boss.user_id))
    page.get_by_role("button", name="Search").click()
    settled(page)
    expect(page.locator(".events li")).to_have_count(1)
    page.get_by_label("To (UTC)").fill("2020-01-01")
    page.get_by_role("button", name="Search").click()
    settled(page)
    expect(page.get_by_text("Nothing fits this search.")).to_be_visible()


def test_what_was_found_is_exported_as_csv_and_as_json_lines(people, boss):
    write(people, boss, 3)
    write(people, boss, 1, action="key.made", target=("key", "adl_k_looker"))
    page = people.open(boss, f"{AUDIT}?action=member.role_changed")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "audit.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert [row["action"] for row in rows] == ["member.role_changed"] * 3
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON lines").click()
    lines = [json.loads(line) for line in download.value.path().read_text(encoding="utf-8").splitlines()]
    assert [line["action"] for line in lines] == ["member.role_changed"] * 3
    assert lines[0]["new"]["number"] == "n2"


def test_the_trail_of_another_organisation_is_not_seen(people, boss):
    write(people, boss, 1)
    other = people.make("Olga", "owner", org_id=people.organisation("Elsewhere"))
    page = people.open(other, f"{AUDIT}?actor={boss.user_id}")
    expect(page.get_by_text("Nothing fits this search.")).to_be_visible()
    assert "Bea Boss" not in page.content()
