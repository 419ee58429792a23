"""The platform as images on TimescaleDB, NATS and MinIO does what it is there for."""

from __future__ import annotations

from collections.abc import Callable

from adloom.backup import keys, read
from infra.local.verify import Comparison
from tests.images.running import Running


def test_what_was_synced_by_event_and_by_tick_reads_back_as_the_platform_said(
    job: Comparison, tell: Callable[[str], None]
) -> None:
    tell(f"{job.compared} cells compared, {job.differing} differ")
    assert job.compared > 1000
    assert job.differing == 0


def test_the_numbers_lie_in_timescaledb(platform: Running, job: Comparison) -> None:
    assert platform.sql("select count(*) from pg_extension where extname = 'timescaledb'") == "1"
    assert platform.sql("select count(*) from timescaledb_information.hypertables") != "0"


def test_the_bucket_is_there_and_belongs_to_the_keys(platform: Running) -> None:
    """Whoever makes the bucket again is told that it is his; another key is refused."""
    platform.run_step("bucket")
    assert platform.logs("bucket") == ""


def test_every_step_may_be_done_again(platform: Running, job: Comparison) -> None:
    before = platform.sql("select count(*) from users")
    for step in ("migrate", "first-login"):
        platform.run_step(step)
    assert platform.sql("select count(*) from users") == before


def test_a_backup_is_whole_and_opens_with_its_own_key(platform: Running, job: Comparison) -> None:
    platform.run_step("backup")
    newest = max(platform.backups.glob("adloom-*.age"))
    opening = keys.identities(platform.secrets["backup-identity"], "the secret")
    manifest = read.walk(newest, opening, read.Looking()).manifest
    assert manifest.tables["public.metrics"].rows == int(platform.sql("select count(*) from metrics")) > 0
