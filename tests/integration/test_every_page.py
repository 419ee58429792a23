"""Every page and every form of the dashboard against everybody who must not get at it, made from the routes themselves.

A route that is new is in here by itself. A page fails until PAGES says whom it is for and by which word one sees that
its content has come. Two organisations whose every name holds a word of their own look at the same pages.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import socketio
from limits import RateLimitItemPerSecond

from adloom.identity.roles import ROLES, Role, includes
from adloom.identity.tokens import (
    INVITATION_PREFIX,
    RESET_PREFIX,
    VERIFICATION_PREFIX,
    new_token,
    token_hash,
)
from adloom.web.counting import OF_A_SESSION
from tests.integration.cast import PASSWORD, Person, person
from tests.integration.guess_rig import STORAGE_SECRET
from tests.integration.pages_rig import (
    FORM,
    FORMS,
    FORMS_ALONE,
    GUARDED,
    HERE,
    NO_PAGES,
    PAGES,
    SESSION,
    SETTINGS,
    House,
    Side,
    address,
    house,
    ours,
    own_address,
    sides,
    silent,
    theirs,
    turned_away,
)
from tests.ui.routes import routes
from ui import forms
from ui.security import is_public

__all__ = ["house", "ours", "sides", "theirs"]

# --- pages -----------------------------------------------------------------------------------------------------------


def test_every_page_says_whom_it_is_for_and_what_it_shows() -> None:
    assert {path for path in GUARDED if not path.startswith(NO_PAGES)} == set(PAGES)


@pytest.mark.parametrize("path", GUARDED)
class TestNobodySees:
    def test_without_a_session(self, house: House, sides: tuple[Side, Side], path: str) -> None:
        turned_away(house.ask("GET", address(path, sides[0])), *sides)

    def test_whatever_is_asked_for(self, house: House, sides: tuple[Side, Side], path: str) -> None:
        for accept in ("application/json", "*/*", ""):
            turned_away(house.ask("GET", address(path, sides[0]), headers={"Accept": accept}), *sides)
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "POST"):
            turned_away(house.ask(method, address(path, sides[0]), origin=house.url), *sides)

    def test_with_a_token_that_is_nobodys(self, house: House, sides: tuple[Side, Side], path: str) -> None:
        for token in ("adl_s_" + "A" * 43, "adl_d_" + "A" * 43, "adl_k_x_" + "A" * 43, "null", "{}"):
            turned_away(house.ask("GET", address(path, sides[0]), token), *sides)

    @pytest.mark.parametrize("column", ["expires_at", "idle_expires_at", "revoked_at"])
    def test_with_a_session_that_is_over(self, house: House, sides: tuple[Side, Side], path: str, column: str) -> None:
        over = house.token(sides[0], **{column: "now()"})
        turned_away(house.ask("GET", address(path, sides[0]), over), *sides)

    def test_with_the_session_of_somebody_who_is_no_member_any_more(
        self, house: House, sides: tuple[Side, Side], path: str
    ) -> None:
        leaver = person(house.auth, sides[0].org_id, f"leaver{uuid4().hex[:8]}", "owner")
        house.admin.execute("delete from memberships where user_id = %s", (leaver.user_id,))
        turned_away(house.ask("GET", address(path, sides[0]), leaver.token), *sides)

    def test_with_the_token_anywhere_but_in_the_cookie(self, house: House, sides: tuple[Side, Side], path: str) -> None:
        token = house.token(sides[0])
        where = address(path, sides[0])
        turned_away(house.ask("GET", where, headers={"Authorization": f"Bearer {token}"}), *sides)
        turned_away(house.ask("GET", where, params={"token": token, SESSION: token}), *sides)
        turned_away(house.ask("GET", where, cookies={f"{SESSION}2": token, "session": token}), *sides)

    def test_with_a_key(self, house: House, sides: tuple[Side, Side], path: str) -> None:
        """It is no session: neither another system nor whoever looks after the installation reads pages with it."""
        for key in (house.operator_key, house.key(sides[0])):
            turned_away(house.ask("GET", address(path, sides[0]), key), *sides)


@pytest.mark.parametrize(("path", "role"), [(path, role) for path in HERE for role in ROLES])
def test_a_page_shows_its_content_to_whom_it_is_for_and_to_nobody_else(
    house: House, ours: Side, theirs: Side, path: str, role: Role
) -> None:
    page, where = PAGES[path], address(path, ours)
    if includes(role, page.role):
        status, shown = house.see(where, house.token(ours, role), page.shows(ours, role))
        assert status == 200
        silent(shown, theirs)
        return
    answer = house.ask("GET", where, house.token(ours, role))
    assert answer.status_code in (403, 404)
    silent(answer.text, theirs, page.shows(ours, role))


@pytest.mark.parametrize("path", HERE)
def test_a_page_shows_another_organisation_only_what_is_its_own(
    house: House, ours: Side, theirs: Side, path: str
) -> None:
    page = PAGES[path]
    _status, shown = house.see(address(path, theirs), house.token(theirs), page.shows(theirs, "owner"))
    silent(shown, ours)


WITH_PARAMETERS = [path for path in HERE if "{" in path]


@pytest.mark.parametrize("path", WITH_PARAMETERS)
def test_what_is_another_organisations_is_not_there(house: House, ours: Side, theirs: Side, path: str) -> None:
    _status, shown = house.see(address(path, ours), house.token(theirs), "this is not here")
    silent(shown, ours)


@pytest.mark.parametrize("path", HERE)
def test_a_narrowed_member_sees_only_the_own_accounts(house: House, ours: Side, theirs: Side, path: str) -> None:
    page, (mine, other) = PAGES[path], ours.accounts
    with house.narrowed(ours, page.role, mine):
        token = house.token(ours, page.role)
        _status, shown = house.see(address(path, ours, mine), token, page.shows(ours, page.role))
        silent(shown, theirs, other.word)
        if "{account_id" in path:
            _status, shown = house.see(address(path, ours, other), token, "this is not here")
            silent(shown, theirs, other.word)


@pytest.mark.parametrize("path", [path for method, path in routes() if method == "GET" and is_public(path)])
def test_what_is_public_shows_nothing_of_anybody(house: House, sides: tuple[Side, Side], path: str) -> None:
    for token in (None, house.token(sides[0])):
        silent(house.ask("GET", address(path, sides[0]), token).text, *sides)


# --- forms -----------------------------------------------------------------------------------------------------------

# What the forms ask for; the password is a member's.
EVERYTHING = {
    "password": PASSWORD,
    "current": PASSWORD,
    "code": "000000",
    "name": "Mallory",
    "organisation": "Mallory",
    "secret": "A" * 32,
    "key": "adl_o_" + "A" * 43,
    "next": "/",
    "email": "somebody@example.com",
    "role": "viewer",
    "scope": "all",
    "scopes": "members:read",
    "days": "30",
    "per_minute": "60",
    "platform": "meta",
    "conversion": "lead",
    "token": "A" * 40,
}


@pytest.mark.parametrize("path", FORMS)
def test_a_form_of_another_site_is_refused(house: House, ours: Side, path: str) -> None:
    """Everything else about it is good."""
    token = house.token(ours)
    fields = EVERYTHING | {"form_token": forms.form_token(STORAGE_SECRET, purpose(path), token)}
    before = house.people()
    for origin in ("", "null", "https://evil.example", "http://127.0.0.1", f"{house.url}.evil.example"):
        assert house.ask("POST", address(path, ours), token, origin=origin, data=fields).status_code == 403
    assert house.people() == before


@pytest.mark.parametrize("path", [path for path in FORMS if not is_public(path)])
def test_a_form_needs_a_session_that_is_alive(house: House, ours: Side, path: str) -> None:
    over = (house.token(ours, **{column: "now()"}) for column in ("expires_at", "idle_expires_at", "revoked_at"))
    tokens = [None, house.operator_key, house.key(ours), *over]
    before = house.people()
    for token in tokens:
        fields = EVERYTHING | {"form_token": forms.form_token(STORAGE_SECRET, purpose(path), token or "")}
        assert house.post(address(path, ours), token, data=fields).status_code == 401
    assert house.people() == before


def purpose(path: str) -> str:
    """What the form's token is for: the forms of the settings share one."""
    if path in SETTINGS:
        return "settings"
    return path.strip("/") if path in {"/login", "/logout", "/confirm"} else path


