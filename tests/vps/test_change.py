"""From one release to another and back, on the machine as it runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vps.box import Machine
from tests.vps.installation import Installation

_ADDED = """
revision = "9001"
down_revision = {below!r}
branch_labels = depends_on = None

from alembic import op

def upgrade():
    op.execute("create table extra (word text primary key)")
    op.execute("grant select on extra to adloom_backup")
"""
_TAKEN = """
revision = "9002"
down_revision = "9001"
branch_labels = depends_on = None
destructive = True

from alembic import op

def upgrade():
    op.execute("drop table extra")
"""
_IMAGES = """
import base64, json, pathlib, urllib.request
password = pathlib.Path("/etc/adloom/secrets/basic-auth-password").read_text().strip()
known = "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
call = urllib.request.Request("http://127.0.0.1:8080/system/functions", headers={"Authorization": known})
print(json.dumps([one["image"] for one in json.load(urllib.request.urlopen(call, timeout=10))]))
"""


class Releases:
    """Releases to change to, made from the project's tree beside it."""

    def __init__(self, shared: Path, head: str) -> None:
        self._shared = shared
        self._head = head

    def make(self, version: str, *, migrations: int = 0) -> Path:
        """A release that differs by its version and by the first so many of our two migrations."""
        folder = self._shared / f"release-{version}"
        subprocess.run(["cp", "-a", str(self._shared / "project"), str(folder)], check=True)
        project = folder / "shared" / "pyproject.toml"
        text = project.read_text(encoding="utf-8")
        own = next(line for line in text.splitlines() if line.startswith("version = "))
        project.write_text(text.replace(own, f'version = "{version}"', 1), encoding="utf-8")
        for number, migration in enumerate((_ADDED.format(below=self._head), _TAKEN)[:migrations], start=1):
            (folder / "migrations" / "versions" / f"900{number}_test.py").write_text(migration, encoding="utf-8")
        return folder


@pytest.fixture(scope="module")
def releases(shared: Path, vps: Machine, installation: Installation) -> Releases:
    if not installation.with_openfaas:
        pytest.skip("no OpenFaaS binaries")
    return Releases(shared, sql(vps, "select version_num from alembic_version"))


@pytest.fixture(scope="module")
def broken_images(shared: Path) -> Iterator[Path]:
    """The images, but that of auth is one whose program ends at once."""
    folder = shared / "broken-images"
    folder.mkdir()
    for archive in (shared / "images").glob("*.tar"):
        (folder / archive.name).hardlink_to(archive)
    (folder / "auth.tar").unlink()
    dockerfile = 'FROM localhost/adloom/auth:latest\nCMD ["false"]\n'
    built = ["podman", "build", "--quiet", "--pull=never", "--tag", "adloom-vps/broken", "--file", "-", str(folder)]
    (folder / ".dockerignore").write_text("*\n", encoding="utf-8")
    subprocess.run(built, input=dockerfile, text=True, check=True, capture_output=True)
    save = ["podman", "save", "--quiet", "--output", str(folder / "auth.tar"), "adloom-vps/broken:latest"]
    subprocess.run(save, check=True, capture_output=True)
    yield folder
    subprocess.run(["podman", "rmi", "--force", "adloom-vps/broken"], check=True, capture_output=True)


def sql(vps: Machine, statement: str) -> str:
    psql = [
        "runuser",
        "-u",
        "postgres",
        "--",
        "psql",
        "--no-psqlrc",
        "--tuples-only",
        "--no-align",
        "--dbname",
        "adloom",
    ]
    return vps.output(*psql, "--command", statement)


def current(vps: Machine) -> str:
    return vps.output("readlink", "/opt/adloom/current").removeprefix("releases/")


def images(vps: Machine) -> set[str]:
    """The versions of the functions' images."""
    return {image.rpartition(":")[2] for image in json.loads(vps.python(_IMAGES))}


def is_well(vps: Machine) -> bool:
    return all(part["well"] for part in json.loads(vps.run("adloomctl", "status", "--json").stdout))


def test_an_upgrade_brings_the_new_release_and_a_rollback_the_old_one(vps: Machine, releases: Releases) -> None:
    before = current(vps)
    folder = releases.make("0.9.1", migrations=1)
    done = vps.run("adloomctl", "upgrade", f"/host/{folder.name}", "--images", "/host/images")
    assert done.returncode == 0, done.stdout
    after = current(vps)
    assert after.startswith("0.9.1-")
    assert images(vps) == {after}
    assert is_well(vps)
    assert sql(vps, "select version_num from alembic_version") == "9001"
    sql(vps, "insert into extra values ('kept')")

    done = vps.run("adloomctl", "rollback")
    assert done.returncode == 0, done.stdout
    assert current(vps) == before
    assert images(vps) == {before}
    assert is_well(vps)
    assert sql(vps, "select word from extra") == "kept"
    assert "There is no upgrade to take back" in vps.run("adloomctl", "rollback").stdout


def test_a_function_that_does_not_answer_brings_the_old_ones_back(
    vps: Machine, releases: Releases, broken_images: Path
) -> None:
    before = current(vps)
    folder = releases.make("0.9.2", migrations=1)
    done = vps.run("adloomctl", "upgrade", f"/host/{folder.name}", "--images", f"/host/{broken_images.name}")
    assert done.returncode == 1, done.stdout
    assert f"{before} runs again" in done.stdout
    assert current(vps) == before
    assert images(vps) == {before}
    assert is_well(vps)


def test_after_a_destructive_migration_the_way_back_is_the_backup(vps: Machine, releases: Releases) -> None:
    before = current(vps)
    folder = releases.make("0.9.3", migrations=2)
    people = sql(vps, "select count(*) from users")
    done = vps.run("adloomctl", "upgrade", f"/host/{folder.name}", "--images", "/host/images")
    assert done.returncode == 0, done.stdout
    assert "9002: the way back from here is the backup" in done.stdout
    assert sql(vps, "select to_regclass('extra')") == ""

    refused = vps.run("adloomctl", "rollback")
    assert refused.returncode == 1
    assert "--restore-backup" in refused.stdout
    assert images(vps) == {current(vps)}

    done = vps.run("adloomctl", "rollback", "--restore-backup")
    assert done.returncode == 0, done.stdout
    assert current(vps) == before
    assert images(vps) == {before}
    assert sql(vps, "select word from extra") == "kept"
    assert (sql(vps, "select count(*) from users"), people) == ("1", "1")
    assert is_well(vps)


def test_a_release_that_is_older_than_the_database_is_refused(vps: Machine, releases: Releases) -> None:
    before = current(vps)
    done = vps.run("adloomctl", "upgrade", f"/host/{releases.make('0.9.4').name}", "--images", "/host/images")
    assert done.returncode == 1
    assert "does not know the migration 9001" in done.stdout
    assert current(vps) == before
