"""`python -m tests.contract.tiktok_clients`: see `run.py`."""

from __future__ import annotations

import sys

from tests.contract.tiktok_clients.run import main

if __name__ == "__main__":
    sys.exit(main())
