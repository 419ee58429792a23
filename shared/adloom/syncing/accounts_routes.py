"""What an ad account counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, StringConstraints

from adloom.metrics import definitions
from adloom.metrics.sync import Sync
from adloom.syncing.settings import SyncSettings
from adloom.web import Function, Guard, Id, Principal, RequestModel

S = TypeVar("S", bound=SyncSettings)


class AccountChange(RequestModel):
    """What is not said stays as it is."""

    conversion: Annotated[str, StringConstraints(min_length=1, max_length=140)] | None = Field(
        default=None,
        description="The platform's name of what counts as a conversion; null for what the platform counts itself",
    )


class AccountCounts(BaseModel):
    account_id: int
    conversion: str = Field(description="What counts from now on; the history is read again")
    chosen: bool = Field(description="Whether somebody chose it; else it is what the platform counts itself")
    offered: list[str] = Field(description="Names to choose from; the platform may know more")


def add(app: Function[S], sync: Callable[[], Sync]) -> None:
    @app.route_model(
        "PATCH",
        "/accounts/<account_id>",
        guard=Guard.role("editor"),
        summary="Count something else as an ad account's conversions, and read its history again",
    )
    def change_account(account_id: Id, body: AccountChange, principal: Principal) -> AccountCounts:
        with sync().database.tenant(principal.org_id, principal.account_scope) as connection:
            counts = definitions.of(connection, account_id, sync().platform)
        if "conversion" in body.model_fields_set:
            counts = definitions.change(
                sync(),
                org_id=principal.org_id,
                account_scope=principal.account_scope,
                account_id=account_id,
                conversion=body.conversion,
            )
        return AccountCounts(
            account_id=account_id, conversion=counts.conversion, chosen=counts.is_chosen, offered=[*counts.offered]
        )
