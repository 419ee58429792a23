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
_OK, _CREATED, _CONFLICT = 200, 201, 409
_PASSING = (502, 503, 504)


def main() -> int:
    """Call the function's own set-up route. Where somebody is there already, nothing is left to do, and the operator
    key, which may have been revoked since, is not asked for.
    """
    setup = f"{os.environ['ADLOOM_GATEWAY_URL']}/function/auth/setup"
    status, body = _ask(urllib.request.Request(setup))  # noqa: S310 - the address is our own front door
    if status == _OK and not json.loads(body)["needs_setup"]:
        return 0
    if status == _OK:
        status, body = _ask(_first_owner(setup))
    if status in (_CREATED, _CONFLICT):
        return 0
    print(f"auth answered {status}: {body}", file=sys.stderr)
    return 1


def _first_owner(url: str) -> urllib.request.Request:
    owner = {
        "email": os.environ["ADLOOM_OWNER_EMAIL"],
        "password": os.environ.get("ADLOOM_OWNER_PASSWORD") or _secret("owner-password"),
        "name": "Owner",
        "organisation": _ORGANISATION,
    }
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_secret('operator-key')}"}
    return urllib.request.Request(url, data=json.dumps(owner).encode(), headers=headers)  # noqa: S310 - as above


def _ask(call: urllib.request.Request) -> tuple[int, str]:
    """The answer's status and body, once somebody answers; the last thing that was heard when nobody does."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(call, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - as above
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            if error.code not in _PASSING or time.monotonic() > deadline:
                return error.code, error.read().decode(errors="replace")
        except urllib.error.URLError as error:
            if time.monotonic() > deadline:
                return 0, f"{call.full_url} is out of reach: {error.reason}"
        time.sleep(_AGAIN_S)


def _secret(name: str) -> str:
    return (Path(os.environ["ADLOOM_SECRETS_DIR"]) / name).read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    sys.exit(main())
