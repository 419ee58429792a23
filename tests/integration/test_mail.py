"""The outbox of mails: written with what they tell of, sent once, and tried again when the provider is away."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from cryptography.fernet import Fernet

from adloom.db import Database
from adloom.errors import ConfigurationError
from adloom.keyring import KeyRing
from adloom.mail import enqueue
from adloom.mail.sender import Postbox, mailer, purge
from adloom.mail.settings import SANDBOX_SENDER, MailSettings
from tests.integration.cast import MAIL_RING, Connect, MakeOrganisation, Person, person
from tests.unit.sandbox.support import MAIL_KEY, Sandbox, sandbox

if TYPE_CHECKING:
    from tests.conftest import Postgres

__all__ = ["sandbox"]

URL = "https://ads.example.com"
LINK = f"{URL}/reset#adl_r_secret-part-of-the-link"


@pytest.fixture
def auth(connect: Connect) -> Database:
    return connect("auth", pool_size=6)  # type: ignore[call-arg]


@pytest.fixture
def owner(auth: Database, make_organisation: MakeOrganisation) -> Person:
    return person(auth, make_organisation("Acme"), "owner", "owner")


@pytest.fixture
def admin(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        yield connection
        connection.execute("delete from mail_outbox")


@pytest.fixture
def postbox(auth: Database, sandbox: Sandbox, admin: psycopg.Connection[Any]) -> Postbox:
    sandbox.faults()
    sandbox.control("DELETE", "mails")
    return box(auth, sandbox)


def box(auth: Database, sandbox: Sandbox, **changes: Any) -> Postbox:
    values = {"sandbox_url": sandbox.url, "mail_ring": MAIL_RING, "mail_key": MAIL_KEY} | changes
    return Postbox(lambda: auth, lambda: MailSettings(**values), URL)


def reset_mail(auth: Database, owner: Person, **more: Any) -> UUID:
    with auth.tenant(owner.org_id) as connection:
        data = {"name": "Owner", "valid": "1 hour"}
        link = KeyRing(MAIL_RING, "mail-ring").seal(LINK)
        return enqueue(connection, owner.org_id, owner.user_id, "reset_password", data, link=link, **more)


def stored(admin: psycopg.Connection[Any], mail_id: UUID) -> dict[str, Any]:
    row = admin.execute("select row_to_json(m) from mail_outbox m where mail_id = %s", (mail_id,)).fetchone()
    assert row is not None
    return dict(row[0])


def test_a_mail_is_sent_and_its_link_goes_with_it(
    auth: Database, owner: Person, postbox: Postbox, sandbox: Sandbox, admin: psycopg.Connection[Any]
) -> None:
    mail_id = reset_mail(auth, owner)
    before = stored(admin, mail_id)
    assert before["link"] is not None
    assert "secret-part" not in str(before)

    assert postbox.send_due() == 1

    (mail,) = sandbox.mails()
    assert (mail["to"], mail["from"]) == ([owner.email], SANDBOX_SENDER)
    assert LINK in mail["text"]
    after = stored(admin, mail_id)
    assert after["sent_at"] is not None
    assert (after["link"], after["provider_id"]) == (None, mail["id"])
    assert postbox.send_due() == 0


def test_what_was_rolled_back_is_not_sent(auth: Database, owner: Person, postbox: Postbox) -> None:
    with contextlib.suppress(RuntimeError), auth.tenant(owner.org_id) as connection:
        enqueue(connection, owner.org_id, owner.user_id, "registered_already", {}, link=b"x")
        raise RuntimeError

    assert postbox.send_due() == 0


def test_many_senders_at_once_send_each_mail_once(
    auth: Database, owner: Person, postbox: Postbox, sandbox: Sandbox
) -> None:
    for _ in range(25):
        reset_mail(auth, owner)
    with ThreadPoolExecutor(4) as threads:
        sent = list(threads.map(lambda _: postbox.send_due(), range(4)))

    assert sum(sent) == 25
    assert len(sandbox.mails()) == 25


def test_a_sender_that_died_after_handing_over_sends_nothing_twice(
    auth: Database, owner: Person, postbox: Postbox, sandbox: Sandbox, admin: psycopg.Connection[Any]
) -> None:
    """The first one's note is lost and its time is over: the second one hands the same mail over again."""
    mail_id = reset_mail(auth, owner)
    postbox.send_due()
    admin.execute(
        "update mail_outbox set sent_at = null, due_at = now(), link = %s where mail_id = %s",
        (KeyRing(MAIL_RING, "mail-ring").seal(LINK), mail_id),
    )

    assert postbox.send_due() == 1
    assert len(sandbox.mails()) == 1


