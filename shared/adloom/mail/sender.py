"""Sending what is in the outbox.

A mail is taken for a few minutes, handed over outside of any transaction and then noted. A process that dies in
between leaves it to the next one; the mail's id keeps the provider from sending it twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import text

from adloom import logs
from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import AdloomError, ConfigurationError
from adloom.keyring import KeyRing
from adloom.mail.errors import MailFailed
from adloom.mail.message import Message, compose
from adloom.mail.resend import ResendMailer
from adloom.mail.settings import MailSettings
from adloom.mail.smtp import SmtpMailer

# Longer than handing over a batch takes; then another process may take them.
LEASE = timedelta(minutes=5)
BATCH = 10
# The first wait; each further one is four times as long, up to an hour. Most mails expire within a day.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)

log = logs.get(__name__)


class Mailer(Protocol):
    """Hands mails to whoever delivers them."""

    def send(self, message: Message, mail_id: UUID) -> str:
        """The provider's id; MailFailed otherwise. Twice with the same `mail_id` is one mail."""


def mailer(settings: MailSettings) -> Mailer | None:
    """The way out that the settings name; None where no mails are sent."""
    if settings.sender is None:
        return None
    key = settings.mail_key.get_secret_value() if settings.mail_key else None
    if settings.smtp_url:
        return SmtpMailer(settings.smtp_url, key, settings.sender)
    if key is None:
        raise ConfigurationError("Mails go through Resend: put its API key into the secret mail-key.")
    return ResendMailer(key, settings.sender, settings.resend_api)


class Postbox:
    """Sends what is due: when `wake` was called, in a thread of its own, and at each `send_due`."""

    def __init__(
        self,
        database: Callable[[], Database],
        settings: Callable[[], MailSettings],
        public_url: str,
        *,
        ring: Callable[[], KeyRing] | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._public_url = public_url
        self._ring = ring
        self._due = threading.Event()
        self._once = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> KeyRing:
        if self._ring is not None:
            return self._ring()
        return KeyRing(self._settings().mail_ring.get_secret_value(), "mail-ring")

    def wake(self) -> None:
        """Mails may wait: send them soon. Best effort; the tick sends what this did not."""
        if not self._settings().sends_mails:
            return
        with self._once:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mails", daemon=True)
                self._thread.start()
        self._due.set()

    def _run(self) -> None:
        while self._due.wait():
            self._due.clear()
            try:
                self.send_due()
            except AdloomError as error:
                log.warning("mails_put_off", reason=error.detail)
            except Exception:
                log.exception("mails_failed")

    def send_due(self) -> int:
        """Send until nothing is due; how many were handed over. Fails with Unavailable while there is no database."""
        way = mailer(self._settings())
        if way is None:
            return 0
        ring, sent = self.ring(), 0
        while taken := _take(self._database()):
            sent += sum(self._send(way, ring, row) for row in taken)
        return sent

    def _send(self, way: Mailer, ring: KeyRing, row: Any) -> bool:
        try:
            link = ring.open(bytes(row.link)) if row.link is not None else None
            message = _composed(row, link, self._public_url)
            provider_id = way.send(message, row.mail_id)
        except MailFailed as error:
            self._put_off(row, error)
            return False
        except ConfigurationError as error:  # its link cannot be opened; the other mails go on
            self._put_off(row, MailFailed(error.detail))
            return False
        _note(self._database(), "select mail_sent(:id, :provider)", id=row.mail_id, provider=provider_id)
        log.info("mail_sent", mail_id=str(row.mail_id), template=row.template)
        return True

    def _put_off(self, row: Any, error: MailFailed) -> None:
        wait = max(_wait(row.attempts), timedelta(seconds=error.retry_after or 0))
        again = None if error.permanent else real_now() + wait
        query = "select mail_failed(:id, :reason, :again)"
        _note(self._database(), query, id=row.mail_id, reason=error.detail[:500], again=again)
        log.warning(
            "mail_failed", mail_id=str(row.mail_id), template=row.template, reason=error.detail, again=again is not None
        )


def _composed(row: Any, link: str | None, public_url: str) -> Message:
    """A mail that waited while another release changed its template holds up no other one."""
    try:
        return compose(row.address, row.template, row.data, link, public_url)
    except (KeyError, ValueError) as error:
        raise MailFailed(f"The mail {row.template} cannot be written: {type(error).__name__}") from error


def _wait(attempts: int) -> timedelta:
    factor: int = 4 ** min(attempts - 1, 10)
    return min(FIRST_WAIT * factor, LONGEST_WAIT)


def _take(database: Database) -> list[Any]:
    with database.system() as connection:
        return list(
            connection.execute(text("select * from claim_mails(:most, :lease)"), {"most": BATCH, "lease": LEASE})
        )


def _note(database: Database, query: str, **values: object) -> None:
    with database.system() as connection:
        connection.execute(text(query), values)


def purge(database: Database) -> int:
    """Forget mails of long ago; how many."""
    with database.system() as connection:
        return int(connection.execute(text("select purge_mails()")).scalar_one())
