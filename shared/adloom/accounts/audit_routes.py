"""The audit trail: searched page by page, and exported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from adloom import audit
from adloom.accounts.settings import Auth
from adloom.audit import export, search, state
from adloom.audit.actions import ACTIONS
from adloom.audit.search import Found, Wanted
from adloom.errors import Forbidden
from adloom.web import Guard, Id, Principal, RequestModel

Words = Annotated[str, StringConstraints(min_length=1, max_length=320)]
Chain = Literal["organisation", "deployment"]
# What one request streams in its minute; the command line exports whatever there is.
MOST_EXPORTED = 100_000


class AuditFilter(RequestModel):
    since: AwareDatetime | None = Field(default=None, description="From this moment on")
    until: AwareDatetime | None = Field(default=None, description="Before this moment")
    actor: Words | None = Field(default=None, description="Who: an id, or a kind such as user, operator, anonymous")
    action: Words | None = Field(default=None, description="An action, or all below one: member, session, login.failed")
    target: Words | None = Field(default=None, description="What it was done to: an id, or a kind such as member")
    text: Words | None = Field(default=None, description="Words that stand in the event")
    chain: Chain = Field(default="organisation", description="deployment: events of no organisation; operators only")

    def wanted(self, before: int | None = None) -> Wanted:
        named = self.model_dump(include={"since", "until", "actor", "action", "target", "text"})
        return Wanted(**named, before=before)


class AuditQuery(AuditFilter):
    before: Id | None = Field(default=None, description="Go on below this position: `next` of the page before")


class ExportQuery(AuditFilter):
    format: Literal["csv", "jsonl"] = Field(default="csv", description="jsonl: the very records whose hashes count")


class AuditActor(BaseModel):
    kind: str = Field(description="user, key, operator, anonymous, system or command_line")
    id: str | None
    name: str | None = Field(description="Today's name of a person who still belongs here; an API key's")
    email: str | None
    session: str | None
    address: str | None
    agent: str | None = Field(description="What the browser or program calls itself")


class AuditTarget(BaseModel):
    kind: str
    id: str
    name: str | None = Field(description="Today's name, where it is a person who still belongs here or an API key")


class AuditEvent(BaseModel):
    position: int = Field(description="Counts from 1 without gaps")
    at: datetime
    action: str
    what: str = Field(description="The action in words")
    actor: AuditActor
    target: AuditTarget | None
    old: Any = Field(description="Null: nothing to say; {cut: true, sha256, begins} where it was too large")
    new: Any
    request: str | None = Field(description="The request id, as in the logs")
    hash: str


class AuditProblem(BaseModel):
    duty: str = Field(description="heads: signing and storing the chains' ends; archive: moving old months")
    code: str
    since: datetime


class AuditTrail(BaseModel):
    """The state of the chain and of what keeps it."""

    events: int = Field(description="How many there are, archived ones too")
    archived: int = Field(description="The first so many are in the object storage, not in this search")
    archived_until: datetime | None
    archived_at: str | None = Field(description="Where the archived ones are: a folder of the bucket")
    signed_at: datetime | None = Field(description="When the ends of the chains were last signed and stored")
    problems: list[AuditProblem]


class AuditPage(BaseModel):
    events: list[AuditEvent] = Field(description="Newest first, at most 50")
    next: int | None = Field(description="Send it as `before` for the next page; null: this is the last")
    trail: AuditTrail


class AuditActions(BaseModel):
    actions: dict[str, str] = Field(description="Every action that an event may name, and what it means")


def add(app: Auth) -> None:
    @app.route_model("GET", "/audit", guard=Guard.role("admin"), summary="What happened here, newest first")
    def events(query: AuditQuery, principal: Principal) -> AuditPage:
        org_id = _org(query.chain, principal)
        found = search.page(app.database(), org_id, query.wanted(query.before), search.PAGE + 1)
        shown = found[: search.PAGE]
        return AuditPage(
            events=_events(app, org_id, shown),
            next=shown[-1].position if len(found) > search.PAGE else None,
            trail=AuditTrail(**state.of(app.database(), org_id)),
        )

    @app.route_model("GET", "/audit/actions", guard=Guard.role("admin"), summary="What an event may be")
    def actions() -> AuditActions:
        return AuditActions(actions=ACTIONS)

    @app.route_model(
        "GET",
        "/audit/export",
        guard=Guard.role("admin"),
        summary="Events as CSV or JSON lines, newest first; archived ones by the command line",
        produces="text/csv, application/x-ndjson",
    )
    def export_events(query: ExportQuery, principal: Principal) -> Response:
        org_id = _org(query.chain, principal)
        said = query.model_dump(mode="json", exclude_none=True)
        audit.note(app.database(), "audit.exported", org_id=org_id, target=("audit", query.chain), new=said)
        kind = "text/csv" if query.format == "csv" else "application/x-ndjson"
        name = f"audit.{query.format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(_lines(app, org_id, query), content_type=f"{kind}; charset=utf-8", headers=headers)


def _org(chain: Chain, principal: Principal) -> UUID | None:
    if chain == "organisation":
        return principal.org_id
    if principal.kind != "operator":
        raise Forbidden("The deployment's own events are for its operator.", code="operator_only")
    return None


def _lines(app: Auth, org_id: UUID | None, query: ExportQuery) -> Iterator[str]:
    found = islice(search.every(app.database(), org_id, query.wanted()), MOST_EXPORTED)
    if query.format == "csv":
        return export.csv_lines((each.record, each.hash) for each in found)
    return (each.line + "\n" for each in found)


def _events(app: Auth, org_id: UUID | None, found: list[Found]) -> list[AuditEvent]:
    ids = {str(part["id"]) for each in found for part in _parts(each) if part.get("id")}
    names = search.names(app.database(), org_id, ids) if org_id is not None else {}
    return [_event(each, names) for each in found]


def _parts(each: Found) -> list[dict[str, Any]]:
    return [each.record.get("actor", {}), each.record.get("target", {})]


def _event(each: Found, names: dict[str, search.Name]) -> AuditEvent:
    record = each.record
    actor, target = record["actor"], record.get("target")
    person = names.get(actor.get("id", ""))
    aim = names.get(target["id"]) if target else None
    return AuditEvent(
        position=each.position,
        at=record["at"],
        action=record["action"],
        what=ACTIONS.get(record["action"], record["action"]),
        actor=AuditActor(
            kind=actor["kind"],
            name=person.name if person else None,
            email=person.email if person else None,
            **{name: actor.get(name) for name in ("id", "session", "address", "agent")},
        ),
        target=AuditTarget(**target, name=aim.name if aim else None) if target else None,
        old=record.get("old"),
        new=record.get("new"),
        request=record.get("request"),
        hash=each.hash.hex(),
    )
