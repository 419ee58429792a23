"""Nobody gets in without a session, and no other site acts in a visitor's name."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from ui.security import PUBLIC_PATHS, PUBLIC_PREFIXES

SESSION = "adloom_session"


def ask(site, method, path, headers=None, body=None):
    """One request, without following where it leads."""
    parts = urlsplit(site.stack.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request(method, path, body=body, headers={"Accept": "text/html", **(headers or {})})
    answer = connection.getresponse()
    content = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer, content


def test_a_path_that_nobody_made_needs_a_session_too(site):
    for path in ("/nothing", "/docs", "/openapi.json", "/_nicegui/other/static/x.js", "/campaigns/../login/x"):
        answer, _content = ask(site, "GET", path)
        assert answer.status in (303, 401), path


def test_what_is_public_is_a_short_list():
    doors = {"code", "enrol"}
    mailed = {"/invitation", "/reset", "/verify", "/registration"}
    asking = {"/login", "/setup", "/forgotten", "/register"}
    by_provider = {"/sso/start"} | {f"/sso/callback/{provider}" for provider in ("google", "oidc", "sandbox")}
    files = {"/_/health", "/favicon.ico"}
    assert {f"/login/{door}" for door in doors} | mailed | asking | by_provider | files == PUBLIC_PATHS
    assert len(PUBLIC_PREFIXES) == 2


@pytest.mark.parametrize("token", ["", "x", "adl_s_" + "A" * 43, "adl_o_" + "A" * 43, "\u00e4", "a b;c"])
def test_a_token_that_is_none_is_nobodys(site, token):
    answer, _content = ask(site, "GET", "/", {"Cookie": f"{SESSION}={token}".encode()})
    assert answer.status == 303


def test_the_operator_key_is_no_session(site):
    key = site.stack.secret("cli", "operator-key")
    answer, content = ask(site, "GET", "/", {"Cookie": f"{SESSION}={key}"})
    assert answer.status == 303
    assert answer.getheader("location").startswith("/login")
    assert "Spend" not in content


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_another_site_cannot_send_our_forms(site, path, origin):
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Origin": origin} if origin else {})
    answer, _content = ask(site, "POST", path, headers, body="email=a&password=b")
    assert answer.status == 403


def test_a_login_form_without_our_token_is_refused(site):
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": site.stack.url}
    email, password = site.stack.login
    answer, content = ask(site, "POST", "/login", headers, body=f"email={email}&password={password}&form_token=x")
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers or SESSION not in answer.headers["Set-Cookie"]
    assert password not in content


def test_a_form_that_is_far_too_long_is_not_read(site):
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": site.stack.url}
    answer, _content = ask(site, "POST", "/login", headers, body="email=" + "x" * 20_000)
    assert answer.status == 413


@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_a_websocket_of_another_site_is_closed_at_once(site, origin):
    site.owner().close()
    assert _handshake(site, origin, site.cookie["value"]) == 403
    assert _handshake(site, site.stack.url, site.cookie["value"]) == 101


def test_a_websocket_without_a_session_is_closed_at_once(site):
    assert _handshake(site, site.stack.url, "") == 403


def _handshake(site, origin, token):
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Cookie": f"{SESSION}={token}",
    } | ({"Origin": origin} if origin else {})
    answer, _content = ask(site, "GET", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket", headers)
    return answer.status


def test_the_session_cookie_is_out_of_scripts_reach(site):
    site.owner().close()
    assert site.cookie["httpOnly"]
    assert (site.cookie["path"], site.cookie["sameSite"]) == ("/", "Lax")


def test_pages_say_what_may_run_in_them_and_that_nobody_may_frame_them(site):
    site.owner().close()
    light, _content = ask(site, "GET", "/login")
    page, _content = ask(site, "GET", "/", {"Cookie": f"{SESSION}={site.cookie['value']}"})
    for answer in (light, page):
        policy = answer.headers.get_all("Content-Security-Policy")[-1]
        for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert directive in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]
    # A browser obeys both policies of a light page, on which nothing runs but our own file.
    [strict, _common] = light.headers.get_all("Content-Security-Policy")
    assert "default-src 'none'; script-src 'self';" in strict
    assert light.headers["Cache-Control"] == "no-store"


def test_health_tells_nothing_but_health(site):
    answer, content = ask(site, "GET", "/_/health")
    assert answer.status == 200
    assert set(json.loads(content)) == {"status", "events"}


def test_while_auth_is_away_nobody_is_let_in_and_the_page_says_so(site):
    cookie = {"Cookie": f"{SESSION}=adl_s_{'B' * 43}"}
    # Both at once: the front door tries for ten seconds to reach what is away.
    with site.stack.without("auth"), ThreadPoolExecutor() as threads:
        page, login = threads.map(lambda path: ask(site, "GET", path, cookie), ("/", "/login"))
    assert page[0].status == 503
    assert "A part of Adloom does not answer." in page[1]
    assert login[0].status == 503
    assert "Logging in does not work right now" in login[1]


@pytest.mark.parametrize(
    "path", ["/nothing", "/campaigns/1", "/campaigns/x/y", "/campaigns/1/2/3/4", "/static/nothing.css"]
)
def test_an_address_without_a_page_says_so_in_our_look(site, path):
    site.owner().close()
    answer, content = ask(site, "GET", path, {"Cookie": f"{SESSION}={site.cookie['value']}"})
    assert answer.status == 404
    assert "There is no page at this address." in content
    assert "nicegui" not in content.lower()
