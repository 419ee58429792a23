"""Operator keys: listed, made and revoked by the command line; what happens when the deployment's own is revoked."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest

from adloom.cli.__main__ import main
from adloom.db import Database
from adloom.identity import operator_keys
from functions.auth.handler import AuthSettings, accept_operator_key, app
from tests.integration.auth_rig import OPERATOR, OPERATOR_KEY, admin, auth, client, org_id, owner
from tests.integration.cast import Person, auth_settings
from tests.integration.keys_rig import log, served

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "auth", "client", "log", "org_id", "owner"]

ORDER = "select name, revoked_at is not null from operator_keys order by created_at"


@pytest.fixture(autouse=True)
def only_this_tests_keys(client: FlaskClient, auth: Database, admin: psycopg.Connection[Any]) -> None:
    admin.execute("delete from operator_keys")
    operator_keys.register(auth, OPERATOR_KEY, "deployment")


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Ended]


@pytest.fixture
def command(
    postgres: Postgres,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Command]:
    """`command("operator-keys", "list", key="adl_o_")` is `adloom` against auth, by HTTP; what auth logs is apart."""

    def run(*words: str, key: str = OPERATOR_KEY, say: str = "") -> Ended:
        monkeypatch.setenv("ADLOOM_OPERATOR_KEY", key)
        monkeypatch.setattr("sys.argv", ["adloom", *words])
        monkeypatch.setattr("sys.stdin", io.StringIO(say))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    with served(auth=app) as url:
        told = {"PUBLIC_URL": url, "GATEWAY_URL": url, "DATABASE_URL": postgres.url("cli"), "SECRETS_DIR": "/nowhere"}
        for name, value in told.items():
            monkeypatch.setenv(f"ADLOOM_{name}", value)
        yield run


def lists(client: FlaskClient, key: str = OPERATOR_KEY) -> Any:
    return client.get("/operator-keys", headers={"Authorization": f"Bearer {key}"})


def test_the_command_line_makes_lists_and_revokes_keys(
    command: Command, client: FlaskClient, admin: psycopg.Connection[Any]
) -> None:
    made = command("operator-keys", "new", "Ada's laptop")
    token = made.stdout.splitlines()[0]
    assert (made.returncode, token[:6], len(token)) == (0, "adl_o_", 49)
    listed = json.loads(command("--json", "operator-keys", "list", key=token).stdout)
    [laptop] = [each for each in listed if each["current"]]
    assert (laptop["name"], laptop["last_four"], laptop["revoked_at"]) == ("Ada's laptop", token[-4:], None)
    assert laptop["last_used_at"]
    assert token not in json.dumps(listed)

    revoked = command("operator-keys", "revoke", laptop["key_id"])

    assert (revoked.returncode, revoked.stdout) == (0, f"{laptop['key_id']} is revoked.\n")
    assert lists(client, token).status_code == 401
    shown = command("operator-keys", "list").stdout
    assert f"{token[-4:]}" in shown
    assert "revoked 20" in shown
    assert "in use here" in shown
    assert admin.execute(ORDER).fetchall() == [("deployment", False), ("Ada's laptop", True)]


def test_a_revoked_key_says_what_to_do(command: Command, org_id: UUID) -> None:
    [own] = json.loads(command("--json", "operator-keys", "list").stdout)

    kept = command("operator-keys", "revoke", own["key_id"], say="n\n")
    assert kept.returncode == 1
    assert "uses that key itself" in kept.stdout
    gone = command("operator-keys", "revoke", own["key_id"], say="y\n")
    assert gone.returncode == 0
    assert "Put another key into the secret operator-key" in gone.stdout

    for words in (("operator-keys", "list"), ("user", "reset-mfa", "a@example.com")):
        refused = command("--org", str(org_id), *words)
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        assert "The operator key is not accepted: it was revoked" in refused.stderr
        assert "Put one that works into the secret operator-key" in refused.stderr
        assert OPERATOR_KEY not in refused.stderr


def test_a_start_does_not_register_a_revoked_key_again_and_people_still_get_in(
    client: FlaskClient, postgres: Postgres, auth: Database, owner: Person, log: io.StringIO
) -> None:
    [own] = lists(client).get_json()["keys"]
    assert client.delete(f"/operator-keys/{own['key_id']}", headers=OPERATOR).status_code == 204

    for _ in range(2):
        accept_operator_key()

    assert lists(client).status_code == 401
    assert client.get("/session", headers=owner.headers).status_code == 200
    assert log.getvalue().count("operator_key_revoked") == 2
    assert OPERATOR_KEY not in log.getvalue()
    # Another one in the secret is registered by the next start.
    app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY + "-next")), auth)
    accept_operator_key()
    known = lists(client, OPERATOR_KEY + "-next").get_json()["keys"]
    assert [(each["name"], each["revoked_at"] is None) for each in known] == [
        ("deployment", False),
        ("deployment", True),
    ]


def test_only_hashes_are_kept_and_each_change_stands_in_the_deployments_trail(
    client: FlaskClient, admin: psycopg.Connection[Any]
) -> None:
    made = client.post("/operator-keys", json={"name": "A script"}, headers=OPERATOR).get_json()
    client.delete(f"/operator-keys/{made['key_id']}", headers=OPERATOR)

    dump = str(admin.execute("select t::text from operator_keys t").fetchall())
    events = admin.execute(
        "select action, record from audit_events where org_id is null and record like %s order by position",
        (f"%{made['key_id']}%",),
    ).fetchall()
    assert [action for action, _ in events] == ["operator_key.made", "operator_key.revoked"]
    for kept in (dump, str(events)):
        assert made["token"][6:] not in kept
        assert OPERATOR_KEY not in kept


def test_each_operator_key_is_counted_for_itself(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from adloom.web import counting
    from adloom.web.limits import Limit

    other = client.post("/operator-keys", json={"name": "A script"}, headers=OPERATOR).get_json()["token"]
    monkeypatch.setattr(counting, "OF_THE_OPERATOR", Limit.parse("3/minute"))

    assert [lists(client).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert lists(client, other).status_code == 200


def test_a_key_that_is_not_there_cannot_be_revoked(client: FlaskClient, org_id: UUID) -> None:
    answer = client.delete(f"/operator-keys/{org_id}", headers=OPERATOR)

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
