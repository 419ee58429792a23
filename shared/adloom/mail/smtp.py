"""Mails through an SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from urllib.parse import unquote, urlsplit
from uuid import UUID

from adloom.errors import ConfigurationError
from adloom.mail.errors import MailFailed
from adloom.mail.message import LOGO_ID, Message, logo

_TIMEOUT_S = 20
_PORTS = {"smtp": 587, "smtps": 465}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PERMANENT_FROM = 500  # SMTP's own line between "later" and "never"


class SmtpMailer:
    """`url` is `smtps://user@host:465` (TLS from the start) or `smtp://user@host:587` (STARTTLS, which must succeed;
    only a server on this machine is spoken to without).
    """

    def __init__(self, url: str, password: str | None, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ConfigurationError("ADLOOM_SMTP_URL should read smtps://user@host:465 or smtp://user@host:587.")
        self._secure = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        self._user = unquote(parts.username) if parts.username else None
        self._password = password or ""
        self._sender = sender

    def send(self, message: Message, mail_id: UUID) -> str:
        """Hand a mail over; its Message-ID, which is the same when it is sent again. MailFailed otherwise."""
        mail = self._mime(message, mail_id)
        try:
            with self._connected() as server:
                if self._user is not None:
                    server.login(self._user, self._password)
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise MailFailed(f"The SMTP server refused the address ({code})", permanent=_is_final(code)) from error
        except smtplib.SMTPDataError as error:
            raise MailFailed(f"The SMTP server refused the mail ({error.smtp_code})") from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailFailed(f"The SMTP server did not take the mail ({type(error).__name__})") from error
        return str(mail["Message-ID"])

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._secure:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_TIMEOUT_S, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_S)
        if self._host not in _LOOPBACK:
            try:
                server.starttls(context=context)
            except smtplib.SMTPException:
                server.close()
                raise
        return server

    def _mime(self, message: Message, mail_id: UUID) -> EmailMessage:
        domain = parseaddr(self._sender)[1].rpartition("@")[2] or "localhost"
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, message.address, message.subject
        mail["Date"], mail["Message-ID"] = formatdate(), f"<{mail_id}@{domain}>"
        # Nobody's holiday note should answer it.
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        html = mail.get_payload()[1]  # type: ignore[index]
        html.add_related(logo(), "image", "png", cid=f"<{LOGO_ID}>", filename="logo.png")  # type: ignore[union-attr]
        return mail


def _is_final(code: int) -> bool:
    return code >= _PERMANENT_FROM
