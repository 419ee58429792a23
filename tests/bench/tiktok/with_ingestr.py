"""Lets ingestr, as it is on PyPI, read the benchmark's TikTok into Postgres, in a venv of its own.

`python -P with_ingestr.py <questions as JSON>`: one question after the other, each when a line comes in; answers with a
line when it is ready for the first, and after each. Whoever asks measures it meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

# What it tells belongs to standard error: standard output is for whoever asks.
_said = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def main(asked: dict[str, Any]) -> None:
    from ingestr.main import app
    from ingestr.src.tiktok_ads import tiktok_helpers

    # The only thing that has no setting.
    tiktok_helpers.BASE_URL = f"{asked['url']}/open_api/v1.3/report/integrated/get/"
    print("ready", file=_said, flush=True)
    for question in asked["questions"]:
        if not sys.stdin.readline():
            return
        app([*asked["arguments"], *question], standalone_mode=False)
        print("done", file=_said, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
