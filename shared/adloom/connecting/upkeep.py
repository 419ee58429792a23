"""What is looked after by itself: whether accesses still work, that they are prolonged, and that people are warned."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from adloom.connecting.settings import Callback, oauth, vault
from adloom.connections import checking, renewal, store, subscriptions, warnings
from adloom.metrics import failures
from adloom.platforms import apps
from adloom.web import Principal

# One tick does no more of each, so that it ends in time; the next one goes on.
MOST_PER_TICK = 20


def check(app: Callback, principal: Principal, connection_id: UUID) -> None:
    """Ask the platform whether a connection works, and note what it says. NotFound for one that is out of scope."""
    org_id = principal.org_id
    with app.database().tenant(org_id, principal.account_scope) as connection:
        store.one(connection, connection_id)
    checking.check(
        app.database(), vault(app), partial(oauth, app), org_id, connection_id, broken=failures.break_connection
    )


def tick(app: Callback) -> None:
    """Prolong what ends soon, warn of what could not be prolonged, and subscribe what connections want told."""
    if app.settings().meta_app_id:
        renewed = 0
        while renewed < MOST_PER_TICK and renewal.renew_next(
            app.database(), vault(app), apps.meta_oauth(app.settings()), broken=failures.break_connection
        ):
            renewed += 1
    for days in warnings.DAYS:
        warned = 0
        while warned < MOST_PER_TICK and warnings.warn_next(app.database(), days):
            warned += 1
    if app.settings().meta_app_id:
        # Behind the warnings: a platform that does not answer may take all the time that a tick has.
        subscriptions.settle_due(app.database(), vault(app), apps.meta_hooks(app.settings()), MOST_PER_TICK)
