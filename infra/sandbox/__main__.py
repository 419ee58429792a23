"""`python -m infra.sandbox`: load or generate the facts, then serve them."""

from __future__ import annotations

import os
import sys

from adloom import clock
from infra.sandbox import app, server, settings
from infra.sandbox.facts.errors import FactsError
from infra.sandbox.generator.growth import GeneratedFolder
from infra.sandbox.world import World

_WRONG_INPUT = 2


def main() -> int:
    """The exit code; 2 for settings or facts that cannot be used."""
    try:
        chosen = settings.read(os.environ)
        chosen.home.mkdir(parents=True, exist_ok=True)
        world = _world(chosen)
        served = app.create(chosen, world)
    except settings.SettingsError as exc:
        print(exc, file=sys.stderr)
        return _WRONG_INPUT
    except FactsError as exc:
        print(f"The facts folder is refused:\n{exc}", file=sys.stderr)
        return _WRONG_INPUT
    server.run(served, chosen.host, chosen.port)
    return 0


def _world(chosen: settings.Settings) -> World:
    if chosen.facts is not None:
        return World(chosen.facts)
    made = GeneratedFolder(chosen.home / "facts", chosen.home / "generator.json", chosen.seed, clock.now())
    return World(made.folder, made)


if __name__ == "__main__":
    sys.exit(main())
