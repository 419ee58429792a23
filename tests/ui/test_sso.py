"""People come in by a provider: a new one as a viewer, an owner with the second factor, the others not at all."""

import time
from urllib.parse import urlsplit

import httpx
import psycopg
import pyotp
import pytest

from infra.local.stack import Stack
from tests.ui.conftest import PHONE, Site, shot

PASSWORD = "a long enough sentence"
BUTTON = "Continue with Sandbox ID"


@pytest.fixture(scope="module")
def site(tmp_path_factory, browser):
    """A stack of its own: new people need no more than one organisation to come into."""
    with Stack(
        tmp_path_factory.mktemp("sso") / "home", parts=["dashboard", "first-login", "connector", "sandbox"]
    ) as stack:
        yield Site(stack, browser)


@pytest.fixture(autouse=True)
def nobody_yet(site):
    """All browsers here have one address, and its attempts are few; the made-up people are new."""
    with psycopg.connect(site.admin_url, autocommit=True) as connection:
        connection.execute("delete from rate_limits")
        connection.execute("delete from sso_identities")
        connection.execute("update users set email = user_id || '@gone.example' where email = 'nora@adloom.local'")


def call(site, method, path, body=None, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{site.stack.url}/function/auth{path}"
    answer = httpx.request(method, url, json=body, headers=headers, trust_env=False, timeout=20)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def go_to_provider(site, page, path="/login"):
    page.goto(site.stack.url + path)
    page.get_by_role("button", name=BUTTON).click()
    page.get_by_role("heading", name="Who are you?").wait_for()


def choose(page, name):
    page.get_by_role("button", name=name).click()


def test_somebody_new_comes_in_by_the_sandbox_as_a_viewer(site):
    context = site.context()
    page = context.new_page()
    go_to_provider(site, page, "/login?next=%2Fcampaigns")
    assert urlsplit(page.url).hostname == "localhost", "a site of its own, as every provider is"
    choose(page, "Nora Newman")
    page.wait_for_url(f"{site.stack.url}/campaigns**")
    session = next(cookie for cookie in context.cookies() if cookie["name"] == "adloom_session")
    now = call(site, "GET", "/session", token=session["value"])
    assert (now["user"]["email"], now["role"]) == ("nora@adloom.local", "viewer")
    context.close()


def test_an_owner_links_an_identity_logs_out_and_comes_in_with_the_second_factor(site):
    email, secret = new_owner(site)
    context = site.context()
    page = context.new_page()
    page.goto(f"{site.stack.url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    give_code(site, page, secret)
    link(site, context, page)

    page.goto(site.stack.url)
    page.evaluate("document.querySelector('form[action=\"/logout\"]').requestSubmit()")
    page.wait_for_url("**/login")
    go_to_provider(site, page)
    choose(page, "Nora Newman")
    page.wait_for_url("**/login/code")
    give_code(site, page, secret, steps=1)
    session = next(cookie for cookie in context.cookies() if cookie["name"] == "adloom_session")
    now = call(site, "GET", "/session", token=session["value"])
    assert (now["user"]["email"], now["role"]) == (email, "owner")
    context.close()


def new_owner(site):
    """Somebody with a second factor, who has accepted an invitation."""
    operator = site.stack.secret("cli", "operator-key")
    email = f"olga-{time.time_ns()}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "Olga Owner", "role": "owner"}
    call(site, "POST", "/users", body, operator)
    challenge = call(site, "POST", "/login", {"email": email, "password": PASSWORD})["challenge"]
    secret = call(site, "POST", "/login/enrol", {"challenge": challenge})["secret"]
    code = pyotp.TOTP(secret).at(int(time.time()) - 30)
    call(site, "POST", "/login/enrol/confirm", {"challenge": challenge, "code": code})
    return email, secret


def give_code(site, page, secret, steps=0):
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(int(time.time()) + 30 * steps))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site.stack.url}/")


def link(site, context, page):
    """As the page of security does it: with the session and the cookie of this browser."""
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies(site.stack.url)}
    body = {"provider": "sandbox", "browser": cookies["adloom_browser"]}
    page.goto(call(site, "POST", "/sso/link", body, cookies["adloom_session"])["authorize_url"])
    choose(page, "Nora Newman")
    page.wait_for_url(f"{site.stack.url}/settings/security**")


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ("Olive Owner", "There is an account of your address here already"),
        ("Greta Guest", "Nobody here is linked with this identity"),
        ("Dan Doubt", "does not say that your e-mail address is yours"),
        ("Cancel", "You did not agree at the provider"),
    ],
)
def test_whoever_may_not_come_in_is_told_why(site, person, why):
    context = site.context()
    page = context.new_page()
    go_to_provider(site, page)
    choose(page, person)
    page.get_by_role("heading", name="That log-in did not work").wait_for()
    assert why in page.get_by_role("alert").inner_text()
    assert "adloom_session" not in {cookie["name"] for cookie in context.cookies()}
    page.get_by_role("link", name="Back to the log-in").click()
    page.get_by_role("button", name=BUTTON).wait_for()
    context.close()


def test_the_way_back_never_leads_to_another_site_nor_shows_a_token(site):
    """Whatever was noted as the page to go to."""
    browser = "b" * 43
    body = {"provider": "sandbox", "browser": browser, "target": "//evil.example/x"}
    url = call(site, "POST", "/sso/start", body)["authorize_url"]
    with httpx.Client(trust_env=False) as client:
        sent = client.post(url, data={**httpx.URL(url).params, "person": "nora"})
        brought = httpx.URL(sent.headers["location"]).params
        stranger = client.get(f"{site.stack.url}/sso/callback/sandbox", params=brought)
        assert stranger.status_code == 409, "it has no cookie"
        cookies = {"Cookie": f"adloom_browser={browser}"}
        look = client.head(f"{site.stack.url}/sso/callback/sandbox", params=brought, headers=cookies)
        assert look.status_code == 405, "a look uses nothing up"
        page = client.get(f"{site.stack.url}/sso/callback/sandbox", params=brought, headers=cookies)
    assert 'http-equiv="refresh" content="0;url=/"' in page.text
    assert "evil" not in page.text
    session = next(value for value in page.headers.get_list("set-cookie") if value.startswith("adloom_session="))
    assert "HttpOnly" in session
    assert "adl_s_" not in page.text


@pytest.mark.parametrize(
    ("given", "status"), [({}, 403), ({"provider": "sandbox", "form_token": "x"}, 403), ({"provider": "none"}, 403)]
)
def test_no_other_page_begins_a_log_in(site, given, status):
    origin = {"Origin": site.stack.url}
    answer = httpx.post(f"{site.stack.url}/sso/start", data=given, headers=origin, trust_env=False)
    assert answer.status_code == status
    assert "refresh" not in answer.text


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("light", {"color_scheme": "light"}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": PHONE, "color_scheme": "light"}),
        ("german-phone", {"viewport": PHONE, "color_scheme": "dark", "locale": "de-DE"}),
    ],
)
def test_the_pages_look_as_they_should(site, inspect, kind, options):
    context = site.context(**options)
    page = context.new_page()
    page.goto(f"{site.stack.url}/login")
    inspect(page, f"sso-login-{kind}")
    page.locator(".login-sso button").click()
    page.get_by_role("heading", name="Who are you?").wait_for()
    shot(page, f"sso-provider-{kind}")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    choose(page, "Greta Guest")
    page.get_by_role("alert").wait_for()
    inspect(page, f"sso-refused-{kind}")
    context.close()
