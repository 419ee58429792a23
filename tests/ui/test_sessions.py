"""Sessions in the browser: an open tab whose session ends elsewhere is out at once; a password before changes."""

import re
import uuid

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from tests.ui import seed


@pytest.fixture
def site(site):
    site.fill(seed.SHOP)
    with psycopg.connect(site.admin_url, autocommit=True) as connection:
        connection.execute("delete from rate_limits")
    return site


def logged_in(site):
    """A browser of its own with a session of its own: the page, and the session's token."""
    context = site.context()
    page = context.new_page()
    site.log_in(page)
    page.wait_for_selector("[data-kpi=spend]")
    [token] = [cookie["value"] for cookie in context.cookies() if cookie["name"] == "adloom_session"]
    return page, token


def auth(site, method, path, token, body=None):
    """Another program of the same person: `auth` through the front door."""
    answer = httpx.request(
        method,
        f"{site.stack.url}/function/auth{path}",
        json=body,
        # The operator says which organisation is meant; a session has its own.
        headers={"Authorization": f"Bearer {token}", "X-Adloom-Org": str(site.organisation)},
        trust_env=False,
        timeout=20,
    )
    answer.raise_for_status()
    return answer.json() if answer.content else None


def test_a_session_that_is_ended_elsewhere_throws_its_open_tab_out_at_once(site):
    page, token = logged_in(site)
    other, other_token = logged_in(site)
    [this] = [one for one in auth(site, "GET", "/sessions", token)["sessions"] if one["current"]]

    auth(site, "DELETE", f"/sessions/{this['session_id']}", other_token)

    # No click, no reload: the event finds the tab.
    page.wait_for_url(re.compile(r"/login"), timeout=5_000)
    assert page.locator("[data-kpi=spend]").count() == 0
    page.goto(f"{site.stack.url}/campaigns")
    expect(page).to_have_url(re.compile(r"/login"))
    expect(other.locator("[data-kpi=spend]")).to_be_visible()
    page.context.close()
    other.context.close()


def test_all_others_are_thrown_out_and_the_one_that_did_it_stays(site):
    tabs = [logged_in(site) for _ in range(2)]
    stays, token = logged_in(site)

    auth(site, "DELETE", "/sessions", token)

    for page, _token in tabs:
        page.wait_for_url(re.compile(r"/login"), timeout=5_000)
    expect(stays.locator("[data-kpi=spend]")).to_be_visible()
    stays.reload()
    expect(stays.locator("[data-kpi=spend]")).to_be_visible()
    for page, _token in [*tabs, (stays, token)]:
        page.context.close()
    site.cookie = {}


def test_a_member_whose_role_changes_is_thrown_out(site):
    page, token = logged_in(site)
    person = auth(site, "GET", "/session", token)["user"]["user_id"]
    owners = uuid.uuid4()
    with psycopg.connect(site.admin_url, autocommit=True) as connection:
        # A second owner, so that the first may be changed.
        values = (owners, site.organisation, f"second-{owners}@example.com")
        connection.execute("insert into users (user_id, org_id, email, name) values (%s, %s, %s, 'Second')", values)
        connection.execute(
            "insert into memberships (org_id, user_id, role) values (%s, %s, 'owner')", (site.organisation, owners)
        )
    operator = site.stack.secret("cli", "operator-key")
    auth(site, "PATCH", f"/members/{person}", operator, {"role": "admin"})

    page.wait_for_url(re.compile(r"/login"), timeout=5_000)

    auth(site, "PATCH", f"/members/{person}", operator, {"role": "owner"})
    with psycopg.connect(site.admin_url, autocommit=True) as connection:
        connection.execute("delete from memberships where user_id = %s", (owners,))
    page.context.close()
    site.cookie = {}


def test_access_changes_only_after_the_password_again(site):
    page, token = logged_in(site)
    with psycopg.connect(site.admin_url, autocommit=True) as connection:
        connection.execute("update sessions set authenticated_at = now() - interval '11 minutes'")
    _email, password = site.stack.login

    page.goto(f"{site.stack.url}/confirm?next=%2Fcampaigns%3Frange%3D7d")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_have_text("That is not your password.")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Confirm").click()

    expect(page).to_have_url(re.compile(r"/campaigns\?range=7d"))
    [renewed] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "adloom_session"]
    assert renewed != token
    # The old token is dead, the new one is fresh.
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        auth(site, "GET", "/session", token)
    assert auth(site, "DELETE", "/sessions", renewed)["ended"] >= 0
    page.context.close()
    site.cookie = {}


def test_the_tab_that_was_open_meanwhile_comes_back_by_itself(site):
    page, _token = logged_in(site)
    second = page.context.new_page()
    page.goto(f"{site.stack.url}/campaigns?range=7d")
    page.wait_for_selector("tbody")
    page.evaluate("window.before = true")
    _email, password = site.stack.login

    second.goto(f"{site.stack.url}/confirm")
    second.get_by_label("Password").fill(password)
    second.get_by_role("button", name="Confirm").click()
    second.wait_for_url(f"{site.stack.url}/")

    # Its token is dead: it is sent to log in, where the browser's new cookie leads it straight back.
    page.wait_for_function("window.before === undefined", timeout=5_000)
    expect(page).to_have_url(re.compile(r"/campaigns\?range=7d"))
    page.wait_for_selector("tbody")
    page.context.close()


def test_the_browser_gets_cookies_that_no_script_sees(site):
    page, _token = logged_in(site)
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    for name in ("adloom_session", "adloom_device", "adloom_browser", "adloom_form"):
        assert cookies[name]["httpOnly"], name
    assert cookies["adloom_device"]["sameSite"] == "Strict"
    assert "adloom_" not in page.evaluate("document.cookie").replace("adloom_theme", "")
    page.context.close()


def test_the_confirmation_of_another_site_is_refused(site):
    page, _token = logged_in(site)
    for origin, status in (("https://evil.example", 403), (site.stack.url, 403)):
        answer = page.request.post(
            f"{site.stack.url}/confirm", form={"password": "x", "form_token": "x"}, headers={"Origin": origin}
        )
        assert answer.status == status
    page.context.close()


def test_the_login_page_runs_no_script_but_ours(site):
    page = site.context().new_page()
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{site.stack.url}/login")
    page.evaluate(
        "() => { const s = document.createElement('script'); s.text = 'window.ran = 1'; document.head.append(s) }"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in problem for problem in problems)
    page.context.close()