def _tokens(path: str, token: str, nonce: str) -> Iterator[str]:
    """Form tokens that are good for other forms, for another browser and for another session."""
    own = purpose(path)
    holder = nonce if is_public(path) else token
    yield from (forms.form_token(STORAGE_SECRET, other, holder) for other in {purpose(each) for each in FORMS} - {own})
    for stranger in ("", "another browser's"):
        yield forms.form_token(STORAGE_SECRET, own, stranger)
    yield from ("", "ä", nonce, token)


def _mailed(purpose: str) -> Callable[[House, Side, Person], str]:
    def link(house: House, side: Side, who: Person) -> str:
        prefix = RESET_PREFIX if purpose == "reset" else VERIFICATION_PREFIX
        token = new_token(prefix)
        values = (token_hash(token), side.org_id, who.user_id, purpose, f"new-{who.email}")
        house.admin.execute(
            "insert into mailed_links (token_hash, org_id, user_id, purpose, email, expires_at)"
            " values (%s, %s, %s, %s, %s, now() + interval '1 hour')",
            values,
        )
        return token

    return link


def _invitation(house: House, side: Side, who: Person) -> str:
    token = new_token(INVITATION_PREFIX)
    house.admin.execute(
        "insert into invitations (invitation_id, org_id, email, role, token_hash, invited_by, expires_at)"
        " values (%s, %s, %s, 'viewer', %s, %s, now() + interval '1 day')",
        (uuid4(), side.org_id, f"{uuid4().hex}@example.com", token_hash(token), who.user_id),
    )
    return token


