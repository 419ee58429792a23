"""Connections: how they stand, which of their accounts are synced, and their end."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import Field

from adloom.connecting import upkeep
from adloom.connecting.models import Connection, ConnectionDetail, Connections, Ended, detailed, shown
from adloom.connecting.settings import Callback, oauth, vault
from adloom.connections import choice, ending, standing, subscriptions
from adloom.connections.store import AccountChoice
from adloom.web import Guard, Principal, RequestModel

# Each asks the platform.
CHECKS = "60/hour"

AccountId = Annotated[int, Field(ge=1, lt=2**63)]


class ChoiceRequest(RequestModel):
    accounts: list[AccountId] | None = Field(
        default=None, max_length=10_000, description="Our ids of the accounts to sync, and no others; null: as it is"
    )
    future: AccountChoice | None = Field(
        default=None, description="all: accounts that are found later are synced, too; null: as it is"
    )


def add(app: Callback) -> None:
    @app.route_model(
        "GET",
        "/connections",
        guard=Guard.role("viewer", scope="connections:read"),
        summary="The organisation's connections, and how they stand",
    )
    def connections(principal: Principal) -> Connections:
        with app.database().tenant(principal.org_id, principal.account_scope) as connection:
            return Connections(connections=[shown(each) for each in standing.every(connection)])

    @app.route_model(
        "GET",
        "/connections/<connection_id>",
        guard=Guard.role("viewer", scope="connections:read"),
        summary="A connection, its accounts and what the platform tells us of by itself",
    )
    def one_connection(connection_id: UUID, principal: Principal) -> ConnectionDetail:
        with app.database().tenant(principal.org_id, principal.account_scope) as connection:
            found = standing.one(connection, connection_id)
            accounts = standing.reached(connection, found.connected)
            return detailed(found, accounts, subscriptions.every(connection, connection_id))

    @app.route_model(
        "PUT",
        "/connections/<connection_id>/accounts",
        guard=Guard.role("admin"),
        summary="Choose which accounts of a connection are synced",
        problems=(409,),
    )
    def choose_accounts(connection_id: UUID, body: ChoiceRequest, principal: Principal) -> ConnectionDetail:
        with app.database().tenant(principal.org_id, principal.account_scope) as connection:
            choice.choose(connection, principal.org_id, connection_id, body.accounts, body.future)
        return one_connection(connection_id, principal)

    _add_changes(app)


def _add_changes(app: Callback) -> None:
    @app.route_model(
        "POST",
        "/connections/<connection_id>/check",
        guard=Guard.role("editor"),
        summary="Ask the platform now whether a connection works",
        problems=(409, 502),
    )
    def check_connection(connection_id: UUID, principal: Principal) -> Connection:
        app.check_limit(CHECKS, "check-connection", str(principal.org_id))
        upkeep.check(app, principal, connection_id)
        with app.database().tenant(principal.org_id, principal.account_scope) as connection:
            return shown(standing.one(connection, connection_id))

    @app.route_model(
        "DELETE",
        "/connections/<connection_id>",
        guard=Guard.role("admin", fresh=True),
        summary="Disconnect: nothing is read any more, the grant at the platform is ended, the numbers stay",
        problems=(409,),
    )
    def disconnect(connection_id: UUID, principal: Principal) -> Ended:
        ended = ending.end(app.database(), vault(app), partial(oauth, app), principal.org_id, connection_id)
        return Ended(at_platform=ended.at_platform, detail=ended.detail)
