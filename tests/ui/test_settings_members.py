"""The pages of members: invite, change, remove; and nobody sees members of another organisation."""

import re

import httpx
from playwright.sync_api import expect

from tests.ui.settings_rig import PASSWORD, agree, is_thrown_out, mailbox, people, prove, says, settled

__all__ = ["mailbox", "people"]

MEMBERS = "/settings/members"


def row(page, words):
    return page.locator("tr").filter(has_text=words)


def test_somebody_is_invited_chooses_a_password_and_is_a_member(people, mailbox):
    boss = people.make("Bea Boss", "admin")
    page = people.open(boss, MEMBERS)
    email = f"ida-{boss.user_id.hex[:6]}@example.com"
    page.get_by_text("Invite somebody").click()
    form = page.locator("#invite form")
    form.get_by_label("E-mail").fill(boss.email)
    form.get_by_label("Role").select_option("editor")
    form.get_by_role("button", name="Invite").click()
    expect(form.get_by_text("This address belongs to a member already.")).to_be_visible()
    expect(form.get_by_label("Role")).to_have_value("editor")
    form.get_by_label("E-mail").fill(email)
    people.make_stale(boss)
    form.get_by_role("button", name="Invite").click()
    prove(page)
    says(page, f"A mail to {email} is on its way.")
    expect(row(page, email)).to_contain_text("Editor")

    guest = people.site.context().new_page()
    people.pages.append(guest)
    guest.goto(mailbox(email))
    guest.get_by_label("Your name").fill("Ida Invited")
    guest.get_by_label("New password").fill(PASSWORD)
    guest.get_by_role("button", name="Join").click()
    guest.get_by_role("heading", name="Welcome to Adloom").wait_for()
    guest.get_by_role("link", name="Log in").click()
    guest.get_by_label("E-mail").fill(email)
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Log in", exact=True).click()
    guest.wait_for_url(f"{people.site.stack.url}/")
    page.reload()
    settled(page)
    expect(row(page, "Ida Invited")).to_contain_text("just now")
    expect(page.get_by_role("button", name=f"Withdraw {email}")).to_have_count(0)


def test_an_invitation_is_mailed_again_and_withdrawn(people, mailbox):
    boss = people.make("Bea Boss", "admin")
    page = people.open(boss, MEMBERS)
    email = f"eve-{boss.user_id.hex[:6]}@example.com"
    page.get_by_text("Invite somebody").click()
    page.locator("#invite form").get_by_label("E-mail").fill(email)
    page.locator("#invite form").get_by_role("button", name="Invite").click()
    first = mailbox(email)
    withdraw = page.locator("form[action$=withdraw]").filter(has_text=email)
    before = withdraw.get_attribute("action")
    page.get_by_role("button", name=f"Mail again {email}").click()
    # It is another invitation, which the list shows by itself.
    expect(withdraw).not_to_have_attribute("action", str(before))
    page.get_by_role("button", name=f"Withdraw {email}").click()
    says(page, re.compile("The invitation is withdrawn"))
    expect(row(page, email)).to_have_count(0)
    page.goto(first)
    page.get_by_role("heading", name="This link does not work any more").wait_for()


def test_a_member_gets_another_role_is_thrown_out_and_removed(people):
    boss, vera = people.make("Bea Boss", "admin"), people.make("Vera Viewer")
    there = people.open(vera, "/settings/profile")
    page = people.open(boss, MEMBERS)
    page.get_by_label("Filter members").fill("vera v")
    page.get_by_role("link", name="Vera Viewer").first.click()
    expect(page.get_by_role("heading", name="Vera Viewer")).to_be_visible()
    settled(page)
    page.goto(f"{people.site.stack.url}{MEMBERS}/{vera.user_id}")
    settled(page)
    page.get_by_label("Role").select_option("approver")
    page.get_by_role("button", name="Save").click()
    says(page, "Saved. Vera Viewer has to log in again.")
    is_thrown_out(there)
    expect(page.locator(".facts")).to_contain_text("Approver")

    there = people.open(vera, "/settings/profile")
    page.get_by_role("button", name="Remove from the organisation").click()
    page.locator("dialog#sure").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Remove from the organisation")).to_be_visible()
    page.get_by_role("button", name="Remove from the organisation").click()
    agree(page)
    page.wait_for_url(re.compile(MEMBERS + "$"))
    is_thrown_out(there)
    page.get_by_label("Filter members").fill(vera.email)
    expect(page.get_by_text(f"Nothing has “{vera.email}” in its name.")).to_be_visible()


