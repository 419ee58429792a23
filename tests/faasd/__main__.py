"""`python -m tests.faasd`: see `run.py`."""

from __future__ import annotations

import sys

from tests.faasd.run import main

if __name__ == "__main__":
    sys.exit(main())
