"""The pages of profile and security: a proof in place, the second factor, other browsers thrown out."""

import io
import re
import time

import pyotp
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.ui.conftest import SCREENSHOTS
from tests.ui.settings_rig import PASSWORD, agree, is_thrown_out, mailbox, people, prove, says, settled

__all__ = ["mailbox", "people"]

SECURITY, PROFILE = "/settings/security", "/settings/profile"


def session_of(page, device):
    return page.locator("#sessions li").filter(has_text=device)


def test_other_browsers_are_ended_one_or_all_and_thrown_out_at_once(people):
    ana = people.make("Ana")
    here = people.open(ana, SECURITY)
    there = people.open(ana, PROFILE, device="Safari 19 on iPhone")
    others = [people.open(ana, PROFILE, device=f"Tablet {number}") for number in range(2)]
    here.reload()
    settled(here)
    expect(session_of(here, "Firefox 140 on Linux")).to_contain_text("this browser")
    expect(session_of(here, "Safari 19 on iPhone")).to_contain_text("Berlin, Germany · 203.0.113.7")

    session_of(here, "Safari 19 on iPhone").get_by_role("button", name="End").click()

    says(here, "The session has ended.")
    is_thrown_out(there)
    expect(session_of(here, "Safari 19 on iPhone")).to_have_count(0)
    there.goto(f"{people.site.stack.url}{PROFILE}")
    is_thrown_out(there)

    here.get_by_role("button", name="End all others").click()
    agree(here)

    says(here, "2 other sessions have ended.")
    for other in others:
        is_thrown_out(other)
    expect(here.locator("#sessions li")).to_have_count(1)


def test_the_proof_is_asked_for_in_place_and_the_page_goes_on(people):
    ana = people.make("Ana")
    people.session(ana, "Old Tablet")
    here = people.open(ana, SECURITY)
    second = people.open(ana, SECURITY, device="Other")
    people.make_stale(ana)
    here.evaluate("window.stayed = true")

    session_of(here, "Old Tablet").get_by_role("button", name="End").click()
    prove(here, "not the password")
    expect(here.locator("dialog#step-up").get_by_text("That is not your password.")).to_be_visible()
    prove(here)

    says(here, "The session has ended.")
    expect(here.locator("dialog#step-up")).to_be_hidden()
    expect(session_of(here, "Old Tablet")).to_have_count(0)
    # The token is another one, and the tab goes on with it.
    session_of(here, "Other").get_by_role("button", name="End").click()
    is_thrown_out(second)
    assert here.evaluate("window.stayed")
    # Logging out by this page works too: its form knows the new token.
    here.locator("#user-menu > summary").click()
    here.get_by_role("button", name="Log out").click()
    is_thrown_out(here)


def test_what_was_typed_outlives_the_proof_and_its_refusal(people, mailbox):
    ana = people.make("Ana")
    page = people.open(ana, PROFILE)
    people.make_stale(ana)
    new = f"new-{ana.email}"
    page.get_by_label("New address").fill(new)
    page.get_by_role("button", name="Change the address").click()
    page.locator("dialog#step-up").get_by_role("button", name="Cancel").click()
    expect(page.get_by_label("New address")).to_have_value(new)

    page.get_by_role("button", name="Change the address").click()
    prove(page)
    says(page, re.compile(f"A mail to {re.escape(new)} is on its way"))
    page.goto(mailbox(new))
    page.get_by_role("button", name="Confirm the address").click()
    page.get_by_role("heading", name="The address is confirmed").wait_for()
    page.goto(f"{people.site.stack.url}{PROFILE}")
    expect(page.locator(".line").filter(has_text=new)).to_contain_text("confirmed")


def test_the_second_factor_from_the_image_to_a_recovery_code_and_off_again(people):
    ana = people.make("Ana")
    elsewhere = people.open(ana, PROFILE, device="Old Tablet")
    page = people.open(ana, SECURITY)
    secret = enrol(page, ana)
    is_thrown_out(elsewhere)
    codes = page.locator("#recovery-codes code").all_inner_texts()
    assert len(set(codes)) == 10
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.path().read_text().split("\n")[:-1] == codes
    page.keyboard.press("Escape")
    expect(page.locator("dialog#sheet")).to_be_visible()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.locator("#recovery-codes")).to_have_count(0)
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()
    assert codes[0] not in page.content()

    log_in_with(people, ana, codes[0])

    page.reload()
    settled(page)
    expect(page.get_by_text("9 recovery codes are left.")).to_be_visible()
    people.make_stale(ana)
    page.get_by_role("button", name="New recovery codes").click()
    agree(page)
    prove(page, code=codes[1])
    expect(page.locator("#recovery-codes code")).to_have_count(10)
    assert codes[2] not in page.locator("#recovery-codes").inner_text()
    page.get_by_role("button", name="I have kept them").click()
    page.get_by_role("button", name="Turn it off").click()
    agree(page)
    says(page, "Your second factor is off.")
    expect(page.get_by_role("button", name="Set up a second factor")).to_be_visible()
    assert secret not in page.content()


