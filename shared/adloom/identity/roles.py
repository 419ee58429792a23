"""The roles of a member of an organisation and which one includes which.

    viewer    reads
    editor    viewer, and changes what is not live
    approver  viewer, and lets changes go live
    admin     editor and approver, and manages connections and members
    owner     admin, and manages owners and the organisation itself

Editor and approver stand beside each other: whoever drafts a change does not thereby approve it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

Role = Literal["viewer", "editor", "approver", "admin", "owner"]
ROLES: tuple[Role, ...] = get_args(Role)

_INCLUDES: dict[Role, frozenset[Role]] = {
    "viewer": frozenset({"viewer"}),
    "editor": frozenset({"viewer", "editor"}),
    "approver": frozenset({"viewer", "approver"}),
    "admin": frozenset({"viewer", "editor", "approver", "admin"}),
    "owner": frozenset(ROLES),
}


def includes(held: str | None, needed: Role) -> bool:
    """Whether someone who holds one role may do what another is needed for. An unknown role includes nothing."""
    for role, included in _INCLUDES.items():
        if role == held:
            return needed in included
    return False


def lesser(one: Role, other: Role) -> Role:
    """What is left to somebody who may do no more than either role: of editor and approver, the viewer."""
    return max(_INCLUDES[one] & _INCLUDES[other], key=lambda role: len(_INCLUDES[role]))


def least(needed: Iterable[Role]) -> Role:
    """The lowest role that includes all of these."""
    wanted = set(needed)
    return min((role for role in ROLES if wanted <= _INCLUDES[role]), key=lambda role: len(_INCLUDES[role]))
