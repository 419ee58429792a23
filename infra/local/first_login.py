"""The step that makes the first person of a new stack: an owner whose password was generated."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

_TIMEOUT_S = 30
_ORGANISATION = "My company"
_CONFLICT = 409


def main() -> int:
    """Call the function's own set-up route. Where somebody is there already, nothing is left to do."""
    operator_key = (Path(os.environ["ADLOOM_SECRETS_DIR"]) / "operator-key").read_text(encoding="utf-8").strip()
    owner = {
        "email": os.environ["ADLOOM_OWNER_EMAIL"],
        "password": os.environ["ADLOOM_OWNER_PASSWORD"],
        "name": "Owner",
        "organisation": _ORGANISATION,
    }
    call = urllib.request.Request(  # noqa: S310 - the address is our own front door
        f"{os.environ['ADLOOM_GATEWAY_URL']}/function/auth/setup",
        data=json.dumps(owner).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {operator_key}"},
    )
    try:
        with urllib.request.urlopen(call, timeout=_TIMEOUT_S):  # noqa: S310 - as above
            return 0
    except urllib.error.HTTPError as error:
        if error.code == _CONFLICT:
            return 0
        print(f"auth answered {error.code}: {error.read().decode(errors='replace')}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
