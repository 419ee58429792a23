"""People with sessions in browsers of their own, for the tests of the settings."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Page, expect

from adloom.db import Database
from adloom.identity import members, sessions
from adloom.identity.members import NewMember
from adloom.identity.policy import SessionSettings
from adloom.identity.proof import Proven
from adloom.identity.roles import Role
from tests.ui.conftest import Site

PASSWORD = "a long enough sentence"
SESSION = "adloom_session"


@dataclass(frozen=True)
class Someone:
    user_id: uuid.UUID
    org_id: uuid.UUID
    email: str
    name: str


class People:
    """Makes people straight in the database, and opens pages with sessions of theirs."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.auth = Database(site.stack.secret("auth", "auth-database-url"), pool_size=2)
        self.pages: list[Page] = []

    def make(self, name: str, role: Role = "viewer", org_id: uuid.UUID | None = None, scope: str = "*") -> Someone:
        """A member of the stack's organisation, or of another one."""
        email = f"{re.sub('[^a-z]', '', name.lower())}-{uuid.uuid4().hex[:6]}@example.com"
        new = NewMember(email, name, PASSWORD, role, scope, verified=True)
        org_id = org_id or self.site.organisation
        return Someone(members.create(self.auth, org_id, new), org_id, email, name)

    def organisation(self, name: str) -> uuid.UUID:
        org_id = uuid.uuid4()
        with self.admin() as connection:
            connection.execute("insert into organisations (org_id, name) values (%s, %s)", (org_id, name))
        return org_id

    def session(self, who: Someone, device: str = "Firefox 140 on Linux") -> str:
        """The token of a new session."""
        arrival = sessions.Arrival(address="203.0.113.7", device=device, place="Berlin, Germany")
        with self.auth.tenant(who.org_id) as connection:
            proven = Proven(who.user_id, who.org_id)
            return sessions.begin(connection, proven, SessionSettings(), arrival, ["password"]).token

    def open(self, who: Someone, path: str, *, device: str = "Firefox 140 on Linux", **options: Any) -> Page:
        """A page in a browser of its own."""
        context = self.site.context(**options)
        token = self.session(who, device)
        context.add_cookies([{"name": SESSION, "value": token, "url": self.site.stack.url}])
        page = context.new_page()
        self.pages.append(page)
        page.goto(self.site.stack.url + path)
        settled(page)
        return page

    def make_stale(self, who: Someone) -> None:
        """The person's last proof was eleven minutes ago."""
        with self.admin() as connection:
            query = "update sessions set authenticated_at = now() - interval '11 minutes' where user_id = %s"
            connection.execute(query, (who.user_id,))

    def admin(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.site.admin_url, autocommit=True)

    def close(self) -> None:
        for page in self.pages:
            page.context.close()
        self.auth.close()


@pytest.fixture
def people(site: Site) -> Iterator[People]:
    made = People(site)
    with made.admin() as connection:
        connection.execute("delete from rate_limits")
    yield made
    made.close()


@pytest.fixture(scope="module")
def mailbox(site: Site) -> Callable[..., str]:
    """`mailbox("ana@example.com")` is the newest link that was mailed to this address."""
    env = site.stack.env("sandbox")
    url = f"http://127.0.0.1:{site.stack.port('sandbox')}/_sandbox/mails"

    def newest(address: str, subject: str = "", patience_s: float = 60) -> str:
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            answer = httpx.get(url, headers={"X-Sandbox-Key": env["ADLOOM_SANDBOX_KEY"]}, trust_env=False)
            for mail in answer.json()["mails"]:
                if mail["to"] == [address] and subject in mail["subject"]:
                    return str(re.findall(r"http://\S+token=\S+", mail["text"])[0])
            time.sleep(0.1)
        raise AssertionError(f"no mail to {address} came")

    return newest


def settled(page: Page) -> None:
    """The page shows what it has read."""
    page.wait_for_selector("#form-token", state="attached")
    expect(page.locator(".ghost:visible")).to_have_count(0)


def says(page: Page, words: str | re.Pattern[str]) -> None:
    """What the page tells after a form."""
    expect(page.locator("#says")).to_have_text(words)


def prove(page: Page, password: str = PASSWORD, code: str = "") -> None:
    """Answer the dialog that asks who it is."""
    dialog = page.locator("dialog#step-up")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password").fill(password)
    if code:
        dialog.get_by_label("Code of your authenticator app").fill(code)
    dialog.get_by_role("button", name="Confirm").click()


def agree(page: Page) -> None:
    """Yes to the question whether one is sure."""
    dialog = page.locator("dialog#sure")
    expect(dialog).to_be_visible()
    dialog.locator("#sure-verb").click()


def is_thrown_out(page: Page) -> None:
    """No click, no reload: the event finds the tab."""
    expect(page).to_have_url(re.compile(r"/login"))
