"""Mails through an SMTP server."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from uuid import uuid4

import pytest

from adloom.errors import ConfigurationError
from adloom.mail.errors import MailFailed
from adloom.mail.message import compose, logo
from adloom.mail.smtp import SmtpMailer
from tests.unit.mail.smtp_server import serving

MESSAGE = compose("ana@example.com", "no_account", {}, None, "https://ads.example.com")
SENDER = "Adloom <hello@ads.example.com>"


def test_a_mail_arrives_as_text_and_html_with_its_logo() -> None:
    mail_id = uuid4()
    with serving() as server:
        provider_id = SmtpMailer(server.url, None, SENDER).send(MESSAGE, mail_id)

    (mail,) = server.mails
    assert provider_id == mail["Message-ID"] == f"<{mail_id}@ads.example.com>"
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, MESSAGE.address, MESSAGE.subject)
    parts = {part.get_content_type(): part for part in mail.walk() if isinstance(part, EmailMessage)}
    assert parts["text/plain"].get_content().split() == MESSAGE.text.split()
    assert parts["text/html"].get_content().split() == MESSAGE.html.split()
    assert parts["image/png"].get_content() == logo()
    assert parts["image/png"]["Content-ID"] == "<adloom-logo>"
    assert mail.get_content_type() == "multipart/alternative"


def test_the_user_logs_in_with_the_key() -> None:
    with serving() as server:
        SmtpMailer(server.url.replace("//", "//ana%40example.com@"), "s3cret", SENDER).send(MESSAGE, uuid4())

    (auth,) = [line for line in server.commands if line.startswith("AUTH")]
    assert base64.b64decode(auth.split()[2]) == b"\0ana@example.com\0s3cret"


@pytest.mark.parametrize(
    ("refusals", "permanent"),
    [
        ({"RCPT": "550 no such user"}, True),
        ({"RCPT": "450 mailbox busy"}, False),
        ({"DATA": "554 spam"}, False),
        ({"MAIL": "530 log in first"}, False),
        ({"EHLO": "421 closing", "HELO": "421 closing"}, False),
    ],
)
def test_a_refusal_says_whether_another_try_helps(refusals: dict[str, str], permanent: bool) -> None:
    with serving(**refusals) as server, pytest.raises(MailFailed) as caught:
        SmtpMailer(server.url, None, SENDER).send(MESSAGE, uuid4())

    assert caught.value.permanent is permanent
    assert MESSAGE.address not in caught.value.detail


def test_a_server_that_is_away_is_tried_again() -> None:
    with serving() as server:
        url = server.url
    with pytest.raises(MailFailed) as caught:
        SmtpMailer(url, None, SENDER).send(MESSAGE, uuid4())

    assert not caught.value.permanent


def test_a_server_elsewhere_is_not_spoken_to_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one here offers no STARTTLS; called by another name it gets no mail."""
    with serving(STARTTLS="502 not here") as server:
        monkeypatch.setattr("adloom.mail.smtp._LOOPBACK", frozenset())
        with pytest.raises(MailFailed):
            SmtpMailer(server.url, None, SENDER).send(MESSAGE, uuid4())

    assert server.mails == []


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://", ""])
def test_an_address_that_is_none_says_what_it_should_look_like(url: str) -> None:
    with pytest.raises(ConfigurationError, match="ADLOOM_SMTP_URL should read"):
        SmtpMailer(url, None, SENDER)
