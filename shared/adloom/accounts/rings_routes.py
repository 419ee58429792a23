"""The rings of `auth`: the secrets of authenticator apps, and the links in mails that wait."""

from __future__ import annotations

from functools import partial

from sqlalchemy import text

from adloom.accounts.settings import Auth
from adloom.db.resealing import Round, Sealed, reseal
from adloom.keyring import KeyRing, Newest
from adloom.web import rings_routes
from adloom.web.rings_routes import Ring

APPS = tuple(
    Sealed(
        f"select user_id as key, {column} as sealed from authenticators where {column} is not null",
        f"update authenticators set {column} = :new where user_id = :key and {column} = :old returning 1",
    )
    for column in ("secret", "pending")
)
LINKS = (
    Sealed(
        # Every one: one that is not looked at could not be opened any more once the older keys are gone.
        "select mail_id as key, link as sealed from sealed_links(null)",
        "select 1 where reseal_link(:key, :old, :new)",
    ),
)


def add(app: Auth) -> None:
    def apps(ring: KeyRing, newest: Newest) -> Round:
        with app.database().system() as connection:
            organisations = connection.execute(text("select org_id from all_organisations()")).scalars().all()
        done = Round()
        for org_id in organisations:
            done += reseal(partial(app.database().tenant, org_id), APPS, ring, newest)
        return done

    def links(ring: KeyRing, newest: Newest) -> Round:
        return reseal(app.database().system, LINKS, ring, newest)

    rings_routes.add(app, {"mfa": Ring("mfa_ring", apps), "mail": Ring("mail_ring", links)})
