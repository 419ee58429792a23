"""Lets ingestr, as it is on PyPI, read a benchmark's platform into Postgres, in a venv of its own.

`python -P with_ingestr.py <questions as JSON>`: one question after the other, each when a line comes in; answers with a
line when it is ready for the first, and after each. Whoever asks measures it meanwhile.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

# What it tells belongs to standard error: standard output is for whoever asks.
_said = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def main(asked: dict[str, Any]) -> None:
    from ingestr.main import app

    # The only thing that has no setting.
    module, name, url = asked["address"]
    *owner, attribute = name.split(".")
    held: Any = importlib.import_module(module)
    for each in owner:
        held = getattr(held, each)
    if not isinstance(getattr(held, attribute), str):
        raise TypeError(f"{module} keeps no address in {name}")
    setattr(held, attribute, url)
    print("ready", file=_said, flush=True)
    for question in asked["questions"]:
        if not sys.stdin.readline():
            return
        app([*asked["arguments"], *question], standalone_mode=False)
        print("done", file=_said, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
