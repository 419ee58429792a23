"""`python -m infra.sandbox`: load or generate the facts, then serve them."""

from __future__ import annotations

import os
import sys

from infra.sandbox import app, server, settings
from infra.sandbox.facts.errors import FactsError
from infra.sandbox.world import World

_WRONG_INPUT = 2


def main() -> int:
    """The exit code; 2 for settings or facts that cannot be used."""
    try:
        chosen = settings.read(os.environ)
        chosen.home.mkdir(parents=True, exist_ok=True)
        world = _world(chosen)
    except settings.SettingsError as exc:
        print(exc, file=sys.stderr)
        return _WRONG_INPUT
    except FactsError as exc:
        print(f"The facts folder is refused:\n{exc}", file=sys.stderr)
        return _WRONG_INPUT
    server.run(app.create(chosen, world), chosen.port)
    return 0


def _world(chosen: settings.Settings) -> World:
    if chosen.facts is None:
        raise settings.SettingsError("ADLOOM_SANDBOX_FACTS is not set; set it to a facts folder")
    return World(chosen.facts)


if __name__ == "__main__":
    sys.exit(main())
