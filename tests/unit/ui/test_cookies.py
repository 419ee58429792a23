"""Cookies nobody else can set, read or send; and what the dashboard believes of a session."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.responses import Response

from adloom.errors import Unavailable
from ui.cookies import Cookies
from ui.gateway import Answer, Caller
from ui.live import EventHub
from ui.markup import cleaned
from ui.sessions import Sessions

USER, OTHER, ORG = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


@pytest.mark.parametrize("name", ["session", "device", "form", "browser"])
def test_where_people_come_by_https_only_this_host_can_set_a_cookie(name: str) -> None:
    secure, plain = Cookies(https=True), Cookies(https=False)
    assert getattr(secure, name) == "__Host-" + getattr(plain, name)

    response = Response()
    secure.put(response, getattr(secure, name), "value", expires=datetime.now(UTC) + timedelta(hours=1))

    written = response.headers["set-cookie"]
    assert written.startswith("__Host-adloom_")
    assert {"HttpOnly", "Secure", "Path=/"} <= set(written.split("; "))
    assert "samesite" in written.lower()
    assert "Domain" not in written


def test_on_plain_http_a_cookie_is_at_least_out_of_scripts_reach() -> None:
    response = Response()
    Cookies(https=False).put_device(response, "adl_d_x")

    written = response.headers["set-cookie"]
    assert written.startswith("adloom_device=adl_d_x; HttpOnly; Max-Age=315")
    assert "Secure" not in written
    assert "samesite=strict" in written.lower()


class Auth:
    """A gateway behind which `auth` answers what it is told to; it counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.alive = True
        self.before_the_answer: Any = lambda: None

    async def call(self, *_args: Any) -> Answer:
        self.asked += 1
        alive = self.alive
        self.before_the_answer()
        if not alive:
            return Answer(401, {})
        user = {"user_id": str(USER), "name": "Olivia", "email": "o@example.com"}
        organisation = {"org_id": str(ORG), "name": "Acme"}
        body = {"kind": "user", "user": user, "organisation": organisation, "role": "owner", "account_scope": "*"}
        return Answer(200, body)


@pytest.fixture
def hub() -> EventHub:
    made = EventHub("nats://127.0.0.1:1")
    made._client = SimpleNamespace(is_connected=True)  # type: ignore[assignment]
    return made


def ended(user_id: uuid.UUID) -> Any:
    data = {"org_id": str(ORG), "account_id": None, "user_id": str(user_id)}
    return SimpleNamespace(subject="adloom.auth.sessions_ended", data=json.dumps({"data": data}).encode())


CALLER = Caller("adl_s_x")


async def test_a_viewer_is_believed_until_an_event_says_that_sessions_ended(hub: EventHub) -> None:
    auth = Auth()
    sessions = Sessions(auth, hub)  # type: ignore[arg-type]
    for _ in range(3):
        assert await sessions.viewer(CALLER) is not None
    assert auth.asked == 1

    auth.alive = False
    await hub._heard(ended(OTHER))
    assert await sessions.viewer(CALLER) is not None, "somebody else's"
    await hub._heard(ended(USER))

    assert await sessions.viewer(CALLER) is None


async def test_while_no_events_are_heard_a_viewer_is_believed_for_two_seconds_only(
    hub: EventHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth, now = Auth(), [100.0]
    monkeypatch.setattr("ui.sessions.time", SimpleNamespace(monotonic=lambda: now[0]))
    sessions = Sessions(auth, hub)  # type: ignore[arg-type]
    await sessions.viewer(CALLER)
    hub._client = SimpleNamespace(is_connected=False)  # type: ignore[assignment]

    auth.alive = False
    now[0] += 1.9
    assert await sessions.viewer(CALLER) is not None, "one page asks several times"
    assert auth.asked == 1
    now[0] += 0.2

    assert await sessions.viewer(CALLER) is None
    assert auth.asked == 2


async def test_what_changes_something_asks_again(hub: EventHub) -> None:
    auth = Auth()
    sessions = Sessions(auth, hub)  # type: ignore[arg-type]
    await sessions.viewer(CALLER)
    auth.alive = False
    assert await sessions.viewer(CALLER, fresh=True) is None


async def test_tabs_of_a_session_that_ended_ask_once_a_minute_and_not_at_each_event(
    hub: EventHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share an address with everybody else, and its unknown tokens are limited."""
    auth, now = Auth(), [100.0]
    monkeypatch.setattr("ui.sessions.time", SimpleNamespace(monotonic=lambda: now[0]))
    sessions = Sessions(auth, hub)  # type: ignore[arg-type]
    auth.alive = False
    for _ in range(5):
        assert await sessions.viewer(CALLER) is None
        await hub._heard(ended(USER))
    assert auth.asked == 1
    assert await sessions.viewer(Caller("adl_s_y")) is None
    assert auth.asked == 2, "another one is asked about"
    now[0] += 60
    assert await sessions.viewer(CALLER) is None
    assert auth.asked == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {"kind": "operator", "user": None, "organisation": None}),
        Answer(200, {"kind": "operator", "user": None, "organisation": {"org_id": str(ORG), "name": "Acme"}}),
        Answer(403, {"code": "scope_missing"}),
    ],
)
async def test_a_key_is_nobody(hub: EventHub, answer: Answer) -> None:
    async def call(*_args: Any) -> Answer:
        return answer

    sessions = Sessions(SimpleNamespace(call=call), hub)  # type: ignore[arg-type]
    assert await sessions.viewer(Caller("adl_k_x")) is None


async def test_another_refusal_is_no_answer(hub: EventHub) -> None:
    async def call(*_args: Any) -> Answer:
        return Answer(429, {"code": "too_many_requests"})

    sessions = Sessions(SimpleNamespace(call=call), hub)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await sessions.viewer(CALLER)


async def test_what_may_have_been_missed_counts_as_ended(hub: EventHub) -> None:
    auth = Auth()
    sessions = Sessions(auth, hub)  # type: ignore[arg-type]
    await sessions.viewer(CALLER)

    auth.alive = False
    await hub._reconnected()

    assert await sessions.viewer(CALLER) is None


async def test_an_answer_that_was_under_way_meanwhile_is_not_kept(hub: EventHub) -> None:
    auth = Auth()
    sessions = Sessions(auth, hub)  # type: ignore[arg-type]

    def revoke() -> None:
        auth.alive = False
        sessions.forget_person(USER)

    auth.before_the_answer = revoke
    await sessions.viewer(CALLER)
    auth.before_the_answer = lambda: None

    assert await sessions.viewer(CALLER) is None


async def test_pages_hear_of_it_after_the_viewer_is_forgotten(hub: EventHub) -> None:
    auth = Auth()
    sessions = Sessions(auth, hub)  # type: ignore[arg-type]
    await sessions.viewer(CALLER)
    told = asyncio.Event()
    hub.listen(ORG, told.set)

    await hub._heard(ended(USER))
    await asyncio.wait_for(told.wait(), 5)

    assert sessions._known == {}


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<p>Spend <b>rose</b></p>", "<p>Spend <b>rose</b></p>"),
        ("<script>alert(1)</script>x", "x"),
        ('<img src=x onerror="alert(1)">', ""),
        ('<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer">x</a>'),
        (
            '<a href="https://example.com" onclick="x()">x</a>',
            '<a href="https://example.com" rel="noopener noreferrer">x</a>',
        ),
        ('<p style="position:fixed">x</p><iframe src="//evil.example"></iframe>', "<p>x</p>"),
    ],
)
def test_foreign_html_loses_what_can_do_harm(html: str, left: str) -> None:
    assert cleaned(html) == left
