"""What the audit trail says of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from adloom import audit


def opened(
    connection: Connection, org_id: UUID, user_id: UUID, session_id: UUID, *, methods: Sequence[str], device: str
) -> None:
    said, who = {"methods": list(methods), "device": device}, audit.by(user_id)
    audit.record(connection, "session.opened", org_id=org_id, target=("session", session_id), new=said, actor=who)


def renewed(connection: Connection, org_id: UUID, session_id: UUID, methods: Sequence[str]) -> None:
    said = {"methods": list(methods)}
    audit.record(connection, "session.renewed", org_id=org_id, target=("session", session_id), new=said)


def switched(connection: Connection, org_id: UUID, session_id: UUID, came_from: UUID, role: str) -> None:
    said = {"from": str(came_from), "role": role}
    audit.record(connection, "session.switched", org_id=org_id, target=("session", session_id), new=said)


def ended(connection: Connection, org_id: UUID, user_id: UUID, because: str, which: Sequence[UUID]) -> None:
    """Nothing where none ended."""
    if which:
        old, who = {"because": because, "sessions": [str(each) for each in which]}, audit.by(user_id)
        audit.record(connection, "session.ended", org_id=org_id, target=("member", user_id), old=old, actor=who)
