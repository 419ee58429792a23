"""`python -m infra.compose`: write compose.yaml and Caddyfile anew from `stack.yml`."""

from __future__ import annotations

import sys

from infra.compose.compose import FOLDER, files
from infra.compose.model import read


def main() -> int:
    for name, text in files(read()).items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote {FOLDER / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