def enrol(page, who):
    """Scan the image with a camera of sorts; the secret."""
    page.get_by_role("button", name="Set up a second factor").click()
    expect(page.get_by_role("img", name="Image to scan")).to_be_visible()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "settings-enrol.png")
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.locator("dialog .qr").screenshot())))
    secret = page.locator("dialog .enrol code").inner_text().replace(" ", "")
    assert found.text == f"otpauth://totp/Adloom:{who.email.replace('@', '%40')}?secret={secret}&issuer=Adloom"
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator("dialog#sheet").get_by_role("alert").first).to_be_visible()
    assert page.locator("dialog .enrol code").inner_text().replace(" ", "") == secret, "the image stays"
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).at(int(time.time())))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    return secret


def log_in_with(people, who, recovery_code):
    context = people.site.context()
    page = context.new_page()
    page.goto(f"{people.site.stack.url}/login")
    page.get_by_label("E-mail").fill(who.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/login/code**")
    page.get_by_label("Code").fill(recovery_code)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"{people.site.stack.url}/")
    context.close()


def test_a_password_is_changed_and_what_is_wrong_stands_at_the_field(people):
    ana = people.make("Ana")
    elsewhere = people.open(ana, PROFILE, device="Old Tablet")
    page = people.open(ana, PROFILE)
    form = page.locator("form[action$='/password']")
    form.get_by_label("Present password").fill("not the password")
    form.get_by_label("New password").fill("qwerty123456")
    form.get_by_role("button").click()
    expect(form.get_by_text("That is not your password.")).to_be_visible()
    expect(form.get_by_label("Present password")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Present password").fill(PASSWORD)
    form.get_by_role("button").click()
    expect(form.get_by_text("first that anybody tries")).to_be_visible()
    expect(form.get_by_label("Present password")).to_have_value(PASSWORD)
    form.get_by_label("New password").fill("another long enough sentence")
    form.get_by_role("button").click()
    says(page, "Your password is changed. Your other sessions have ended.")
    is_thrown_out(elsewhere)
    expect(form.get_by_label("New password")).to_have_value("")
    page.get_by_label("Your name").fill("Ana Maria")
    page.get_by_role("button", name="Save").click()
    says(page, "Your name is changed.")
    expect(page.locator("#user-menu")).to_contain_text("Ana Maria")


def test_an_identity_of_a_provider_is_linked_and_unlinked(people):
    with people.admin() as connection:
        connection.execute("delete from sso_identities")
    ana = people.make("Ana")
    page = people.open(ana, SECURITY)
    page.get_by_role("button", name="Link Sandbox ID", exact=True).click()
    page.get_by_role("button", name="Nora Newman").click()
    page.wait_for_url(re.compile(SECURITY))
    settled(page)
    way = page.locator(".rows li").filter(has_text="Sandbox ID")
    expect(way).to_contain_text("nora@adloom.local")
    way.get_by_role("button", name="Unlink").click()
    agree(page)
    says(page, "The identity is unlinked: it does not log you in any more.")
    expect(way).to_contain_text("not linked")


def test_the_language_is_chosen_and_another_organisation_gone_to(people):
    ana = people.make("Ana")
    other = people.organisation("Südwind & Söhne")
    with people.admin() as connection:
        values = (other, ana.user_id)
        connection.execute("insert into memberships (org_id, user_id, role) values (%s, %s, 'viewer')", values)
    page = people.open(ana, PROFILE)
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Use this language").click()
    expect(page.get_by_role("heading", name="Profil", exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")

    page.locator("tr").filter(has_text="Südwind & Söhne").get_by_role("button", name="Wechseln").click()

    # To the overview, or to this page again where the end of the old token is heard before the form's answer.
    expect(page.locator("#user-menu")).to_contain_text("Südwind & Söhne", timeout=20_000)


def test_while_auth_is_away_the_page_says_so_and_nothing_typed_is_lost(people):
    ana = people.make("Ana")
    page = people.open(ana, PROFILE)
    page.get_by_label("Your name").fill("Ana Maria")
    with people.site.stack.without("auth"):
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert").filter(has_text="Nothing was lost")).to_be_visible()
        expect(page.get_by_label("Your name")).to_have_value("Ana Maria")
    page.get_by_role("button", name="Save").click()
    says(page, "Your name is changed.")
