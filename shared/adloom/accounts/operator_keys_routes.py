"""Operator keys, for the command line."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from adloom import logs
from adloom.accounts.models import Name
from adloom.accounts.settings import Auth
from adloom.identity import operator_keys
from adloom.web import Guard, Principal, RequestModel

NEW_KEYS = "30/hour"

log = logs.get(__name__)


class OperatorKeyRequest(RequestModel):
    name: Name = Field(description="Who or what will use it")


class OperatorKey(BaseModel):
    key_id: UUID
    name: str
    last_four: str = Field(description="The visible end of the token; empty where it is not known")
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute; null: not yet")
    revoked_at: datetime | None
    current: bool = Field(description="Whether it is the one that asks")


class NewOperatorKey(OperatorKey):
    token: str = Field(description="The key itself; it is shown this once")


class OperatorKeys(BaseModel):
    keys: list[OperatorKey]


def add(app: Auth) -> None:
    @app.route_model("GET", "/operator-keys", guard=Guard.operator(), summary="The deployment's operator keys")
    def every_operator_key(principal: Principal) -> OperatorKeys:
        found = operator_keys.every(app.database())
        return OperatorKeys(keys=[OperatorKey(**vars(each), current=_is(each, principal)) for each in found])

    @app.route_model(
        "POST",
        "/operator-keys",
        guard=Guard.operator(),
        summary="Make another operator key; its token is in this answer only",
        status=201,
    )
    def make_operator_key(body: OperatorKeyRequest) -> NewOperatorKey:
        app.check_limit(NEW_KEYS, "new-operator-key")
        with app.database().system() as connection:
            made = operator_keys.make(connection, body.name)
        return NewOperatorKey(**vars(made.key), current=False, token=made.token)

    @app.route_model(
        "DELETE",
        "/operator-keys/<key_id>",
        guard=Guard.operator(),
        summary="Revoke an operator key, also the one that asks: it is dead at once and stays so",
        status=204,
    )
    def revoke_operator_key(key_id: UUID) -> None:
        with app.database().system() as connection:
            operator_keys.revoke(connection, key_id)


def accept_own(app: Auth) -> None:
    """At the start: the deployment's own key works, unless it was taken back. Then people still get in."""
    if not operator_keys.register(app.database(), app.settings().operator_key.get_secret_value(), "deployment"):
        log.error("operator_key_revoked", do="put another key into the secret operator-key and start again")


def _is(key: operator_keys.OperatorKey, principal: Principal) -> bool:
    return key.key_id == principal.key_id
