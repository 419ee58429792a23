"""What becomes of somebody whom a provider vouches for: a log-in, a linked identity, a new viewer, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from adloom import audit, logs
from adloom.accounts import post, second_step
from adloom.accounts.logins import NewSession
from adloom.accounts.second_step import LoginChallenge
from adloom.accounts.settings import Auth
from adloom.errors import AdloomError, Forbidden, NotFound
from adloom.identity import members, people, sessions
from adloom.identity.proof import Proven
from adloom.mail import enqueue
from adloom.sso import identities, states
from adloom.sso.claims import Claims
from adloom.sso.domains import domain_of
from adloom.sso.identities import Known
from adloom.sso.provider import Provider

if TYPE_CHECKING:
    from adloom.sso.discovery import Directory

AFTER_LINKING = "/settings/security"
_EXTENSION = "adloom.sso"
_SAID = 256

log = logs.get(__name__)


def check_settings(app: Auth) -> None:
    """ConfigurationError at the start, not at the first log-in."""
    _ = app.settings().providers, app.settings().domains


def start(app: Auth, key: str, leaving: states.Leaving) -> str:
    """Where to send the browser."""
    from adloom.sso import walk  # httpx and Authlib, which only such a log-in needs

    provider = _provider(app, key)
    try:
        return walk.start(app.database(), _directory(app), provider, _redirect_uri(app, provider), leaving)
    except AdloomError as error:
        _log(provider, error)
        raise


def finish(app: Auth, key: str, came: states.Return) -> tuple[states.Claimed, NewSession | LoginChallenge | None]:
    """Take a browser back: a log-in, or None where an identity was linked."""
    from adloom.sso import walk  # as above

    provider = _provider(app, key)
    try:
        claimed = states.claim(app.database(), provider, came)
        claims = walk.finish(_directory(app), provider, _redirect_uri(app, provider), came)
        if claimed.user_id is not None:
            _link(app, provider, claims, claimed.user_id)
            return claimed, None
        return claimed, _log_in(app, provider, claims, claimed.device)
    except AdloomError as error:
        _log(provider, error)
        audit.note_first(
            app.database(),
            "sso.failed",
            app.client_address(),
            org_id=None,
            target=("provider", provider.key),
            new={"reason": getattr(error, "reason", error.code)},
        )
        raise


def unlink(app: Auth, user_id: UUID, identity_id: UUID) -> None:
    with people.at_home(app.database(), user_id) as (connection, person):
        provider = identities.remove(connection, person, identity_id)
        tell = second_step.told(app, person) | {"provider": _name(app, provider)}
        enqueue(connection, person.home, user_id, "sso_unlinked", tell)
        audit.record(
            connection,
            "sso.unlinked",
            org_id=person.home,
            target=("identity", identity_id),
            old={"provider": provider, "user_id": str(user_id)},
        )


def _log_in(app: Auth, provider: Provider, claims: Claims, device: bytes | None) -> NewSession | LoginChallenge:
    known = identities.find(app.database(), claims) or _arrive(app, provider, claims)
    if known.org_id is None:
        raise Forbidden("You are a member of no organisation here any more.", code="no_member")
    with app.database().tenant(known.home) as connection:
        identities.note_use(connection, known.identity_id)
    return second_step.after_identity(app, Proven(known.user_id, known.org_id), known.identity_id, device)


def _arrive(app: Auth, provider: Provider, claims: Claims) -> Known:
    """Somebody who was never here: a viewer, where the address's domain is let in. An address is only ever believed
    that the provider has verified, and it opens no account that there is.
    """
    email = claims.email
    if email is None or not claims.email_verified:
        raise Forbidden(
            f"{provider.name} does not say that your e-mail address is yours, and nobody here is linked with this "
            "identity.",
            code="email_unverified",
        )
    if identities.has_account(app.database(), email):
        raise Forbidden(
            f"There is an account of {email} here already. Log in with its password, then link {provider.name} on the "
            "security page.",
            code="link_first",
        )
    org_id = _organisation(app, provider, claims, domain_of(email))
    name = claims.name or email.partition("@")[0]
    with app.database().tenant(org_id) as connection:
        user_id = members.add_without_password(connection, org_id, email, name)
        identity_id = identities.add(connection, org_id, user_id, provider.key, claims)
        audit.record(
            connection,
            "member.added",
            org_id=org_id,
            target=("member", user_id),
            new={"email": email, "role": "viewer", "accounts": None, "provider": provider.key},
            actor=audit.actor().known_as(user_id),
        )
    log.info("sso_arrived", provider=provider.key, user_id=str(user_id), org_id=str(org_id))
    return Known(identity_id, user_id, org_id, org_id)


def _organisation(app: Auth, provider: Provider, claims: Claims, domain: str) -> UUID:
    """Where new people of this domain go; Forbidden where they may not come."""
    domains = app.settings().domains
    if domain not in domains or (provider.hosted_domains and claims.hosted_domain != domain):
        raise Forbidden("Nobody here is linked with this identity. Ask for an invitation.", code="not_invited")
    named = domains.organisation(domain)
    found = sessions.every_organisation(app.database())
    if named is None and len(found) == 1:
        return found[0]
    if named is None or named not in found:
        log.error("sso_no_organisation", domain=domain)  # the operator's: ADLOOM_SSO_DOMAINS
        raise Forbidden(
            "It is not settled which organisation people of your domain belong to. Ask the person who looks after "
            "Adloom.",
            code="no_organisation",
        )
    return named


def _link(app: Auth, provider: Provider, claims: Claims, user_id: UUID) -> None:
    """Twice is harmless. Conflict where the identity is somebody else's."""
    known = identities.find(app.database(), claims)
    if known is not None and known.user_id == user_id:
        return
    with people.at_home(app.database(), user_id) as (connection, person):
        identity_id = identities.add(connection, person.home, user_id, provider.key, claims)
        tell = second_step.told(app, person) | {"provider": provider.name}
        enqueue(connection, person.home, user_id, "sso_linked", tell)
        audit.record(
            connection,
            "sso.linked",
            org_id=person.home,
            target=("identity", identity_id),
            new={"provider": provider.key, "email": claims.email, "user_id": str(user_id)},
            actor=audit.actor().known_as(user_id),
        )


def _provider(app: Auth, key: str) -> Provider:
    found = app.settings().providers.get(key)
    if found is None:
        raise NotFound("People do not log in by this provider here.", code="provider_unknown")
    return found


def _name(app: Auth, key: str) -> str:
    found = app.settings().providers.get(key)
    return found.name if found else key


def _redirect_uri(app: Auth, provider: Provider) -> str:
    """One for each provider, so that none can answer in another's place."""
    return post.address(app, f"/sso/callback/{provider.key}")


def _directory(app: Auth) -> Directory:
    from adloom.sso.discovery import Directory  # as above

    directory: Directory = app.extensions.setdefault(_EXTENSION, Directory())
    return directory


def _log(provider: Provider, error: AdloomError) -> None:
    log.warning("sso_failed", provider=provider.key, code=error.code, reason=getattr(error, "reason", "")[:_SAID])
