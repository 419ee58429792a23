"""What the ring of platform tokens has closed: tokens, tokens of pages, and verifiers of log-ins under way."""

from __future__ import annotations

from functools import partial

from sqlalchemy import text

from adloom.db import Database
from adloom.db.resealing import Round, Sealed, reseal
from adloom.keyring import KeyRing, Newest

COLUMNS = (
    Sealed(
        "select connection_id as key, ciphertext as sealed from connection_tokens",
        "update connection_tokens set ciphertext = :new where connection_id = :key and ciphertext = :old returning 1",
    ),
    Sealed(
        "select array[connection_id::text, target, external_id] as key, ciphertext as sealed"
        " from connection_subscriptions where ciphertext is not null",
        "update connection_subscriptions set ciphertext = :new where ciphertext = :old"
        " and array[connection_id::text, target, external_id] = cast(:key as text[]) returning 1",
    ),
    Sealed(
        "select state_hash as key, verifier as sealed from oauth_states where verifier is not null",
        "update oauth_states set verifier = :new where state_hash = :key and verifier = :old returning 1",
    ),
)


def turn(database: Database, ring: KeyRing, newest: Newest) -> Round:
    """One round over every organisation."""
    with database.system() as connection:
        organisations = connection.execute(text("select org_id from all_organisations()")).scalars().all()
    done = Round()
    for org_id in organisations:
        done += reseal(partial(database.tenant, org_id), COLUMNS, ring, newest)
    return done
