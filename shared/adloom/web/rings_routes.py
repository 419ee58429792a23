"""The operator's way to close everything again by a ring's newest key: one round, made by whoever may see the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from adloom import audit
from adloom.db.resealing import Round
from adloom.errors import NotFound
from adloom.keyring import KeyRing, Newest
from adloom.web.function import Function
from adloom.web.guards import Guard


@dataclass(frozen=True)
class Ring:
    """One ring of a function: the field of its settings, and a round over all that it has closed."""

    field: str
    turn: Callable[[KeyRing, Newest], Round]


class Rotation(BaseModel):
    newest: str = Field(description="The fingerprint of the newest key that this function sees")
    changed: int = Field(description="What was closed by an older key and is closed by the newest now")
    left: int = Field(description="What somebody has changed meanwhile: another round is needed")
    lost: int = Field(description="What no key of the ring opens")


def add(app: Function[Any], rings: Mapping[str, Ring]) -> None:
    """Add the route for the rings of a function, by their names."""

    @app.route_model(
        "POST",
        "/rings/<ring>/rotation",
        guard=Guard.operator(),
        summary="Close again, by the newest key of a ring, what older keys have closed",
    )
    def rotate(ring: str) -> Rotation:
        if ring not in rings:
            raise NotFound("There is no such ring here.")
        chosen = rings[ring]
        newest = Newest(app.secret(chosen.field))
        done = chosen.turn(KeyRing(lambda: app.secret(chosen.field), chosen.field.replace("_", "-")), newest)
        if done.changed:
            new = {"newest": newest.fingerprint, "changed": done.changed}
            audit.note(app.database(), "ring.rotated", org_id=None, target=("ring", ring), new=new)
        return Rotation(newest=newest.fingerprint, changed=done.changed, left=done.left, lost=done.lost)
