"""Every route that anyone may call, in one list. A test compares it with the guards of all functions.

Each has its own limit per client address and, where it has one, its own credential.
"""

from __future__ import annotations

from dataclasses import dataclass

from adloom.web.limits import Counted

EVERY_FUNCTION = "*"


@dataclass(frozen=True)
class PublicRoute:
    function: str
    method: str
    path: str
    reason: str
    limit: str
    counted: Counted = "here"


HEALTH = PublicRoute(EVERY_FUNCTION, "GET", "/_/health", "Says only that the process lives", "6000/minute")
READY = PublicRoute(EVERY_FUNCTION, "GET", "/_/ready", "Says only whether requests can be served", "1200/minute")
OPENAPI = PublicRoute(EVERY_FUNCTION, "GET", "/openapi.json", "The description of the interface", "60/minute")
TICK = PublicRoute(EVERY_FUNCTION, "POST", "/", "A hint: does only what is due and answers no data", "120/minute")
EVENTS = PublicRoute(EVERY_FUNCTION, "POST", "/events", "Its credential is the signature of the event", "6000/minute")

# The limit that keeps guesses away is the handler's: it knows whose password is tried and from which browser. This one
# is for floods; were it tight, anyone at the same address could shut a person out.
LOGIN = PublicRoute("auth", "POST", "/login", "Its credential is the password", "6000/minute")
LOGIN_CODE = PublicRoute(
    "auth", "POST", "/login/code", "Its credentials are the challenge of the first step and the code", "6000/minute"
)
LOGIN_ENROL = PublicRoute(
    "auth", "POST", "/login/enrol", "Its credential is the challenge of the first step", "60/minute", "shared"
)
LOGIN_ENROL_CONFIRM = PublicRoute(
    "auth", "POST", "/login/enrol/confirm", "Its credentials are the challenge and the app's first code", "6000/minute"
)
SETUP_NEEDED = PublicRoute("auth", "GET", "/setup", "Says only which ways in there are", "60/minute")
INVITATION_LOOK = PublicRoute(
    "auth", "POST", "/invitations/look", "Its credential is the mailed link", "60/minute", "shared"
)
INVITATION_ACCEPT = PublicRoute(
    "auth", "POST", "/invitations/accept", "Its credential is the mailed link", "60/minute", "shared"
)
REGISTER = PublicRoute(
    "auth", "POST", "/registrations", "Writes a mail, and only where registration is on", "6000/minute"
)
REGISTER_ACCEPT = PublicRoute(
    "auth", "POST", "/registrations/accept", "Its credential is the mailed link", "60/minute", "shared"
)
RESET_ASK = PublicRoute("auth", "POST", "/password/forgotten", "Writes a mail and says nothing", "6000/minute")
RESET = PublicRoute("auth", "POST", "/password/reset", "Its credential is the mailed link", "6000/minute")
VERIFY = PublicRoute("auth", "POST", "/email/verify", "Its credential is the mailed link", "60/minute", "shared")
SSO_PROVIDERS = PublicRoute("auth", "GET", "/sso", "Says only which providers the deployment has", "60/minute")
# Each makes us ask the provider, so an address has few of them; nobody passes while they cannot be counted.
SSO_START = PublicRoute(
    "auth", "POST", "/sso/start", "Sends a browser to the provider and opens nothing", "30/minute", "strict"
)
SSO_FINISH = PublicRoute(
    *("auth", "POST", "/sso/finish"),
    "Its credentials are the state, the browser's cookie and the provider's code",
    "30/minute",
    "strict",
)
CALLBACK = PublicRoute(
    "oauth-callback",
    "GET",
    "/callback",
    "The platform sends a browser here; its credential is the state",
    "30/minute",
    "shared",
)

ACCOUNTS = (
    *(SETUP_NEEDED, LOGIN, LOGIN_CODE, LOGIN_ENROL, LOGIN_ENROL_CONFIRM, INVITATION_LOOK, INVITATION_ACCEPT),
    *(REGISTER, REGISTER_ACCEPT, RESET_ASK, RESET, VERIFY, SSO_PROVIDERS, SSO_START, SSO_FINISH),
)

PUBLIC_ROUTES = (HEALTH, READY, OPENAPI, TICK, EVENTS, *ACCOUNTS, CALLBACK)
