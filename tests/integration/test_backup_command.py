"""`adloom backup` and `adloom restore` as an operator and a timer call them."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from adloom.backup import files
from infra.local.home import ROOT
from tests.integration.backup_rig import Rig, adloom, as_json, command, contents, execute, new_database, objects
from tests.rows import fill

_PATIENCE_S = 60


@pytest.fixture(scope="module")
def rig(postgres, s3, tmp_path_factory):
    """Enough rows that a backup takes a moment."""
    with psycopg.connect(postgres.admin_url) as connection:
        fill(connection)
    execute(
        postgres.admin_url,
        "insert into metrics (account_id, org_id, level, entity_id, day, spend, valid_from, run_id)"
        " select 1, org_id, 'ad', md5(n::text), '2026-01-01', n, now(), 1"
        " from generate_series(1, 200000) n, (select org_id from ad_accounts where account_id = 1) a",
    )
    rig = Rig(postgres, s3, tmp_path_factory.mktemp("backups"))
    rig.storage.put("reports/1", b"one")
    return rig


@pytest.fixture
def environment(rig, tmp_path):
    return rig.environment(tmp_path, ADLOOM_BACKUP_FOLDER=str(tmp_path / "backups"))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backups"


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_backup_is_made_verified_and_restored_by_command(rig, environment, folder, tmp_path, postgres_stack):
    made = as_json(adloom(environment, "--json", "backup"))
    assert [made["file"]] == [str(path) for path in files.complete(folder)]
    assert made["rows"]["public.metrics"] == 200_002
    assert made["bytes"] == Path(made["file"]).stat().st_size
    assert Path(made["file"]).stat().st_mode & 0o777 == 0o600

    identity = str(tmp_path / "identity")
    verified = as_json(adloom(environment, "--json", "backup", "verify", made["file"], "--identity", identity))
    assert (verified["rows"], verified["objects"]) == (made["rows"], 1)

    with new_database(postgres_stack) as target:
        secrets = Path(environment["ADLOOM_SECRETS_DIR"])
        (secrets / "admin-database-url").write_text(target.admin_url, encoding="utf-8")
        (secrets / "cli-database-url").write_text(target.url("cli"), encoding="utf-8")
        restore = ["restore", made["file"], "--identity", identity]
        storage = rig.new_storage()
        there = {**environment, "ADLOOM_S3_BUCKET": storage._bucket}
        restored = adloom(there, *restore)
        assert restored.returncode == 0, restored.stderr
        assert "is restored" in restored.stdout
        there_now, before = contents(target), contents(rig.postgres)
        # The restore itself is noted in the audit trail, behind what was in the backup.
        assert len(there_now.pop("audit_events")) == len(before.pop("audit_events")) + 1
        assert len(there_now.pop("audit_chains")) == len(before.pop("audit_chains")) + 1
        assert there_now == before
        with psycopg.connect(target.admin_url) as connection:
            noted = connection.execute("select actor_kind from audit_events where action = 'backup.restored'")
            assert noted.fetchall() == [("command_line",)]
        assert objects(storage) == {"reports/1": b"one"}

        again = adloom(there, *restore)
        assert again.returncode == 1
        assert "not empty" in again.stderr
        assert "Traceback" not in again.stderr


def test_only_the_newest_are_kept_and_nothing_else_is_touched(environment, folder):
    folder.mkdir()
    old = [f"adloom-2026010{day}T031500Z.tar.gz.age" for day in range(1, 6)]
    others = ["adloom-20260101T031500Z.tar.gz.age.bak", "adloom-notes.txt", "other-20260101T031500Z.tar.gz.age"]
    for name in [*old, *others]:
        (folder / name).write_text("x", encoding="utf-8")
    made = as_json(adloom(environment, "--json", "backup", "--keep", "3"))
    assert left(folder) == sorted([*old[-2:], Path(made["file"]).name, *others])
    assert made["removed"] == [str(folder / name) for name in old[:3]]


def test_a_backup_that_fails_removes_no_older_one(environment, folder):
    folder.mkdir()
    name = "adloom-20260101T031500Z.tar.gz.age"
    (folder / name).write_text("x", encoding="utf-8")
    failed = adloom({**environment, "ADLOOM_S3_ENDPOINT": "http://127.0.0.1:9"}, "backup", "--keep", "1")
    assert failed.returncode == 3
    assert failed.stderr == "adloom: The object storage does not answer\n"
    assert left(folder) == [name]


def test_killed_in_the_middle_it_leaves_no_file_of_a_good_name(environment, folder):
    process = subprocess.Popen(command("backup"), env=environment, cwd=ROOT)
    deadline = time.monotonic() + _PATIENCE_S
    while not any(path.stat().st_size > 200_000 for path in folder.glob(".adloom-*.partial")):
        assert process.poll() is None, "it is killed before its end"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert files.complete(folder) == []
    assert len(left(folder)) == 1

    made = as_json(adloom(environment, "--json", "backup"))
    assert left(folder) == [Path(made["file"]).name], "the next one clears it away"


def test_two_at_once_do_not_clear_each_other_away(environment, folder, tmp_path):
    with subprocess.Popen(command("--json", "backup"), env=environment, cwd=ROOT, stdout=subprocess.PIPE) as first:
        deadline = time.monotonic() + _PATIENCE_S
        while not any(path.stat().st_size for path in folder.glob(".adloom-*.partial")):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        second = as_json(adloom(environment, "--json", "backup"))
        output, _ = first.communicate(timeout=_PATIENCE_S)
    assert first.returncode == 0
    assert left(folder) == sorted(Path(one["file"]).name for one in (json.loads(output), second))


def test_a_full_disk_is_said_and_leaves_nothing(environment, folder):
    """A limit of the file's size is to the process what a full disk or a quota is."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    failed = adloom(environment, "backup", preexec_fn=limit)
    assert failed.returncode == 3
    assert "is full" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert left(folder) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system")
