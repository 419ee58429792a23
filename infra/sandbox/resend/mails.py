"""The mails that were handed over. In memory only: they hold links that open accounts."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

import msgspec

_KEPT = 500


class Attachment(msgspec.Struct):
    """A file inside a mail; `content` in base64."""

    filename: str = ""
    content: str = ""
    content_type: str = ""
    content_id: str = ""


class Params(msgspec.Struct, rename={"sender": "from"}):
    """The body of `POST /emails`, as far as we send it. https://resend.com/docs/api-reference/emails/send-email"""

    sender: str
    to: str | list[str]
    subject: str
    html: str = ""
    text: str = ""
    attachments: list[Attachment] = []

    @property
    def addresses(self) -> list[str]:
        return [self.to] if isinstance(self.to, str) else self.to


class Mail(msgspec.Struct):
    """One mail as it lies in the mailbox."""

    id: str
    at: datetime
    params: Params

    def shown(self) -> dict[str, Any]:
        """As `GET /emails/{id}` shows it."""
        return {
            "object": "email",
            "id": self.id,
            "to": self.params.addresses,
            "from": self.params.sender,
            "created_at": self.at.isoformat(),
            "subject": self.params.subject,
            "html": self.params.html,
            "text": self.params.text,
            "last_event": "delivered",
        }


class SameKeyOtherMailError(Exception):
    """An idempotency key came again with another mail."""


class Mails:
    """The newest mails, and what was handed over under which idempotency key."""

    def __init__(self) -> None:
        self._mails: OrderedDict[str, Mail] = OrderedDict()
        self._keys: OrderedDict[str, tuple[bytes, str]] = OrderedDict()

    def take(self, params: Params, key: str) -> str:
        """Keep a mail; its id, which is the earlier one where the key came before with the same mail."""
        body = msgspec.json.encode(params)
        if key and (known := self._keys.get(key)):
            if known[0] != body:
                raise SameKeyOtherMailError
            return known[1]
        mail = Mail(str(uuid.uuid4()), datetime.now(UTC), params)
        self._mails[mail.id] = mail
        if key:
            self._keys[key] = (body, mail.id)
        for kept in (self._mails, self._keys):
            while len(kept) > _KEPT:
                kept.popitem(last=False)
        return mail.id

    def get(self, mail_id: str) -> Mail | None:
        return self._mails.get(mail_id)

    def newest_first(self) -> list[Mail]:
        return list(reversed(self._mails.values()))

    def clear(self) -> None:
        self._mails.clear()
