"""The sandbox as Resend: its unmodified SDK is the client."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import resend

from adloom.mail.errors import MailFailed
from adloom.mail.message import Message, compose
from adloom.mail.resend import ResendMailer
from tests.unit.sandbox.support import KEY, MAIL_KEY, Sandbox, sandbox

__all__ = ["sandbox"]

LINK = "https://ads.example.com/reset#adl_r_" + "x" * 43
MESSAGE = compose(
    "ana@example.com", "reset_password", {"name": "Ana", "valid": "1 hour"}, LINK, "https://ads.example.com"
)
SENDER = "Adloom <hello@ads.example.com>"


@pytest.fixture(autouse=True)
def empty(sandbox: Sandbox) -> None:
    sandbox.faults()
    sandbox.control("DELETE", "mails")
    sandbox.control("DELETE", "requests")


def send(sandbox: Sandbox, message: Message = MESSAGE, mail_id: UUID | None = None, key: str = MAIL_KEY) -> str:
    return ResendMailer(key, SENDER, f"{sandbox.url}/resend").send(message, mail_id or uuid4())


def test_a_mail_that_was_handed_over_lies_in_the_mailbox(sandbox: Sandbox) -> None:
    mail_id = send(sandbox)

    (mail,) = sandbox.mails()
    assert mail["id"] == mail_id
    assert (mail["to"], mail["from"], mail["subject"]) == (["ana@example.com"], SENDER, MESSAGE.subject)
    assert (mail["text"], mail["html"]) == (MESSAGE.text, MESSAGE.html)
    assert resend.Emails.get(mail_id)["last_event"] == "delivered"


def test_the_same_mail_twice_is_one_mail(sandbox: Sandbox) -> None:
    mail_id = uuid4()

    assert send(sandbox, mail_id=mail_id) == send(sandbox, mail_id=mail_id)
    assert len(sandbox.mails()) == 1
    other = compose("ana@example.com", "no_account", {}, None, "https://ads.example.com")
    with pytest.raises(MailFailed, match="409 invalid_idempotent_request"):
        send(sandbox, other, mail_id)


@pytest.mark.parametrize("key", ["re_wrong", MAIL_KEY + "x"])
def test_a_wrong_key_is_the_operators_to_mend(sandbox: Sandbox, key: str) -> None:
    with pytest.raises(MailFailed, match="403 invalid_api_key") as caught:
        send(sandbox, key=key)

    assert not caught.value.permanent
    assert sandbox.mails() == []


def test_an_address_that_is_none_is_never_tried_again(sandbox: Sandbox) -> None:
    with pytest.raises(MailFailed) as caught:
        send(sandbox, compose("nobody", "no_account", {}, None, "https://ads.example.com"))

    assert caught.value.permanent


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (
            {
                "kind": "error",
                "status": 429,
                "headers": {"retry-after": "3"},
                "body": {"statusCode": 429, "name": "rate_limit_exceeded", "message": "Too many requests"},
            },
            3.0,
        ),
        (
            {"kind": "error", "status": 500, "body": {"statusCode": 500, "name": "application_error", "message": "x"}},
            None,
        ),
        ({"kind": "error", "status": 502, "body": "<html>Bad gateway</html>"}, None),
        ({"kind": "truncate"}, None),
        ({"kind": "hang", "seconds": 0.3}, None),
    ],
)
def test_a_fault_that_passes_is_tried_again(sandbox: Sandbox, fault: dict[str, Any], wait: float | None) -> None:
    sandbox.faults({"match": {"path": "^resend/emails"}, "fault": fault})
    mail_id = uuid4()

    with pytest.raises(MailFailed) as caught:
        send(sandbox, mail_id=mail_id)
    assert (caught.value.permanent, caught.value.retry_after) == (False, wait)
    send(sandbox, mail_id=mail_id)
    assert len(sandbox.mails()) == 1


def test_the_request_log_shows_no_mail(sandbox: Sandbox) -> None:
    send(sandbox)

    (request,) = sandbox.control("GET", "requests")["requests"]
    assert (request["method"], request["path"], request["status"]) == ("POST", "resend/emails", 200)
    assert set(request["params"]) == {"idempotency_key"}
    assert "adl_r_" not in (sandbox.home / "log.jsonl").read_text()


def test_the_mailbox_is_a_page(sandbox: Sandbox) -> None:
    hostile = compose(
        "ana@example.com", "email_changed", {"name": "<script>x</script>", "when": "now"}, None, "https://a"
    )
    send(sandbox)
    send(sandbox, Message("ana@example.com", "<b>bold</b>", hostile.text, hostile.html))

    listed = httpx.get(f"{sandbox.url}/mailbox")
    assert MESSAGE.subject in listed.text
    assert "&lt;b&gt;bold" in listed.text
    address = re.findall(r'href="(/mailbox/[^"]+)"', listed.text)[1]
    assert "<iframe" in httpx.get(sandbox.url + address).text
    shown = httpx.get(f"{sandbox.url}{address}/html")
    assert LINK in shown.text
    assert "data:image/png;base64," in shown.text
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert httpx.get(f"{sandbox.url}/mailbox/nothing").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-For": "203.0.113.5"}, {"Host": "evil.example"}, {"Via": "1.1 proxy"}, {"Forwarded": "for=x"}],
)
def test_the_mailbox_is_closed_to_everybody_but_this_machine(sandbox: Sandbox, headers: dict[str, str]) -> None:
    mail_id = send(sandbox)

    for path in ("", f"/{mail_id}", f"/{mail_id}/html"):
        answer = httpx.get(f"{sandbox.url}/mailbox{path}", headers=headers)
        assert answer.status_code == 401
        assert "Choose a new password" not in answer.text
        wrong = httpx.get(f"{sandbox.url}/mailbox{path}", headers=headers, auth=("ana", "wrong"))
        assert wrong.status_code == 401
        assert httpx.get(f"{sandbox.url}/mailbox{path}", headers=headers, auth=("ana", KEY)).status_code == 200