LINKS = {"/reset": _mailed("reset"), "/verify": _mailed("verify"), "/invitation": _invitation}


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_own_token_does_nothing(house: House, ours: Side, path: str) -> None:
    """Everything else about it is good: the session, the password, the mailed link."""
    token, nonce = house.token(ours), forms.new_nonce()
    owner = ours.people["owner"]
    cookies = {FORM: nonce} | ({"adloom_link": LINKS[path](house, ours, owner)} if path in LINKS else {})
    before = house.people()
    for form_token in _tokens(path, token, nonce):
        # Without a cookie the empty token must not be one that fits.
        sent = cookies if form_token != forms.form_token(STORAGE_SECRET, purpose(path), "") else cookies | {FORM: ""}
        fields = EVERYTHING | {"email": owner.email, "form_token": form_token}
        answer = house.post(address(path, ours), token, data=fields, cookies=sent)
        assert answer.status_code in (303, 403), (form_token, answer.status_code)
        if answer.status_code == 303:  # back to the form itself, or to where one gets another
            assert answer.headers["Location"].partition("?")[0] in (path, "/login")
        assert SESSION not in answer.headers.get("set-cookie", "")
    assert house.people() == before


@pytest.mark.parametrize("path", FORMS)
def test_what_is_no_form_does_nothing_and_breaks_nothing(house: House, ours: Side, path: str) -> None:
    token = house.token(ours)
    before = house.people()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    many = "&".join(f"field{n}=x" for n in range(3000))
    for body, kind in (
        (b"", {}),
        (b"\xff\xfe\x00" * 50, form),
        (b'{"form_token": "x"}', {"Content-Type": "application/json"}),
        (b"--x\r\nbroken", {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"x", {"Content-Type": "multipart/form-data"}),
        (many.encode(), form),
        (b"password=" + b"x" * 1_000_000, form),
        (iter([b"password=", b"x" * 100_000]), form),  # in chunks, without a length
    ):
        answer = house.post(address(path, ours), token, content=body, headers=kind)
        assert answer.status_code < 500, (kind, answer.status_code)
        assert answer.status_code in (303, 400, 403, 404, 411, 413), (kind, answer.status_code)
    assert house.people() == before


def needed_for(path: str) -> Role:
    """The role of the page that the form lies below."""
    above = [page for page in PAGES if path.startswith(page + "/") or path == page]
    return PAGES[max(above, key=len)].role if above and path not in FORMS_ALONE else FORMS_ALONE[path]


def test_every_form_says_whom_it_is_for() -> None:
    assert {needed_for(path) for path in FORMS if not is_public(path)} == {"viewer", "editor", "admin"}


LOWER = [(path, role) for path in SETTINGS for role in ROLES if not includes(role, needed_for(path))]


@pytest.mark.parametrize(("path", "role"), LOWER)
def test_a_form_does_nothing_for_a_lower_role(house: House, ours: Side, path: str, role: Role) -> None:
    token = house.token(ours, role)
    before = house.people()
    form_token = forms.form_token(STORAGE_SECRET, purpose(path), token)
    answer = house.post(address(path, ours), token, data=EVERYTHING | {"form_token": form_token})
    assert answer.status_code == 403
    assert house.people() == before


@pytest.mark.parametrize("path", [path for path in SETTINGS if "{" in path])
def test_a_form_reaches_nothing_of_another_organisation(house: House, ours: Side, theirs: Side, path: str) -> None:
    token = house.token(ours)
    before = house.people()
    form_token = forms.form_token(STORAGE_SECRET, purpose(path), token)
    answer = house.post(address(path, theirs), token, data=EVERYTHING | {"form_token": form_token})
    assert answer.status_code == 404
    silent(answer.text, theirs)
    assert house.people() == before


def test_an_editor_says_on_the_page_what_an_account_counts(house: House, ours: Side) -> None:
    account, page = ours.accounts[0].account_id, address("/connections/{connection_id}", ours)
    token, watcher = house.token(ours, "editor"), house.token(ours, "viewer")
    # A name that the page does not offer by itself.
    path, chosen = f"/connections/accounts/{account}/conversion", "offsite_conversion.custom.4711"
    form_token = forms.form_token(STORAGE_SECRET, "settings", token)
    fields = {"form_token": form_token, "platform": "meta", "was": "omni_purchase", "conversion": chosen}
    _status, shown = house.see(page, token, path)
    assert chosen not in shown
    refused = house.post(path, token, data=fields | {"platform": "../auth"})
    assert refused.status_code == 404
    answer = house.post(path, token, data=fields)
    assert answer.status_code == 200
    assert "history is read again" in answer.json()["says"]
    house.see(page, token, chosen)
    _status, shown = house.see(page, watcher, ours.accounts[0].word)
    assert path not in shown
    query = "select conversion from ad_accounts where account_id = %s"
    assert house.admin.execute(query, (account,)).fetchall() == [(chosen,)]


# --- the socket ------------------------------------------------------------------------------------------------------

SOCKET = "/_nicegui_ws/socket.io/"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def _handshake(house: House, token: str | None, origin: str) -> int:
    with house.client.stream(
        "GET",
        f"{SOCKET}?EIO=4&transport=websocket",
        headers=UPGRADE | ({"Cookie": f"{SESSION}={token}"} if token else {}) | ({"Origin": origin} if origin else {}),
    ) as answer:
        return answer.status_code


def test_the_socket_opens_for_a_session_on_our_own_pages_alone(house: House, ours: Side) -> None:
    good, site = house.token(ours), house.url
    assert _handshake(house, good, site) == 101
    for origin in ("", "null", "https://evil.example", site.replace("http:", "https:"), site + ".evil.example"):
        assert _handshake(house, good, origin) == 403, origin
    over = (house.token(ours, **{column: "now()"}) for column in ("expires_at", "idle_expires_at", "revoked_at"))
    for token in (None, "adl_s_" + "A" * 43, house.operator_key, house.key(ours), *over):
        assert _handshake(house, token, site) == 403


def test_the_sockets_other_way_of_transport_is_guarded_alike(house: House, ours: Side) -> None:
    """What a browser falls back to where no websocket gets through: GET and POST."""
    poll = {"EIO": "4", "transport": "polling"}
    assert house.ask("GET", SOCKET, params=poll).status_code == 401
    assert house.ask("GET", SOCKET, house.token(ours, revoked_at="now()"), params=poll).status_code == 401
    assert house.ask("GET", SOCKET, house.token(ours), params=poll).status_code == 200
    for origin in ("", "https://evil.example"):
        answer = house.ask("POST", SOCKET, house.token(ours), origin=origin, params=poll, content=b"40")
        assert answer.status_code == 403
    assert house.post(SOCKET, params=poll, content=b"40").status_code == 401


def _page(house: House, token: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The id of a page that was opened, as its socket names it, and what following one of its links says."""
    html = house.ask("GET", "/", token).text
    query = _joining(html)
    before, listener = re.findall(r'(.*?)"listener_id":"([0-9a-f-]+)","type":"go"', html)[0]
    element = re.findall(r'"(\d+)":{"tag"', before)[-1]
    return query, {"id": int(element), "client_id": query["client_id"], "listener_id": listener}


def _joining(html: str) -> dict[str, str]:
    """What the socket of a browser that got this page says first."""
    [client_id] = re.findall(r"'client_id': '([0-9a-f-]+)'", html)
    return {"client_id": client_id, "tab_id": str(uuid4()), "document_id": str(uuid4()), "next_message_id": "0"}


def going(address: str) -> dict[str, list[str]]:
    """What a link says to the page; each argument is JSON."""
    return {"args": [f'"{address}"', "false"]}


@asynccontextmanager
async def _socket(house: House, token: str, query: dict[str, str] | None = None) -> AsyncIterator[Any]:
    """A socket of a session; `told` is what its browser is to do, `shown` what it is to show."""
    client = socketio.AsyncClient(reconnection=False)
    client.told, client.shown = asyncio.Queue(), asyncio.Queue()
    client.on("run_javascript", lambda message: client.told.put_nowait(message["code"]))
    client.on("update", lambda message: client.shown.put_nowait(str(message)))
    asked = "?" + urlencode(query | {"implicit_handshake": "true"}) if query else ""
    headers = {"Cookie": f"{SESSION}={token}", "Origin": house.url}
    await client.connect(house.url + asked, headers, ["websocket"], socketio_path=SOCKET, wait_timeout=60)
    yield client
    await client.disconnect()


async def _all_until(said: asyncio.Queue[str], last: str) -> str:
    """All of it, until this is."""
    told = ""
    while last not in told:
        told += await asyncio.wait_for(said.get(), 60)
    return told


async def test_a_socket_speaks_for_a_page_of_the_same_member_alone(house: House, ours: Side, theirs: Side) -> None:
    mine, other = house.token(ours), house.token(ours, "viewer")
    query, event = _page(house, mine)

    for thief in (other, house.token(theirs)):
        with pytest.raises(socketio.exceptions.ConnectionError):
            async with _socket(house, thief, query):
                pass
        async with _socket(house, thief) as socket:
            assert await socket.call("handshake", query, timeout=60) is False
            await socket.call("event", event | going("/?range=7d"), timeout=60)

    # Another session of the same member, as after a new proof; and what it says comes through.
    async with _socket(house, house.token(ours), query) as socket:
        await socket.call("event", event | going("/?range=90d"), timeout=60)
        assert "range=7d" not in await _all_until(socket.told, "range=90d")


async def test_a_socket_that_joined_no_page_speaks_for_none(house: House, ours: Side) -> None:
    """Not even with the page's own session."""
    token = house.token(ours)
    query, event = _page(house, token)
    async with _socket(house, token, query) as joined, _socket(house, token) as socket:
        await socket.call("event", event | going("/?range=7d"), timeout=60)
        await joined.call("event", event | going("/?range=90d"), timeout=60)
        assert "range=7d" not in await _all_until(joined.told, "range=90d")


def _read_at_once(house: House, side: Side) -> tuple[str, str]:
    """The page of a session's profile with its content in it, so that nothing of it is still being read; the session's
    token. A page that came too late for that is left to itself, with its session.
    """
    deadline = time.monotonic() + 90
    while True:
        token = house.token(side)
        html = house.ask("GET", "/settings/profile", token).text
        if own_address(side, "owner") in html:
            return html, token
        assert time.monotonic() < deadline, "the profile never comes at once"


def _asked(house: House, token: str) -> int:
    """How often `auth` was asked with this session."""
    query = "select session_id from sessions where token_hash = %s"
    [(session_id,)] = house.admin.execute(query, (token_hash(token),)).fetchall()
    kept = RateLimitItemPerSecond(OF_A_SESSION.count, OF_A_SESSION.seconds).key_for(f"api:{session_id}")
    query = "select coalesce(sum(cardinality(hits)), 0) from rate_limits where limit_key = %s"
    [(hits,)] = house.admin.execute(query, (hashlib.sha256(kept.encode()).digest(),)).fetchall()
    return int(hits)


async def test_a_page_that_nobody_sees_reads_again_only_when_its_browser_comes(house: House, ours: Side) -> None:
    """A hundred that are left open somewhere would otherwise keep `auth` from those that somebody looks at."""
    (html, unseen), (seen_html, seen) = _read_at_once(house, ours), _read_at_once(house, ours)
    before = _asked(house, unseen)
    assert before > 0
    names = [f"heronwort {uuid4().hex}" for _ in range(2)]
    async with _socket(house, seen, _joining(seen_html)) as socket:
        for name in names:
            fields = {"form_token": forms.form_token(STORAGE_SECRET, "settings", seen), "name": name}
            assert house.post("/settings/profile/name", seen, data=fields).status_code == 200
            await _all_until(socket.shown, name)
    assert _asked(house, unseen) == before

    async with _socket(house, unseen, _joining(html)) as socket:
        await _all_until(socket.shown, names[-1])
    assert _asked(house, unseen) > before