def test_a_provider_that_is_away_gets_the_mail_later(
    auth: Database, owner: Person, postbox: Postbox, sandbox: Sandbox, admin: psycopg.Connection[Any]
) -> None:
    sandbox.faults({"match": {"path": "resend"}, "fault": {"kind": "error", "status": 503, "body": "away"}})
    mail_id = reset_mail(auth, owner)

    assert postbox.send_due() == 0
    put_off = stored(admin, mail_id)
    wait = datetime.fromisoformat(put_off["due_at"]) - datetime.now(UTC)
    assert timedelta(seconds=50) < wait <= timedelta(seconds=60)
    assert (put_off["failed_at"], put_off["attempts"], put_off["link"] is not None) == (None, 1, True)
    assert "503" in put_off["error"]
    assert postbox.send_due() == 0, "not before its time"

    admin.execute("update mail_outbox set due_at = now() where mail_id = %s", (mail_id,))
    assert postbox.send_due() == 1
    assert len(sandbox.mails()) == 1


def test_what_can_never_arrive_is_given_up(
    auth: Database, owner: Person, postbox: Postbox, admin: psycopg.Connection[Any]
) -> None:
    mail_id = reset_mail(auth, owner, address="no-address")

    assert postbox.send_due() == 0

    given_up = stored(admin, mail_id)
    assert given_up["failed_at"] is not None
    assert given_up["link"] is None


def test_a_link_that_expired_is_not_sent(
    auth: Database, owner: Person, postbox: Postbox, sandbox: Sandbox, admin: psycopg.Connection[Any]
) -> None:
    mail_id = reset_mail(auth, owner, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    assert postbox.send_due() == 0
    assert sandbox.mails() == []
    assert stored(admin, mail_id)["link"] is None


def test_a_link_that_no_key_opens_holds_up_no_other_mail(
    auth: Database, owner: Person, postbox: Postbox, sandbox: Sandbox, admin: psycopg.Connection[Any]
) -> None:
    mail_id = reset_mail(auth, owner)
    admin.execute(
        "update mail_outbox set link = %s, due_at = now() - interval '1 minute' where mail_id = %s",
        (KeyRing(Fernet.generate_key().decode(), "mail-ring").seal(LINK), mail_id),
    )
    reset_mail(auth, owner)

    assert postbox.send_due() == 1
    assert len(sandbox.mails()) == 1
    assert "mail-ring" in stored(admin, mail_id)["error"]


def test_a_mail_that_cannot_be_written_holds_up_no_other_mail(
    auth: Database, owner: Person, postbox: Postbox, sandbox: Sandbox, admin: psycopg.Connection[Any]
) -> None:
    mail_id = reset_mail(auth, owner)
    changed = "update mail_outbox set data = '{}', due_at = now() - interval '1 minute' where mail_id = %s"
    admin.execute(changed, (mail_id,))
    reset_mail(auth, owner)

    assert postbox.send_due() == 1
    assert len(sandbox.mails()) == 1
    after = stored(admin, mail_id)
    assert (after["sent_at"], after["error"]) == (None, "The mail reset_password cannot be written: KeyError")


def test_a_wake_sends_soon(auth: Database, owner: Person, postbox: Postbox, sandbox: Sandbox) -> None:
    reset_mail(auth, owner)
    done = threading.Event()
    sent = postbox.send_due

    def noticed() -> int:
        count = sent()
        done.set()
        return count

    postbox.send_due = noticed  # type: ignore[method-assign]
    postbox.wake()

    assert done.wait(10)
    assert len(sandbox.mails()) == 1


def test_without_a_sender_nothing_is_sent_and_nothing_lost(
    auth: Database, owner: Person, sandbox: Sandbox, postbox: Postbox, admin: psycopg.Connection[Any]
) -> None:
    mail_id = reset_mail(auth, owner)

    assert box(auth, sandbox, sandbox_url=None).send_due() == 0
    assert stored(admin, mail_id)["attempts"] == 0
    assert postbox.send_due() == 1


def test_resend_without_a_key_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="mail-key"):
        mailer(MailSettings(mail_from="Adloom <a@example.com>", mail_ring=MAIL_RING))


def test_an_outsider_writes_no_mail_into_anothers_outbox(
    auth: Database, owner: Person, make_organisation: MakeOrganisation
) -> None:
    from sqlalchemy.exc import ProgrammingError

    with pytest.raises(ProgrammingError, match="row-level security"), auth.tenant(make_organisation("Other")) as other:
        enqueue(other, owner.org_id, None, "no_account", {}, address="x@example.com")


def test_mails_of_long_ago_are_forgotten(auth: Database, owner: Person, admin: psycopg.Connection[Any]) -> None:
    old, new = reset_mail(auth, owner), reset_mail(auth, owner)
    admin.execute("update mail_outbox set created_at = now() - interval '31 days' where mail_id = %s", (old,))

    assert purge(auth) == 1
    assert stored(admin, new)
