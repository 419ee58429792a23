"""Log-ins by identity providers, and the identities that a person has linked.

The dashboard sends a browser on its way and takes it back; the code goes from there to `POST /sso/finish`, so that no
credential of ours ever stands in an address.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from adloom.accounts import sso
from adloom.accounts.logins import NewSession
from adloom.accounts.models import DeviceToken, person_of
from adloom.accounts.second_step import LoginChallenge
from adloom.accounts.settings import Auth
from adloom.identity import people
from adloom.identity.tokens import token_hash
from adloom.sso import identities
from adloom.sso.provider import Key
from adloom.sso.states import Leaving, Return
from adloom.web import Guard, Principal, RequestModel
from adloom.web.public import SSO_FINISH, SSO_PROVIDERS, SSO_START

Browser = Annotated[str, StringConstraints(min_length=32, max_length=200)]
# A path of the dashboard's; where it leads is the dashboard's to check, before and after.
Target = Annotated[str, StringConstraints(pattern=r"^/", max_length=2000)]
State = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=4096)]


class LinkRequest(RequestModel):
    provider: Key
    browser: Browser = Field(description="The value of the browser's cookie that the log-in is bound to")


class StartRequest(LinkRequest):
    target: Target = Field(default="/", description="The page to go to afterwards")
    device: DeviceToken | None = Field(default=None, description="What an earlier log-in of this browser answered")


class FinishRequest(LinkRequest):
    """What the provider sent the browser back with."""

    state: State
    code: Text | None = None
    error: Text | None = None
    iss: Text | None = None


class ProviderShown(BaseModel):
    key: Key
    name: str


class Providers(BaseModel):
    providers: list[ProviderShown]


class Started(BaseModel):
    authorize_url: str = Field(description="Send the browser there; it is good for ten minutes and one log-in")


class IdentityShown(BaseModel):
    identity_id: UUID
    provider: Key
    name: str = Field(description="The provider's")
    email: str = Field(description="What the provider said when it was linked; it identifies nobody")
    created_at: datetime
    last_used_at: datetime | None


class Identities(BaseModel):
    identities: list[IdentityShown]
    has_password: bool = Field(description="Without one the last identity stays, and a step-up needs one first")


class SsoAnswer(BaseModel):
    """`login` is a session or what is missing for one; null when an identity was linked."""

    target: str
    login: NewSession | LoginChallenge | None = None
    linked: Key | None = None


def add(app: Auth) -> None:
    app.on_start(lambda: sso.check_settings(app))
    _add_way(app)
    _add_own(app)


def _add_way(app: Auth) -> None:
    @app.public(SSO_PROVIDERS, summary="The providers that people may log in by")
    def providers() -> Providers:
        known = app.settings().providers.values()
        return Providers(providers=[ProviderShown(key=one.key, name=one.name) for one in known])

    @app.public(SSO_START, summary="Begin a log-in by a provider", problems=(404, 503))
    def start(body: StartRequest) -> Started:
        device = token_hash(body.device) if body.device else None
        return Started(authorize_url=sso.start(app, body.provider, Leaving(body.browser, body.target, device)))

    @app.public(SSO_FINISH, summary="Take a browser back from a provider", problems=(401, 403, 404, 409, 503))
    def finish_sso(body: FinishRequest) -> SsoAnswer:
        came = Return(body.state, body.browser, body.code, body.error, body.iss)
        claimed, outcome = sso.finish(app, body.provider, came)
        if outcome is None:
            return SsoAnswer(target=claimed.target, linked=body.provider)
        return SsoAnswer(target=claimed.target, login=outcome)


def _add_own(app: Auth) -> None:
    @app.route_model(
        "POST",
        "/sso/link",
        guard=Guard.session(fresh=True),
        summary="Begin to link an identity with my account",
        problems=(404, 503),
    )
    def link(body: LinkRequest, principal: Principal) -> Started:
        leaving = Leaving(
            body.browser, sso.AFTER_LINKING, user_id=person_of(principal), session_id=principal.session_id
        )
        return Started(authorize_url=sso.start(app, body.provider, leaving))

    @app.route_model("GET", "/sso/identities", guard=Guard.session(), summary="The identities I have linked")
    def my_identities(principal: Principal) -> Identities:
        names: dict[str, str] = {one.key: one.name for one in app.settings().providers.values()}
        with people.at_home(app.database(), person_of(principal)) as (connection, person):
            found = identities.every(connection, person.user_id)
            has_password = identities.has_password(connection, person.user_id)
        shown = [IdentityShown(**vars(each), name=names.get(each.provider, each.provider)) for each in found]
        return Identities(identities=shown, has_password=has_password)

    @app.route_model(
        "DELETE",
        "/sso/identities/<identity_id>",
        guard=Guard.session(fresh=True),
        summary="Unlink an identity; never the last way to log in",
        status=204,
        problems=(409,),
    )
    def unlink(identity_id: UUID, principal: Principal) -> None:
        sso.unlink(app, person_of(principal), identity_id)