def test_a_disk_that_is_really_full_leaves_nothing(environment, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this root may not mount")
    try:
        failed = adloom(environment, "backup", "--to", str(small))
        assert failed.returncode == 3
        assert f"The disk under {small} is full" in failed.stderr
        assert left(small) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_without_a_folder_or_a_recipient_it_says_what_to_set(environment):
    nowhere = {name: value for name, value in environment.items() if name != "ADLOOM_BACKUP_FOLDER"}
    failed = adloom(nowhere, "backup")
    assert (failed.returncode, "--to" in failed.stderr) == (3, True)
    (Path(environment["ADLOOM_SECRETS_DIR"]) / "backup-recipient").unlink()
    failed = adloom(environment, "backup")
    assert (failed.returncode, "keygen" in failed.stderr) == (3, True)
    failed = adloom(environment, "backup", "--recipient", "age1nonsense")
    assert (failed.returncode, "recipient of backups is wrong" in failed.stderr) == (3, True)


def test_a_key_pair_is_made_once(environment, tmp_path, rig):
    identity = tmp_path / "keys"
    made = adloom(environment, "backup", "keygen", str(identity))
    recipient = made.stdout.strip()
    assert recipient.startswith("age1")
    assert identity.stat().st_mode & 0o777 == 0o600
    again = adloom(environment, "backup", "keygen", str(identity))
    assert (again.returncode, "never overwritten" in again.stderr) == (1, True)

    backup = as_json(adloom(environment, "--json", "backup", "--recipient", recipient))["file"]
    opened = adloom(environment, "backup", "verify", backup, "--identity", str(identity))
    assert (opened.returncode, "is whole" in opened.stdout) == (0, True)
    other = adloom(environment, "backup", "verify", backup, "--identity", str(tmp_path / "identity"))
    assert (other.returncode, "does not open" in other.stderr) == (1, True)


def test_a_file_without_an_identity_is_said(environment, tmp_path):
    (tmp_path / "x").write_text("hello", encoding="utf-8")
    failed = adloom(environment, "backup", "verify", str(tmp_path / "x"), "--identity", str(tmp_path / "x"))
    assert (failed.returncode, "holds no identity" in failed.stderr) == (3, True)


# What the process itself had at most: the kernel's figure for a child begins with what its parent had.
PEAK = """
import re, sys
from pathlib import Path
from adloom.cli.__main__ import main
sys.argv = ["adloom", "backup"]
try:
    main()
finally:
    print(re.search("VmHWM: *\\t* *([0-9]+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak")
def test_memory_stays_flat(rig, environment, folder):
    """As for a million rows, whose figures stand in docs/backup.md."""
    rig.storage.put("creatives/large", bytes(64 << 20))
    made = subprocess.run([sys.executable, "-c", PEAK], env=environment, cwd=ROOT, capture_output=True, check=True)
    assert int(made.stderr.split()[-1]) < 150 * 1024
    assert files.complete(folder)[0].stat().st_size > 4_000_000
