"""`python -m infra.sandbox.generator FOLDER`: write a demo folder, or let one grow to the business clock's now."""

from __future__ import annotations

import argparse
from pathlib import Path

from adloom import clock
from infra.sandbox.generator.growth import GeneratedFolder
from infra.sandbox.settings import DEFAULT_SEED


def main() -> None:
    """Read the arguments and write."""
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox.generator", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the facts folder is, or is to be")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    made = GeneratedFolder(chosen.folder, chosen.folder / "generator.json", chosen.seed, clock.now())
    print(f"{chosen.folder} is written; its next day begins at {made.next_due.isoformat()}")


if __name__ == "__main__":
    main()