def test_a_lost_second_factor_is_taken_away_and_sessions_are_ended(people):
    boss, vera = people.make("Bea Boss", "admin"), people.make("Vera Viewer")
    with people.admin() as connection:
        values = (vera.user_id, vera.org_id)
        connection.execute(
            "insert into authenticators (user_id, org_id, secret, confirmed_at) values (%s, %s, 'x', now())", values
        )
    there = people.open(vera, "/settings/profile")
    page = people.open(boss, f"{MEMBERS}/{vera.user_id}")
    page.get_by_role("button", name="End all sessions").click()
    agree(page)
    says(page, "1 session has ended.")
    is_thrown_out(there)
    page.get_by_role("button", name="Take the second factor away").click()
    agree(page)
    says(page, "The second factor is taken away, and all sessions have ended.")
    expect(page.get_by_role("button", name="Take the second factor away")).to_have_count(0)


def test_a_member_of_another_organisation_is_not_here(people):
    boss = people.make("Bea Boss", "owner")
    stranger = people.make("Stella Stranger", org_id=people.organisation("Elsewhere"))
    page = people.open(boss, f"{MEMBERS}/{stranger.user_id}")
    expect(page.get_by_role("heading", name="This is not here")).to_be_visible()
    assert "Stella" not in page.content()
    # Its forms find nobody either.
    token = page.locator("#form-token").get_attribute("value")
    for deed in ("change", "remove", "end-sessions", "reset-factor"):
        answer = page.request.post(
            f"{people.site.stack.url}{MEMBERS}/{stranger.user_id}/{deed}",
            form={"form_token": token, "role": "viewer", "scope": "all"},
            headers={"Origin": people.site.stack.url},
        )
        assert (answer.status, answer.json()["problem"]) == (404, "That is not there any more. Reload the page.")
    with people.admin() as connection:
        query = "select role from memberships where user_id = %s"
        assert connection.execute(query, (stranger.user_id,)).fetchall() == [("viewer",)]


def test_nobody_changes_oneself_and_an_admin_no_owner(people):
    boss, owner = people.make("Bea Boss", "admin"), people.make("Olga Owner", "owner")
    page = people.open(boss, f"{MEMBERS}/{boss.user_id}")
    expect(page.get_by_text("This is you.")).to_be_visible()
    page.goto(f"{people.site.stack.url}{MEMBERS}/{owner.user_id}")
    expect(page.get_by_text("Only an owner changes an owner.")).to_be_visible()
    expect(page.get_by_role("button", name="Remove from the organisation")).to_have_count(0)


def test_who_is_no_administrator_sees_neither_the_pages_nor_their_tabs(people):
    vera = people.make("Vera Viewer", "approver")
    page = people.open(vera, "/settings/profile")
    assert page.locator(".subnav a").all_inner_texts() == ["Profile", "Security"]
    for path in (MEMBERS, f"{MEMBERS}/{vera.user_id}", "/settings/keys", "/settings/audit", "/settings/audit/export"):
        answer = page.goto(people.site.stack.url + path)
        assert answer is not None
        assert answer.status == 403
        expect(page.get_by_role("heading", name="Not for your role")).to_be_visible()


def test_a_narrowed_administrator_gives_only_the_own_accounts(people):
    boss = people.make("Nora Narrow", "admin", scope="1")
    page = people.open(boss, MEMBERS)
    page.get_by_text("Invite somebody").click()
    form = page.locator("#invite form")
    form.get_by_label("E-mail").fill("somebody@example.com")
    form.get_by_role("button", name="Invite").click()
    expect(form.get_by_text("These are accounts that you do not have yourself.")).to_be_visible()
    expect(form.get_by_label("E-mail")).to_have_value("somebody@example.com")


def test_the_set_up_page_is_for_nobody_once_there_is_an_organisation(site):
    answer = httpx.get(f"{site.stack.url}/setup", trust_env=False, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
