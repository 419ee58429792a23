"""People come in: invited, with a second factor, with a recovery code, after a forgotten password."""

import io
import time

import httpx
import psycopg
import pyotp
import pytest
import zxingcpp
from PIL import Image

from tests.ui.conftest import PHONE, shot
from tests.ui.settings_rig import mailbox

__all__ = ["mailbox"]

PASSWORD = "a long enough sentence"
OTHER = "another long enough sentence"


@pytest.fixture(autouse=True)
def no_attempts_yet(site):
    """All browsers here have one address, and its attempts are few."""
    with psycopg.connect(site.admin_url, autocommit=True) as connection:
        connection.execute("delete from rate_limits")


def call(site, method, path, body=None, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{site.stack.url}/function/auth{path}"
    return httpx.request(method, url, json=body, headers=headers, trust_env=False, timeout=20)


@pytest.fixture(scope="module")
def owner(site):
    """A fresh token of the owner."""
    email, password = site.stack.login
    return call(site, "POST", "/login", {"email": email, "password": password}).json()["token"]


def invited(site, owner, mailbox, email, role):
    assert call(site, "POST", "/invitations", {"email": email, "role": role}, owner).status_code == 201
    return mailbox(email)


def log_in(site, page, email, password=PASSWORD):
    page.goto(f"{site.stack.url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def code_of(secret, steps=0):
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def scan(picture):
    """What a phone's camera reads from a picture."""
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return found.text


def test_an_admin_is_invited_sets_up_the_second_factor_and_gets_in_with_a_recovery_code(site, owner, mailbox):
    email = "ida@example.com"
    link = invited(site, owner, mailbox, email, "admin")
    context = site.context()
    page = context.new_page()
    accept(site, page, link, email)
    codes = enrol(site, page, email)
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url(f"{site.stack.url}/")
    page.goto(link)
    page.get_by_role("heading", name="This link does not work any more").wait_for()
    context.close()
    log_in_with(site, email, codes[0].upper())


def accept(site, page, link, email):
    page.goto(link)
    assert page.url == f"{site.stack.url}/invitation", "the token leaves the address at once"
    page.get_by_text(f"invites {email}").wait_for()
    shot(page, "invitation")
    page.get_by_label("Your name").fill("Ida Boss")
    page.get_by_label("New password").fill("ida boss 123456")
    page.get_by_role("button", name="Join").click()
    assert "without your name" in page.get_by_role("alert").inner_text()
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.get_by_role("heading", name="Welcome to Adloom").wait_for()


def enrol(site, page, email):
    """Set up the second factor that the role asks for; the recovery codes."""
    log_in(site, page, email)
    page.wait_for_url("**/login/enrol")
    assert page.get_by_role("img", name="Image to scan").is_visible()
    secret = page.locator(".enrol code").inner_text().replace(" ", "")
    scanned = scan(page.locator(".qr").screenshot())
    assert scanned == f"otpauth://totp/Adloom:{email.replace('@', '%40')}?secret={secret}&issuer=Adloom"
    shot(page, "enrol")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("alert").wait_for()
    assert page.locator(".enrol code").inner_text().replace(" ", "") == secret, "the image stays"
    page.get_by_label("Code").fill(code_of(secret, -1))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("heading", name="Keep these recovery codes").wait_for()
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    shot(page, "recovery-codes")
    return codes


def log_in_with(site, email, code):
    """Another browser: the password alone opens nothing, the code does."""
    context = site.context()
    page = context.new_page()
    log_in(site, page, email)
    page.wait_for_url("**/login/code")
    shot(page, "code")
    page.goto(f"{site.stack.url}/campaigns")
    page.wait_for_url("**/login?next=**")
    page.goto(f"{site.stack.url}/login/code")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in").click()
    assert "wrong" in page.get_by_role("alert").inner_text()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site.stack.url}/")
    assert "adloom_challenge" not in {cookie["name"] for cookie in context.cookies()}
    context.close()


def test_a_forgotten_password_is_chosen_anew(site, owner, mailbox):
    email = "vera@example.com"
    link = invited(site, owner, mailbox, email, "viewer")
    token = link.partition("token=")[2]
    made = call(site, "POST", "/invitations/accept", {"token": token, "name": "Vera", "password": PASSWORD})
    assert made.status_code == 201
    context = site.context(viewport=PHONE)
    page = context.new_page()
    page.goto(f"{site.stack.url}/login")
    page.get_by_role("link", name="Forgotten your password?").click()
    shot(page, "forgotten-phone")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("heading", name="Look at your mails").wait_for()

    page.goto(mailbox(email, "password"))
    assert page.url == f"{site.stack.url}/reset"
    page.get_by_label("New password").fill("qwerty123456")
    page.get_by_role("button", name="Set the password").click()
    assert "first that anybody tries" in page.get_by_role("alert").inner_text()
    shot(page, "reset-phone")
    page.get_by_label("New password").fill(OTHER)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_role("heading", name="The password is set").wait_for()
    log_in(site, page, email, OTHER)
    page.wait_for_url(f"{site.stack.url}/")
    context.close()


def test_who_has_an_account_joins_after_logging_in(site, owner, mailbox):
    """Already a member elsewhere: the invitation waits behind the log-in."""
    link = invited(site, owner, mailbox, "nobody-yet@example.com", "viewer")
    email, _password = site.stack.login
    context = site.owner()
    page = context.new_page()
    page.goto(link)
    page.get_by_text("invites nobody-yet@example.com").wait_for()
    assert email not in page.content()
    context.close()


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/reset?token=adl_r_x", "Choose a new password"),
        ("/verify?token=adl_v_x", "Confirm your e-mail address"),
        ("/registration?token=adl_n_x", "Finish your registration"),
        ("/invitation?token=adl_i_x", "This link does not work any more"),
        ("/login/code", "Log in"),
        ("/login/enrol", "Log in"),
        ("/setup", "Log in"),
        ("/register", "Register"),
    ],
)
def test_every_door_is_a_page_without_a_session(site, path, heading):
    context = site.context()
    page = context.new_page()
    page.goto(site.stack.url + path)
    page.get_by_role("heading", name=heading).wait_for()
    assert "token=" not in page.url
    context.close()


@pytest.mark.parametrize("path", ["/reset", "/verify", "/registration", "/invitation", "/login/code", "/setup"])
def test_a_door_takes_only_its_own_form(site, path):
    form = {"password": PASSWORD, "code": "123456", "form_token": "x"}
    headers = {"Origin": site.stack.url}
    answer = httpx.post(site.stack.url + path, data=form, headers=headers, trust_env=False)
    assert answer.status_code in (303, 403, 404)
    refused = httpx.post(site.stack.url + path, data=form, headers={"Origin": "https://evil.example"}, trust_env=False)
    assert refused.status_code == 403
