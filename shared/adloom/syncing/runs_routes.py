"""Asking for days of accounts again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, StringConstraints

from adloom.metrics import planning
from adloom.metrics.sync import Sync
from adloom.syncing.settings import SyncSettings
from adloom.web import Function, Guard, Principal, RequestModel

S = TypeVar("S", bound=SyncSettings)
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class RunRequest(RequestModel):
    accounts: list[Name] = Field(default=[], max_length=1000, description="The platform's ids or ours; all when empty")
    since: date | None = Field(default=None, description="First local day; else all that may have moved")
    until: date | None = Field(default=None, description="Last local day; else the account's today")


class Planned(BaseModel):
    account_id: int
    external_id: str
    since: date
    until: date
    windows: int = Field(description="Ranges of days that wait for this account")


class RunsPlanned(BaseModel):
    planned: list[Planned]


def add(app: Function[S], sync: Callable[[], Sync]) -> None:
    @app.route_model(
        "POST",
        "/runs",
        guard=Guard.role("editor", scope="runs:write"),
        summary="Sync days of accounts again",
        status=202,
    )
    def start_runs(body: RunRequest, principal: Principal) -> RunsPlanned:
        planned = planning.request(
            sync(),
            org_id=principal.org_id,
            account_scope=principal.account_scope,
            wanted=body.accounts,
            since=body.since,
            until=body.until,
        )
        return RunsPlanned(planned=[Planned(**vars(each)) for each in planned])
