"""A backup that does not fit is refused before anything is written, and what goes away leaves nothing half done."""

from __future__ import annotations

import json

import psycopg
import pyrage
import pytest

from adloom.backup import archive, contents, keys, read
from adloom.backup.contents import FORMAT
from adloom.db import migrate
from adloom.errors import ConfigurationError, Conflict, InvalidRequest, Unavailable
from adloom.settings import StorageSettings
from adloom.storage import Storage
from infra.deployment.secrets import fernet_key
from tests.integration.backup_rig import Rig, execute, exists, fetch, new_database, objects
from tests.rows import fill


@pytest.fixture(scope="module")
def rig(postgres, s3, tmp_path_factory):
    with psycopg.connect(postgres.admin_url) as connection:
        fill(connection)
    rig = Rig(postgres, s3, tmp_path_factory.mktemp("backups"))
    for number in range(20):
        rig.storage.put(f"creatives/{number}", number.to_bytes(2) * 50_000)
    return rig


@pytest.fixture(scope="module")
def made(rig):
    return rig.make().path


@pytest.fixture
def target(postgres_stack):
    with new_database(postgres_stack) as database:
        yield database


@pytest.fixture
def untouched(target, rig):
    """Whatever the test tries to restore, there is no database and no bucket afterwards."""
    storage = rig.new_storage()
    yield storage
    assert not exists(target)
    assert not storage.has_bucket()


def test_a_wrong_identity_is_refused(rig, made, target, untouched):
    with pytest.raises(InvalidRequest, match="identity does not open") as refused:
        rig.restore(made, target, untouched, identity=pyrage.x25519.Identity.generate())
    assert refused.value.code == "wrong_identity"


def cut(body: bytes, kept: float) -> bytes:
    return body[: int(len(body) * kept)]


def flipped(body: bytes, place: float) -> bytes:
    at = int(len(body) * place)
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


