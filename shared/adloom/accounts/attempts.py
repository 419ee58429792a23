"""Attempts at a password, a code or a reset: how often, and so that nobody can lock a person out.

An attempt counts for its address and for the account it is about. One from a browser that this person has logged in
with before counts for that browser alone: strangers who use up the account's attempts, or the address's, leave it be.
All of it is counted in Postgres and fails closed.
"""

from __future__ import annotations

from adloom.accounts.settings import Auth
from adloom.identity import devices
from adloom.web.client_address import limit_key

# One person who mistypes; what guesses passwords is faster.
ATTEMPTS = "5/minute"
# Nobody needs more mails of one kind; what fills a stranger's mailbox does.
MAILS = "5/hour"


def count(app: Auth, what: str, email: str, device: str | None) -> None:
    """Count an attempt at `what` (login, code, reset, ...) of the account of this e-mail address; TooManyRequests when
    there were too many. `device` is the token of the browser, if it has one.
    """
    account = email.strip().lower()
    if (known := devices.known(app.database(), account, device)) is not None:
        app.check_limit(ATTEMPTS, what, "device", str(known))
        return
    # The address first: what it may no longer do is not counted against the account.
    app.check_limit(ATTEMPTS, what, "address", limit_key(app.client_address()))
    app.check_limit(ATTEMPTS, what, "account", account)


def count_mail(app: Auth, what: str, email: str, device: str | None) -> None:
    """Count a mail that anybody can have us write to this address; TooManyRequests when there were too many. Whoever
    has mails sent there to use them up leaves the person's own browser its share.
    """
    account = email.strip().lower()
    known = devices.known(app.database(), account, device)
    app.check_limit(MAILS, what, *(("account", account) if known is None else ("device", str(known))))
