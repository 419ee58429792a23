"""`adloom keys rotate`: a new key for a ring while functions go on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from adloom.accounts.settings import AuthSettings
from adloom.backup import keys as backup_keys
from adloom.cli import keys as command
from adloom.cli.context import Session
from adloom.connections import store
from adloom.connections.vault import Vault
from adloom.db import Database
from adloom.errors import ConfigurationError
from adloom.identity import operator_keys
from adloom.keyring import KeyRing
from adloom.mail import enqueue
from adloom.platforms.grant import Grant
from adloom.web.limits import MemoryLimiter
from functions.auth.handler import app as auth_app
from functions.oauth_callback.handler import OAuthCallbackSettings
from functions.oauth_callback.handler import app as callback_app
from tests.conftest import Postgres
from tests.integration.cast import MakeOrganisation, auth_settings, common_settings, person

OPERATOR_KEY = "adl_op_" + "k" * 40
OLD = Fernet.generate_key().decode()
APPS = {"oauth-callback": callback_app, "auth": auth_app}


class InProcess(Session):
    """The command line, beside the functions in place of a gateway."""

    between: Callable[[], None] | None = None

    def call(self, function: str, method: str, path: str, *_body: Any, **_how: Any) -> Any:
        headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
        answer = APPS[function].test_client().open(path, method=method, headers=headers)
        assert answer.status_code == 200, answer.text
        if self.between is not None:
            self.between()
        return answer.get_json()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The secrets of two processes, and what whoever makes backups is told."""
    for process in ("one", "two"):
        (tmp_path / process).mkdir()
        for ring in ("token-ring", "mfa-ring", "mail-ring"):
            (tmp_path / process / ring).write_text(OLD + "\n")
    (tmp_path / "one" / backup_keys.FINGERPRINTS_FILE).write_text(
        json.dumps(backup_keys.fingerprints({"token-ring": OLD, "other-ring": OLD}))
    )
    monkeypatch.setenv("ADLOOM_SECRETS_DIR", str(tmp_path / "one"))
    return tmp_path


@pytest.fixture
def house(postgres: Postgres) -> Iterator[dict[str, Database]]:
    auth, callback = Database(postgres.url("auth")), Database(postgres.url("oauth-callback"))
    operator_keys.register(auth, OPERATOR_KEY, "deployment")
    auth_app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY)), auth)
    callback_app.use(
        OAuthCallbackSettings(**common_settings(database_url=postgres.url("oauth-callback"), token_ring=OLD)), callback
    )
    auth_app.limiter = callback_app.limiter = MemoryLimiter()
    yield {"auth": auth, "oauth-callback": callback}
    auth.close()
    callback.close()


