"""The step that makes the first person of a new stack: an owner whose password was generated.

The password is ADLOOM_OWNER_PASSWORD, or the secret owner-password.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

_TIMEOUT_S = 30
# Containers start at the same time, the gateway perhaps after us.
_PATIENCE_S = 60.0
_AGAIN_S = 0.5
_ORGANISATION = "My company"
_CONFLICT = 409
_PASSING = (502, 503, 504)


def main() -> int:
    """Call the function's own set-up route. Where somebody is there already, nothing is left to do."""
    operator_key = _secret("operator-key")
    owner = {
        "email": os.environ["ADLOOM_OWNER_EMAIL"],
        "password": os.environ.get("ADLOOM_OWNER_PASSWORD") or _secret("owner-password"),
        "name": "Owner",
        "organisation": _ORGANISATION,
    }
    call = urllib.request.Request(  # noqa: S310 - the address is our own front door
        f"{os.environ['ADLOOM_GATEWAY_URL']}/function/auth/setup",
        data=json.dumps(owner).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {operator_key}"},
    )
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(call, timeout=_TIMEOUT_S):  # noqa: S310 - as above
                return 0
        except urllib.error.HTTPError as error:
            if error.code == _CONFLICT:
                return 0
            if error.code not in _PASSING or time.monotonic() > deadline:
                print(f"auth answered {error.code}: {error.read().decode(errors='replace')}", file=sys.stderr)
                return 1
        except urllib.error.URLError as error:
            if time.monotonic() > deadline:
                print(f"{os.environ['ADLOOM_GATEWAY_URL']} does not answer: {error.reason}", file=sys.stderr)
                return 1
        time.sleep(_AGAIN_S)


def _secret(name: str) -> str:
    return (Path(os.environ["ADLOOM_SECRETS_DIR"]) / name).read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    sys.exit(main())
