"""Puts the function together: what it answers, hears and looks after."""

from __future__ import annotations

from functools import partial

from adloom.connecting import connections_routes, login_routes, upkeep
from adloom.connecting.settings import Callback, oauth, vault
from adloom.connections import ending, flow, resealing
from adloom.web import rings_routes
from adloom.web.rings_routes import Ring


def serve(app: Callback) -> None:
    """Make `app` the function that people connect platforms with."""

    @app.on_start
    def check_token_ring() -> None:
        vault(app)

    login_routes.add(app)
    connections_routes.add(app)
    tokens = Ring("token_ring", lambda ring, newest: resealing.turn(app.database(), ring, newest))
    rings_routes.add(app, {"token": tokens})

    @app.tick
    def keep_up() -> None:
        flow.purge(app.database())
        upkeep.tick(app)
        # Last: what a platform does not want to hear keeps no access from being prolonged.
        ending.go_on(app.database(), vault(app), partial(oauth, app))
