"""Every command of docs/api-keys.md, in its order, against the functions themselves."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions.auth.handler import app
from functions.oauth_callback import handler as oauth_callback
from tests.integration.cast import Person
from tests.integration.keys_rig import auth, client, functions, org_id, owner, served

if TYPE_CHECKING:
    from flask.testing import FlaskClient

__all__ = ["auth", "client", "functions", "org_id", "owner"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api-keys.md"
EXAMPLE = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def gateway(client: FlaskClient, functions: None) -> Iterator[str]:
    """The address at which the functions answer as behind the gateway."""
    with served(auth=app, oauth_callback=oauth_callback.app) as url:
        yield url


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are written for curl")
def test_the_examples_make_use_replace_and_revoke_a_key(client: FlaskClient, gateway: str, owner: Person) -> None:
    told = {"URL": gateway, "SESSION": owner.token, "PATH": os.environ["PATH"], "no_proxy": "127.0.0.1"}

    def answer(command: str) -> Any:
        done = subprocess.run(["sh", "-ec", command], env=told, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    make, use, make_next, use_next, look, revoke = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    first = answer(make)
    told["KEY"] = first["token"]
    assert answer(use) == {"connections": []}
    told["NEW_KEY"] = answer(make_next)["token"]
    assert answer(use_next) == {"connections": []}
    [second, listed] = answer(look)["keys"]
    assert (listed["key_id"], listed["name"], second["name"]) == (
        first["key_id"],
        "Reporting",
        "Reporting, from May on",
    )
    assert listed["last_used_at"]
    told["KEY_ID"] = listed["key_id"]
    assert answer(revoke) is None

    assert answer(use)["code"] == "unauthenticated"
    assert answer(use_next) == {"connections": []}
