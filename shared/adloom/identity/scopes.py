"""What an API key may be allowed to do, in one list: guards, the interface's description and pages take it from here.

A route whose guard names no scope is closed to every key. Who a person is, who may do what, and every secret have no
scope, and never get one: a key that leaks must not be able to make itself another key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from adloom.identity.roles import Role

Scope = Literal["connections:read", "runs:write", "members:read"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Meaning:
    """`label` for a page, `description` for integrators; `needs` is the role without which the scope opens nothing."""

    label: str
    description: str
    needs: Role


MEANINGS: dict[Scope, Meaning] = {
    "connections:read": Meaning(
        "See connections", "List the connections to ad platforms: their state, and when their access ends", "viewer"
    ),
    "runs:write": Meaning("Start syncs", "Have days of ad accounts read again from the platform", "editor"),
    "members:read": Meaning("See members", "List the organisation's members: name, e-mail address, role", "admin"),
}
