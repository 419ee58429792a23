"""Old months leave the database only after they lie in the object storage, whole and verified."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet

from adloom.accounts import audit_keeping
from adloom.audit import archive, heads, store
from adloom.backup import objects
from adloom.failpoints import Failpoint, arm
from adloom.storage import Storage
from functions.auth.handler import AuthSettings, app
from tests.integration.audit_rig import LONG_AGO, Trail
from tests.integration.cast import auth_settings

BIG = int(os.environ.get("ADLOOM_AUDIT_EVENTS", "3000"))


@pytest.fixture
def months(trail: Trail) -> list[str]:
    """Three months that are old enough, one event a day; and five events of now. The months."""
    first = datetime(2026, 1, 1, 12, tzinfo=UTC)
    days = [first + timedelta(days=number) for number in range(31 + 28 + 31)]
    trail.backdate(days)
    trail.write(5)
    return ["2026-01", "2026-02", "2026-03"]


def files(trail: Trail, suffix: str) -> list[str]:
    return [key for key in trail.objects(f"audit/{trail.chain}/") if key.endswith(suffix)]


def statement(trail: Trail, key: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(trail.storage.get(key).split(b"\n")[0])
    return said


def test_months_that_ended_ninety_days_ago_move_and_everything_still_holds(trail, months):
    trail.sign()
    made = trail.adloom("--json", "audit", "archive")
    assert made.exit_code == 0, made.stderr
    told = json.loads(made.stdout)["files"]
    assert [(one["month"], one["first"], one["last"]) for one in told] == [
        ("2026-01", 1, 31),
        ("2026-02", 32, 59),
        ("2026-03", 60, 90),
    ]
    # The five of now, and one that says of each file that it was moved.
    assert trail.positions() == list(range(91, 99))
    said = trail.verify()
    assert (said["holds"], said["warnings"]) == (True, [])
    [chain] = [each for each in said["chains"] if each["chain"] == trail.chain]
    assert (chain["events"], chain["archived"], chain["signed"]) == (98, 90, 95)
    assert trail.adloom("audit", "archive").stdout == "Nothing is due.\n"
    assert trail.verify()["holds"]


def test_a_month_that_ended_eighty_nine_days_ago_stays(trail):
    now = datetime.now(UTC)
    # The month in which the ninetieth day before today lies has not ended ninety days ago.
    trail.backdate([now - timedelta(days=90)])
    assert trail.adloom("audit", "archive").stdout == "Nothing is due.\n"
    [(_, _, digest)] = trail.admin.execute("select chain, position, hash from audit_events").fetchall()
    trail.admin.execute("update audit_events set recorded_at = recorded_at + interval '2 hours'")
    with pytest.raises(Exception, match="may not leave"), trail.database.system() as connection:
        store.forget(connection, trail.chain, 1, bytes(digest))
    assert trail.positions() == [1]


def test_no_login_role_changes_or_deletes_an_event(trail, postgres):
    trail.write(2)
    for process in ("auth", "cli", "dashboard", "connector", "sync-meta", "oauth-callback", "backup"):
        with psycopg.connect(postgres.url(process), autocommit=True) as connection:
            for statement in (
                "update audit_events set action = 'x'",
                "delete from audit_events",
                "truncate audit_events",
                "insert into audit_events select * from audit_events",
                "update audit_chains set position = 0",
                "delete from audit_heads",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
    assert trail.positions() == [1, 2]


def test_a_file_holds_the_very_records_and_its_statement_says_how_they_hang_together(trail, months):
    records = [row[0] for row in trail.admin.execute("select record from audit_events where position <= 31 order by 1")]
    trail.adloom("audit", "archive")
    key = files(trail, ".jsonl.gz")[0]
    lines = gzip.decompress(trail.storage.get(key)).decode().splitlines()
    assert sorted(lines) == records
    said = statement(trail, files(trail, ".json")[0])
    digest = bytes(32)
    assert said["previous"] == digest.hex()
    for line in lines:
        digest = hashlib.sha256(digest + line.encode()).digest()
    assert (said["hash"], said["last"]) == (digest.hex(), 31)
    assert said["sha256"] == hashlib.sha256(trail.storage.get(key)).hexdigest()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("change", "was changed"),
        ("cut", "was changed"),
        ("garbage", "was changed"),
        ("other", "was changed"),
        ("take file", "is gone from the object storage"),
        ("take month", "the events 32 to 59 are in no archive file: taken out"),
        ("take statement", "the events 32 to 59 are in no archive file: taken out"),
        ("forge statement", "forged"),
    ],
)
def test_a_changed_archive_is_found(trail, months, damage, words):
    trail.sign()
    trail.adloom("audit", "archive")
    key, said = files(trail, ".jsonl.gz")[1], files(trail, ".json")[1]
    whole = trail.storage.get(key)
    if damage == "change":
        trail.storage.put(key, gzip.compress(gzip.decompress(whole).replace(b"adloom_auth", b"adloom_ours", 1)))
    elif damage in ("cut", "garbage"):
        trail.storage.put(key, whole[:-9] if damage == "cut" else b"no gzip")
    elif damage == "other":
        trail.storage.put(key, trail.storage.get(files(trail, ".jsonl.gz")[0]))
    elif damage == "forge statement":
        trail.storage.put(said, trail.storage.get(said).replace(b'"last":59', b'"last":58'))
    else:
        gone = {"take file": [key], "take month": [key, said], "take statement": [said]}[damage]
        for each in gone:
            trail.remove(each)
    result = trail.adloom("audit", "verify")
    assert result.exit_code == 1
    assert any(words in line and trail.chain in line for line in result.stdout.splitlines()), result.stdout


def test_the_last_month_taken_out_is_found(trail, months):
    trail.adloom("audit", "archive")
    for key in files(trail, "")[-2:]:
        trail.remove(key)
    assert any("left the database, and no archive file has them all" in what for _, _, what in trail.faults())


def run(trail: Trail, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "adloom.cli", *words]
    return subprocess.run(
        command, env=os.environ | trail.environment | environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("point", ["audit.stored", "audit.verified"])
def test_killed_between_upload_and_deletion_nothing_is_lost_and_nothing_comes_twice(trail, months, tmp_path, point):
    trail.sign()
    armed = tmp_path / "failpoint"
    arm(armed, Failpoint(point, 2))
    killed = run(trail, "audit", "archive", ADLOOM_FAILPOINT=str(armed), ADLOOM_SANDBOX_URL="http://127.0.0.1:9")
    assert killed.returncode == -9, killed.stderr
    # The first month left; the second lies in the storage too, wholly or without its statement.
    assert trail.positions()[0] == 32
    assert len(files(trail, ".jsonl.gz")) == 2
    assert len(files(trail, ".json")) == (1 if point == "audit.stored" else 2)
    assert trail.verify()["holds"]

    assert trail.adloom("audit", "archive").exit_code == 0
    assert trail.verify()["holds"]
    exported = trail.adloom("audit", "export").stdout.splitlines()
    assert [json.loads(line)["position"] for line in exported] == list(range(1, len(exported) + 1))
    assert len(files(trail, ".jsonl.gz")) == len(files(trail, ".json")) == 3


def test_an_upload_that_broke_off_is_made_again(trail, months):
    [part] = [archive._build(trail.database, end) for end in store.ends(trail.database) if end.chain == trail.chain]
    trail.storage.put(part.key + ".jsonl.gz", part.data[:100])
    trail.storage.put(part.key + ".json", b"half a sta")
    assert trail.adloom("audit", "archive").exit_code == 0
    assert trail.verify()["holds"]


def test_a_chain_that_does_not_hold_is_not_archived(trail, months):
    trail.admin.execute("update audit_events set record = replace(record, 'auth', 'ours') where position = 40")
    result = trail.adloom("audit", "archive")
    assert (result.exit_code, "chain_changed" in result.stderr) == (1, True)
    assert trail.positions()[0] == 32, "the month before is whole"
    assert trail.adloom("audit", "verify").exit_code == 1


def test_a_month_is_moved_in_files_of_bounded_size_and_memory_stays_flat(trail, monkeypatch):
    monkeypatch.setattr(archive, "PART_EVENTS", 1000)
    trail.past(BIG, LONG_AGO + timedelta(days=28), apart=timedelta(seconds=1))

    def peak_of(work: Any) -> int:
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    one_file = peak_of(lambda: archive.archive_due(trail.database, trail.storage, trail.keys, most=1))
    others = peak_of(lambda: archive.archive_due(trail.database, trail.storage, trail.keys))
    assert len(files(trail, ".jsonl.gz")) >= BIG // 1000
    assert others < 2 * one_file, "more files need no more memory"
    assert trail.verify()["holds"]


def test_a_storage_that_is_down_stops_no_tick_and_keeps_every_month(trail, months, logged):
    settings = auth_settings(trail.postgres.url("auth"), "adl_o_key", audit_key=trail.ring)
    app.use(AuthSettings(**settings), trail.database)
    client = app.test_client()
    assert client.post("/").status_code == 202
    assert trail.positions() == list(range(1, 96))
    [problem] = [each for each in store.duties(trail.database) if each.duty == "heads"]
    assert (problem.problem, problem.done_at) == ("storage_down", None)
    assert "audit_put_off" in logged()

    stored = trail.storage_settings()
    told = settings | {
        "s3_endpoint": stored.s3_endpoint,
        "s3_bucket": trail.bucket,
        "s3_access_key": stored.s3_access_key,
        "s3_secret_key": stored.s3_secret_key,
    }
    app.use(AuthSettings(**told), trail.database)
    assert client.post("/").status_code == 202
    [again] = [each for each in store.duties(trail.database) if each.duty == "heads"]
    assert (again.problem, again.done_at is not None) == (None, True)
    assert trail.positions()[0] == 91
    made = len(trail.objects("audit/heads/"))
    assert client.post("/").status_code == 202
    assert len(trail.objects("audit/heads/")) == made, "once an hour"
    trail.admin.execute("update audit_heads set made_at = made_at - interval '61 minutes'")
    audit_keeping.keep(app)
    assert len(trail.objects("audit/heads/")) == made + 1


def test_verify_says_that_the_storage_is_away_and_takes_nothing_for_granted(trail):
    trail.write(1)
    away = run(trail, "audit", "verify", ADLOOM_S3_ENDPOINT="http://127.0.0.1:9")
    assert (away.returncode, "does not answer" in away.stderr) == (3, True)


def test_an_export_is_the_whole_chain_and_csv_holds_no_formulas(trail, months, tmp_path):
    trail.write(1, name="=cmd()", remark="+1")
    trail.adloom("audit", "archive")
    target = tmp_path / "trail.csv"
    assert trail.adloom("audit", "export", "--format", "csv", "--output", str(target)).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert [int(row["position"]) for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) > 96
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    days = trail.adloom("audit", "export", "--since", "2026-02-01", "--until", "2026-03-01").stdout.splitlines()
    assert len(days) == 28
    trail.storage.put(files(trail, ".jsonl.gz")[0], b"x")
    assert trail.adloom("audit", "export").exit_code == 1


def documented() -> str:
    """The program in the documentation for auditors."""
    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    return text.split("<!-- verify.py -->\n```python\n")[1].split("```")[0]


def test_an_auditor_verifies_with_openssl_and_sha256_and_nothing_of_ours(trail, months, tmp_path):
    trail.ring = f"{Fernet.generate_key().decode()},{trail.ring}"
    (tmp_path / "audit-key").write_text(trail.ring)
    trail.sign()
    trail.adloom("audit", "archive")
    trail.write(3)
    trail.sign()
    copy = tmp_path / "copy"
    for key in trail.objects("audit/"):
        path = copy / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(trail.storage.get(key))
    trail.adloom("audit", "export", "--output", str(copy / "trail.jsonl"))
    (copy / "public.pem").write_text(trail.adloom("audit", "keys").stdout.split("\n# ")[0].split("\n", 1)[1])
    (copy / "verify.py").write_text(documented())

    def verify() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "verify.py", "trail.jsonl"]
        return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)

    good = verify()
    assert good.returncode == 0, good.stdout + good.stderr
    lines = (copy / "trail.jsonl").read_text().splitlines(keepends=True)
    (copy / "trail.jsonl").write_text("".join(lines).replace("adloom_auth", "adloom_ours", 1))
    assert verify().returncode == 1
    (copy / "trail.jsonl").write_text("".join(lines))
    head = copy / trail.objects("audit/heads/")[-1]
    head.write_bytes(head.read_bytes().replace(b'"sequence":2', b'"sequence":3'))
    assert verify().returncode == 1


def test_a_storage_that_keeps_something_else_makes_no_month_leave(trail, months, monkeypatch):
    put = Storage.put

    def flips(self: Storage, key: str, body: bytes) -> None:
        put(self, key, body[:-1] + b"?" if key.endswith(".gz") else body)

    monkeypatch.setattr(Storage, "put", flips)
    result = trail.adloom("audit", "archive")
    assert (result.exit_code, "storage_changes" in result.stderr) == (1, True)
    assert trail.positions() == list(range(1, 96))


def test_an_old_key_signed_the_archive_and_a_new_one_verifies_it(trail, months, tmp_path):
    trail.adloom("audit", "archive")
    trail.ring = f"{Fernet.generate_key().decode()},{trail.ring}"
    assert heads.sign(trail.database, trail.storage, trail.keys) is not None
    (tmp_path / "audit-key").write_text(trail.ring.split(",")[0])
    assert trail.verify()["holds"]
    assert base64.urlsafe_b64decode(trail.ring.split(",")[0]) != base64.urlsafe_b64decode(trail.ring.split(",")[1])


def test_a_backup_takes_no_heads_that_are_younger_than_its_rows(trail):
    trail.write(2)
    first, second = trail.sign(), trail.sign()
    tally = objects.ObjectTally()
    taken = []
    for member in objects.members(trail.storage, tally, last_head=first.sequence):
        taken.append(member.key)
        for _ in member.chunks:
            pass
    assert first.object_key in taken
    assert second.object_key not in taken
