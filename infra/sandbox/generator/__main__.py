"""`python -m infra.sandbox.generator FOLDER`: write a demo folder, or let one grow to the business clock's now.

With `--acceptance` a large folder for `make verify` instead, which does not grow.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from adloom import clock
from infra.sandbox.generator import acceptance
from infra.sandbox.generator.acceptance_world import Size
from infra.sandbox.generator.growth import GeneratedFolder
from infra.sandbox.settings import DEFAULT_SEED


def main() -> None:
    """Read the arguments and write."""
    usual = Size()
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox.generator", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the facts folder is, or is to be")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--acceptance", action="store_true", help="a large folder of three platforms")
    parser.add_argument("--accounts", type=int, default=usual.accounts, help="of the acceptance folder")
    parser.add_argument("--ads", type=int, default=usual.ads, help="of the acceptance folder")
    parser.add_argument("--days", type=int, default=usual.days, help="of the acceptance folder")
    parser.add_argument("--until", type=date.fromisoformat, default=usual.until, help="its last local day")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if chosen.acceptance:
        size = Size(chosen.accounts, chosen.ads, chosen.days, chosen.until)
        acceptance.write(chosen.folder, chosen.seed, size)
        print(f"{chosen.folder} is written: {size.accounts} accounts on {size.days} days, {size.ads} ads")
        return
    made = GeneratedFolder(chosen.folder, chosen.folder / "generator.json", chosen.seed, clock.now())
    print(f"{chosen.folder} is written; its next day begins at {made.next_due.isoformat()}")


if __name__ == "__main__":
    main()
