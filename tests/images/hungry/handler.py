"""A function that takes more memory than it may have, when it is told to."""

from __future__ import annotations

from adloom.settings import CoreSettings
from adloom.web import create_function, openfaas

app = create_function("hungry", CoreSettings)
held: list[bytes] = []


@app.tick
def eat() -> None:
    held.append(b"x" * (512 << 20))


handle = openfaas(app)
