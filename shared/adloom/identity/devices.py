"""Browsers that a person has logged in with.

Whoever tries a password from such a browser has a limit of its own, so that no stranger who tries passwords can lock
the person out. A browser is known by an opaque token that it got after a log-in; it is good for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, cast
from uuid import UUID

from sqlalchemy import Connection, text

from adloom.db import Database
from adloom.identity.tokens import new_device_token, token_hash

LIFE = timedelta(days=365)

News = Literal["known", "first", "new"]


@dataclass(frozen=True)
class Remembered:
    """The browser of a log-in. `token` is what it shall keep from now on; None when it keeps what it has.

    `news` is `new` when the person should hear of it: it is not the person's first browser of all, and not known.
    """

    device_id: UUID
    token: str | None
    news: News


def known(database: Database, email: str, token: str | None) -> UUID | None:
    """The browser's id when this very person has logged in with it before."""
    if not token:
        return None
    with database.statements() as connection:
        query = text("select known_device(:email, :hash)")
        return cast("UUID | None", connection.execute(query, {"email": email, "hash": token_hash(token)}).scalar())


def remember(
    connection: Connection, user_id: UUID, token: str | None, name: str, *, hashed: bytes | None = None
) -> Remembered:
    """Note a log-in with a browser. A token that is not this person's is replaced, wherever it came from: somebody
    who planted it in the browser would know it. `hashed` is the hash of a token that is not at hand.
    """
    fresh = new_device_token()
    row = connection.execute(
        text("select device_id, news from remember_device(:user, :hash, :new, :name, :life)"),
        {
            "user": user_id,
            "hash": hashed or token_hash(token or fresh),
            "new": token_hash(fresh),
            "name": name,
            "life": LIFE,
        },
    ).one()
    return Remembered(row.device_id, None if row.news == "known" else fresh, row.news)


def forget(connection: Connection, user_id: UUID, *, but: UUID | None = None) -> None:
    """Forget the person's browsers; `but` is the one in use."""
    connection.execute(text("select forget_devices(:user, :but)"), {"user": user_id, "but": but})


def purge(database: Database) -> None:
    """Delete the browsers that were not used for a year, and the limits that are over."""
    with database.system() as connection:
        connection.execute(text("select purge_devices(), purge_rate_limits()"))
