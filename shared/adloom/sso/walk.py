"""A browser's way to a provider and back: what Authlib makes of it, and what is done with the answers."""

from __future__ import annotations

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from adloom.db import Database
from adloom.errors import Forbidden, InvalidRequest
from adloom.sso import fetch, states, tokens
from adloom.sso.claims import Claims
from adloom.sso.discovery import Directory, Metadata
from adloom.sso.errors import NotProven
from adloom.sso.fetch import Hurry
from adloom.sso.provider import Provider
from adloom.sso.states import Leaving, Return

SCOPE = "openid email profile"
_LONGEST = 4096
_OK = 200


def start(database: Database, directory: Directory, provider: Provider, redirect_uri: str, leaving: Leaving) -> str:
    """Where to send the browser. ProviderSilent when the provider does not say where."""
    metadata = directory.metadata(provider, Hurry())
    state = states.begin(database, provider, leaving)
    url: str = prepare_grant_uri(
        metadata.authorization_endpoint,
        provider.client_id,
        "code",
        redirect_uri=redirect_uri,
        scope=SCOPE,
        state=state,
        nonce=states.derived("nonce", state, leaving.browser),
        code_challenge=create_s256_code_challenge(states.derived("verifier", state, leaving.browser)),
        code_challenge_method="S256",
        # Whoever has several accounts there is asked which.
        prompt="select_account",
    )
    return url


def finish(directory: Directory, provider: Provider, redirect_uri: str, came: Return) -> Claims:
    """Who it is, after `claim`. NotProven, ProviderSilent; Forbidden when the person did not want to."""
    hurry = Hurry()
    metadata = directory.metadata(provider, hurry)
    _check_issuer(provider, metadata, came.issuer)
    if came.error is not None:
        raise _declined(provider, came.error)
    if not came.code or len(came.code) > _LONGEST:
        raise InvalidRequest("The provider sent no code along. Begin again.", code="code_missing")
    form = prepare_token_request(
        "authorization_code",
        code=came.code,
        redirect_uri=redirect_uri,
        code_verifier=states.derived("verifier", came.state, came.browser),
    )
    return tokens.read(
        _exchange(provider, metadata, hurry, form),
        provider,
        metadata.algorithms,
        lambda header: directory.key(provider, metadata, header, hurry),
        states.derived("nonce", came.state, came.browser),
    )


def _check_issuer(provider: Provider, metadata: Metadata, named: str | None) -> None:
    """RFC 9207: another provider's answer is none of this one's."""
    if named is None and not metadata.names_itself:
        return
    if named != provider.issuer:
        raise NotProven(provider.name, "iss of the answer")


def _exchange(provider: Provider, metadata: Metadata, hurry: Hurry, form: str) -> object:
    """The ID token for the code. What else the provider gives is not looked at and not kept."""
    way = "client_secret_post" if metadata.secret_in_body else "client_secret_basic"
    client = ClientAuth(provider.client_id, provider.client_secret.get_secret_value(), way)
    url, headers, body = client.prepare("POST", metadata.token_endpoint, {}, form)
    status, answer = fetch.post(provider, hurry, url, headers, body)
    if status != _OK:
        raise NotProven(provider.name, f"the code was answered {status} {str(answer.get('error'))[:40]!r}")
    return answer.get("id_token")


def _declined(provider: Provider, error: str) -> Exception:
    if error == "access_denied":
        return Forbidden(f"{provider.name} let nobody in: you did not agree there.", code="access_denied")
    return NotProven(provider.name, f"the answer is an error, {error[:40]!r}")