DAMAGES = {
    "empty": lambda _body: b"",
    "cut off in its head": lambda body: body[:60],
    "cut off in the middle": lambda body: cut(body, 0.5),
    "one byte short": lambda body: body[:-1],
    "one byte longer": lambda body: body + b"x",
    "a bit flipped near its begin": lambda body: flipped(body, 0.1),
    "a bit flipped in the middle": lambda body: flipped(body, 0.5),
    "a bit flipped at its end": lambda body: flipped(body, 0.9999),
    "something else": lambda body: b"PK\x03\x04" + body,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_refused(rig, made, target, untouched, tmp_path, damage):
    path = tmp_path / "damaged"
    path.write_bytes(damage(made.read_bytes()))
    with pytest.raises(InvalidRequest, match="damaged") as refused:
        rig.restore(path, target, untouched)
    assert refused.value.code == "backup_damaged"


def rewritten(rig, made, path, change):
    """The same backup with other members, encrypted as it should be: what `change` makes of (name, key, body)."""
    with archive.opened(made, [rig.identity]) as entries:
        listed = [(entry.name, entry.key, entry.body.read()) for entry in entries]
    members = [archive.Member(name, len(body), [body], key=key) for name, key, body in change(listed)]
    with path.open("wb") as file:
        archive.write(members, file, [rig.identity.to_public()], 0)
    return path


FORGERIES = {
    "rows are missing": lambda listed: [one for one in listed if not one[0].startswith("tables/public.users/")],
    "a row is another": lambda listed: [(name, key, body.replace(b"Org 1", b"Org 3")) for name, key, body in listed],
    "a row comes twice": lambda listed: [
        one for one in listed for _ in range(2 if one[0] == "tables/public.inbox/000001" else 1)
    ],
    "an object is missing": lambda listed: [one for one in listed if one[1] != "creatives/7"],
    "objects changed places": lambda listed: [
        (name, {"creatives/7": "creatives/8", "creatives/8": "creatives/7"}.get(key, key), body)
        for name, key, body in listed
    ],
    "its end is missing": lambda listed: listed[:-1],
    "something follows its end": lambda listed: [*listed, ("more", "", b"")],
    "it does not say what it is": lambda listed: listed[1:],
    "it holds a table that it does not name": lambda listed: [
        listed[0],
        ("tables/public.more/000001", "", b"1\n"),
        *listed[1:],
    ],
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES)
def test_a_file_that_does_not_add_up_is_refused(rig, made, target, untouched, tmp_path, change):
    path = rewritten(rig, made, tmp_path / "forged", change)
    with pytest.raises(InvalidRequest, match="damaged"):
        rig.restore(path, target, untouched)


@pytest.mark.parametrize(
    ("field", "value"),
    [("revision", "9999"), ("format", FORMAT + 1)],
    ids=["of a newer migration", "of a newer format"],
)
def test_a_backup_of_a_newer_version_is_refused(rig, made, target, untouched, tmp_path, field, value):
    def newer(listed):
        header = {**json.loads(listed[0][2]), field: value, "adloom": "9.9"}
        return [(contents.HEADER, "", json.dumps(header).encode()), *listed[1:]]

    with pytest.raises(InvalidRequest, match=r"9\.9") as refused:
        rig.restore(rewritten(rig, made, tmp_path / "newer", newer), target, untouched)
    assert refused.value.code == "backup_too_new"


@pytest.mark.parametrize("rings", [{}, {"token-ring": fernet_key()}], ids=["missing", "another"])
def test_without_the_rings_of_the_backup_it_is_refused(rig, made, target, untouched, rings):
    with pytest.raises(ConfigurationError, match="token-ring: this server has no such secret") as refused:
        rig.restore(made, target, untouched, rings=keys.fingerprints(rings))
    assert refused.value.code == "key_ring_missing"


def test_a_ring_that_was_rotated_since_fits(rig, made, target):
    rig.restore(made, target, rig.new_storage(), ring=f"{fernet_key()},{rig.ring}")
    assert exists(target)


def test_lost_rings_can_be_gone_without(rig, made, target):
    rig.restore(made, target, rig.new_storage(), rings={}, without_keys=True)
    assert fetch(target.admin_url, "select count(*) from connection_tokens") == [(2,)]


def test_a_database_that_is_not_empty_is_refused(rig, made, empty_database):
    migrate.upgrade(empty_database.admin_url)
    execute(empty_database.admin_url, "insert into organisations values (gen_random_uuid(), 'Here already')")
    storage = rig.new_storage()
    with pytest.raises(Conflict, match="organisations have rows") as refused:
        rig.restore(made, empty_database, storage)
    assert refused.value.code == "database_not_empty"
    assert fetch(empty_database.admin_url, "select name from organisations") == [("Here already",)]
    assert not storage.has_bucket()


def test_a_database_of_somebody_else_is_refused(rig, made, empty_database):
    execute(empty_database.admin_url, "create table theirs (n int)")
    with pytest.raises(Conflict, match="not Adloom's"):
        rig.restore(made, empty_database, rig.new_storage())
    assert fetch(empty_database.admin_url, "select count(*) from pg_tables where schemaname = 'public'") == [(1,)]


def test_an_object_that_differs_is_never_overwritten(rig, made, target):
    storage = rig.new_storage()
    storage.make_bucket()
    storage.put("creatives/3", b"another")
    with pytest.raises(Conflict, match="creatives/3") as refused:
        rig.restore(made, target, storage)
    assert refused.value.code == "object_differs"
    assert not exists(target)
    assert objects(storage) == {"creatives/3": b"another"}


def test_objects_that_are_there_already_are_taken_as_they_are(rig, made, target):
    storage = rig.new_storage()
    storage.make_bucket()
    storage.put("creatives/3", rig.storage.get("creatives/3"))
    storage.put("others/1", b"of no concern")
    rig.restore(made, target, storage)
    assert objects(storage) == {**objects(rig.storage), "others/1": b"of no concern"}


def test_a_restore_that_was_cut_off_can_be_begun_again(rig, made, target, monkeypatch):
    """The objects fail after all rows are in: nothing of it stays, and the next try succeeds."""
    storage = rig.new_storage()
    monkeypatch.setattr(storage, "put_file", lambda *_: (_ for _ in ()).throw(Unavailable("gone")))
    with pytest.raises(Unavailable, match="gone"):
        rig.restore(made, target, storage)
    assert fetch(target.admin_url, "select count(*) from organisations") == [(0,)]
    monkeypatch.undo()
    rig.restore(made, target, storage)
    assert fetch(target.admin_url, "select count(*) from organisations") == [(2,)]


AWAY = "postgresql://adloom_backup:x@127.0.0.1:9/adloom"


def test_without_a_database_there_is_no_backup(rig):
    with pytest.raises(Unavailable, match="database does not answer"):
        rig.make(url=AWAY)
    assert partials(rig) == []


def test_without_a_database_nothing_is_restored(rig, made, target):
    storage = rig.new_storage()
    with pytest.raises(Unavailable, match="database does not answer"):
        rig.restore(made, target, storage, url=AWAY)
    assert not storage.has_bucket()


@pytest.fixture
def nowhere(rig) -> Storage:
    settings: StorageSettings = rig.storage_settings("nowhere", s3_endpoint="http://127.0.0.1:9")
    return Storage(settings)


def test_without_s3_there_is_no_backup(rig, nowhere):
    with pytest.raises(Unavailable, match="object storage does not answer"):
        rig.make(nowhere)
    assert partials(rig) == []


def test_without_the_bucket_there_is_no_backup(rig):
    with pytest.raises(ConfigurationError, match="The bucket is not there"):
        rig.make(rig.new_storage())
    assert partials(rig) == []


def test_without_s3_nothing_is_restored(rig, made, target, nowhere):
    with pytest.raises(Unavailable, match="object storage does not answer"):
        rig.restore(made, target, nowhere)
    assert not exists(target)


def test_a_database_that_goes_away_amid_the_backup_leaves_no_file(rig):
    def end(what, done):
        if what == "public.users":
            terminate = (
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'adloom-backup'"
            )
            execute(rig.postgres.admin_url, terminate)

    with pytest.raises(Unavailable, match="database does not answer"):
        rig.make(progress=end)
    assert partials(rig) == []


def partials(rig: Rig) -> list[str]:
    return [path.name for path in rig.folder.rglob(".adloom-*")]


def test_a_whole_backup_says_what_it_is(rig, made):
    whole = read.walk(made, [rig.identity], read.Looking())
    assert whole.header.revision == migrate.revisions()[-1]
    assert whole.manifest.objects.count == 20
