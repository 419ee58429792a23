"""The outbox of mails. A mail is written in the caller's transaction and sent when, and only when, that commits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from adloom.mail.templates import TEMPLATES


def enqueue(
    connection: Connection,
    org_id: UUID,
    user_id: UUID | None,
    template: str,
    data: Mapping[str, str],
    *,
    address: str | None = None,
    link: bytes | None = None,
    expires_at: datetime | None = None,
) -> UUID:
    """Write a mail to a person of this organisation; its id.

    `template` is a name in `adloom.mail.templates.TEMPLATES`, `data` what that asks for, without any link: a link is
    a credential, so it comes as `link`, sealed with the ring `mail-ring` (`KeyRing.seal`). The mail goes to the
    person's address, or to `address` where there is no person yet. What was not sent by `expires_at` (real time, a
    day from now if not said) is not sent any more. ValueError for a template or data that do not fit each other.
    """
    TEMPLATES[template].check(data, has_link=link is not None)
    mail_id = uuid4()
    # Not every role that writes mails may look people up.
    to = ":address" if address is not None else "(select email from users where user_id = :user)"
    connection.execute(
        text(
            "insert into mail_outbox (mail_id, org_id, user_id, address, template, data, link, expires_at)"
            f" select :mail, :org, :user, {to},"
            " :template, cast(:data as jsonb), :link, coalesce(:expires, now() + interval '1 day')"
        ),
        {
            "mail": mail_id,
            "org": org_id,
            "user": user_id,
            **({"address": address} if address is not None else {}),
            "template": template,
            "data": json.dumps(dict(data)),
            "link": link,
            "expires": expires_at,
        },
    )
    return mail_id