def run(folder: Path, ring: str, *more: str, between: Callable[[], None] | None = None) -> dict[str, Any]:
    session = InProcess(as_json=True)
    session.between = between
    words = ["rotate", "--ring", ring, "--folder", str(folder), "--settle", "0", *more]
    result = CliRunner().invoke(command.keys, words, obj=session, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    # Before it stands what the functions log, which are processes of their own elsewhere.
    return dict(json.loads(result.output[result.output.index("{\n") :]))


def ring_of(folder: Path, name: str) -> str:
    one, two = ((folder / process / name).read_text().strip() for process in ("one", "two"))
    assert one == two
    return one


def connect(database: Database, org: uuid.UUID, ring: str, person: str = "p") -> uuid.UUID:
    with database.tenant(org) as connection:
        return store.save(connection, Vault(ring), org, "meta", Grant(f"token of {person}", person, person, (), None))


def tokens(postgres: Postgres, ring: str, ids: list[uuid.UUID]) -> list[str]:
    with psycopg.connect(postgres.admin_url) as admin:
        rows = admin.execute(
            "select ciphertext from connection_tokens where connection_id = any (%s) order by 1", (ids,)
        ).fetchall()
    return sorted(Vault(ring).decrypt(bytes(row[0])) for row in rows)


@pytest.fixture
def org(make_organisation: MakeOrganisation, postgres: Postgres) -> Iterator[uuid.UUID]:
    made = make_organisation("Acme")
    yield made
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute("delete from connection_tokens where org_id = %s", (made,))


def test_tokens_open_with_the_new_key_alone(
    folder: Path, house: dict[str, Database], org: uuid.UUID, postgres: Postgres
) -> None:
    ids = [connect(house["oauth-callback"], org, OLD, str(number)) for number in range(3)]

    done = run(folder, "token")

    new = ring_of(folder, "token-ring")
    assert (done["changed"], done["dropped"], "," in new, new == OLD) == (3, 1, False, False)
    assert tokens(postgres, new, ids) == ["token of 0", "token of 1", "token of 2"]
    told = json.loads((folder / "one" / backup_keys.FINGERPRINTS_FILE).read_text())
    assert told == backup_keys.fingerprints({"token-ring": new, "other-ring": OLD})


def test_what_is_written_meanwhile_is_closed_by_the_new_key_and_nobody_is_shut_out(
    folder: Path, house: dict[str, Database], org: uuid.UUID, postgres: Postgres
) -> None:
    """A function that read the ring before it changed writes once more by the old key, and reads all the time."""
    database = house["oauth-callback"]
    ids = [connect(database, org, OLD)]
    reader, late = Vault(lambda: callback_app.secret("token_ring")), []

    def meanwhile() -> None:
        if not late:
            late.append(connect(database, org, OLD, "late"))
        with database.tenant(org) as connection:
            assert store.access_token(connection, reader, ids[0]) == "token of p"

    done = run(folder, "token", between=meanwhile)

    assert done["changed"] == 2
    assert tokens(postgres, ring_of(folder, "token-ring"), [*ids, *late]) == ["token of late", "token of p"]


def test_an_interrupted_one_goes_on_with_the_same_new_key(
    folder: Path, house: dict[str, Database], org: uuid.UUID, postgres: Postgres
) -> None:
    ids = [connect(house["oauth-callback"], org, OLD)]
    new = Fernet.generate_key().decode()
    (folder / "one" / "token-ring").write_text(f"{new},{OLD}")

    run(folder, "token")

    assert ring_of(folder, "token-ring") == new
    assert tokens(postgres, new, ids) == ["token of p"]


def test_files_that_do_not_agree_are_left_alone(folder: Path, house: dict[str, Database]) -> None:
    (folder / "two" / "token-ring").write_text(Fernet.generate_key().decode())
    before = (folder / "one" / "token-ring").read_text()

    with pytest.raises(Exception, match="others have not"):
        run(folder, "token")

    assert (folder / "one" / "token-ring").read_text() == before


def test_the_old_keys_may_stay(folder: Path, house: dict[str, Database], org: uuid.UUID) -> None:
    connect(house["oauth-callback"], org, OLD)

    assert run(folder, "token", "--keep-old")["dropped"] == 0
    assert ring_of(folder, "token-ring").endswith(f",{OLD}")


def test_secrets_of_authenticator_apps_and_links_in_mails_open_with_the_new_keys_alone(
    folder: Path, house: dict[str, Database], org: uuid.UUID, postgres: Postgres
) -> None:
    who = person(house["auth"], org, "ana", "editor")
    old = KeyRing(OLD, "x")
    with house["auth"].tenant(org) as connection:
        mail = enqueue(
            connection, org, who.user_id, "verify_email", {"name": "A", "email": "a", "valid": "a day"},
            link=old.seal("https://adloom.example/verify?token=x"),
        )  # fmt: skip
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        sealed = (who.user_id, org, old.seal("JBSWY3DP"), old.seal("PENDING"))
        admin.execute(
            "insert into authenticators (user_id, org_id, secret, pending, confirmed_at)"
            " values (%s, %s, %s, %s, now())",
            sealed,
        )

        assert run(folder, "mfa")["changed"] >= 2
        assert run(folder, "mail")["changed"] >= 1

        [app] = admin.execute(
            "select secret, pending from authenticators where user_id = %s", (who.user_id,)
        ).fetchall()
        [link] = admin.execute("select link from mail_outbox where mail_id = %s", (mail,)).fetchall()
    apps, links = KeyRing(ring_of(folder, "mfa-ring"), "x"), KeyRing(ring_of(folder, "mail-ring"), "x")
    assert [apps.open(bytes(each)) for each in app] == ["JBSWY3DP", "PENDING"]
    assert links.open(bytes(link[0])).endswith("token=x")
    with pytest.raises(ConfigurationError):
        old.open(bytes(link[0]))


def test_a_link_behind_very_many_others_is_closed_again_too(
    folder: Path, house: dict[str, Database], org: uuid.UUID, postgres: Postgres
) -> None:
    new, last = Fernet.generate_key().decode(), uuid.UUID(int=2**128 - 1)
    for process in ("one", "two"):
        (folder / process / "mail-ring").write_text(f"{new},{OLD}")
    row = (
        "insert into mail_outbox (mail_id, org_id, address, template, data, link, expires_at)"
        " select {}, %s, 'a@example.com', 'verify_email', '{{}}', %s, now() + interval '1 day'"
    )
    try:
        with psycopg.connect(postgres.admin_url) as admin:
            many = row.format("gen_random_uuid()") + " from generate_series(1, 10000)"
            admin.execute(many, (org, KeyRing(new, "x").seal("one of many")))
            admin.execute(row.format("%s"), (last, org, KeyRing(OLD, "x").seal("the last")))

        assert run(folder, "mail")["changed"] == 1

        with psycopg.connect(postgres.admin_url) as admin:
            [link] = admin.execute("select link from mail_outbox where mail_id = %s", (last,)).fetchall()
        assert KeyRing(ring_of(folder, "mail-ring"), "x").open(bytes(link[0])) == "the last"
    finally:
        with psycopg.connect(postgres.admin_url) as admin:
            admin.execute("delete from mail_outbox where org_id = %s", (org,))
