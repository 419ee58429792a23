"""The mails that `auth` sends: at once where it can, else at the next tick."""

from __future__ import annotations

from flask import Response, request

from adloom.accounts.settings import Auth
from adloom.clock import real_now
from adloom.errors import Conflict
from adloom.keyring import KeyRing
from adloom.mail import sender

_EXTENSION = "adloom.postbox"
_ERROR = 400


def add(app: Auth) -> None:
    """Send what a request has put into the outbox as soon as it is answered."""

    @app.after_request
    def send_soon(response: Response) -> Response:
        if request.method != "GET" and response.status_code < _ERROR:
            postbox(app).wake()
        return response


def postbox(app: Auth) -> sender.Postbox:
    """The postbox of this process."""
    own = sender.Postbox(app.database, app.settings, app.settings().public_url, ring=lambda: ring(app))
    found: sender.Postbox = app.extensions.setdefault(_EXTENSION, own)
    return found


def ring(app: Auth) -> KeyRing:
    """The ring of links in mails."""
    return KeyRing(lambda: app.secret("mail_ring"), "mail-ring")


def seal(app: Auth, link: str) -> bytes:
    """A link as the outbox takes it."""
    return ring(app).seal(link)


def address(app: Auth, path: str) -> str:
    """A page of the dashboard."""
    return app.settings().public_url.rstrip("/") + path


def sealed_link(app: Auth, path: str, token: str) -> bytes:
    """The link to a page that takes the token over and drops it from its address at once."""
    return seal(app, f"{address(app, path)}?token={token}")


def need_mails(app: Auth) -> None:
    """Conflict where no mails are sent."""
    if not app.settings().sends_mails:
        raise Conflict("This installation sends no mails: its operator has set up none.", code="mail_off")


def when() -> str:
    """The moment, as mails say it."""
    return f"{real_now():%Y-%m-%d %H:%M} UTC"


def send_due(app: Auth) -> None:
    """The tick's part: what is due, and what can be forgotten."""
    postbox(app).send_due()
    sender.purge(app.database())
