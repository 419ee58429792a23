"""From a request's Authorization header to its principal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Request

from adloom.errors import Forbidden, InvalidRequest, Unauthenticated
from adloom.identity import keys, sessions
from adloom.identity.policy import SessionSettings
from adloom.identity.principal import Principal
from adloom.identity.tokens import KEY_PREFIX

if TYPE_CHECKING:
    from adloom.db import Database

ORGANISATION_HEADER = "X-Adloom-Org"


def authenticate(request: Request, database: Callable[[], Database], policy: SessionSettings) -> Principal | None:
    """Who sends the request; None without a credential.

    Only `Authorization: Bearer` counts: no cookie, no query parameter. Fails closed: an unknown, expired or revoked
    token raises Unauthenticated, a database that does not answer Unavailable.
    """
    token = bearer_token(request)
    if token is None:
        return None
    named = organisation(request)
    if token.startswith(KEY_PREFIX):
        return _with_key(database(), token, named)
    principal = sessions.principal_by_token(database(), token, named, policy)
    if principal is None:
        raise Unauthenticated("The session has ended or the key is unknown; log in again.")
    return principal


def _with_key(database: Database, token: str, named: UUID | None) -> Principal:
    principal = keys.principal_by_key(database, token)
    if principal is None:
        raise Unauthenticated("This API key is unknown, has expired or was revoked; ask who made it for another.")
    if named not in (None, principal.organisation_id):
        raise Forbidden("This key is of another organisation.", code="other_organisation")
    return principal


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header, None without one."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Write the header as Authorization: Bearer <token>.")
    return token.strip()


def organisation(request: Request) -> UUID | None:
    """The organisation that the operator names."""
    header = request.headers.get(ORGANISATION_HEADER)
    if header is None:
        return None
    try:
        return UUID(header)
    except ValueError:
        raise InvalidRequest(f"{ORGANISATION_HEADER} is no organisation id.") from None
