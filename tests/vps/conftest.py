"""One VPS for the tests of this folder: a fresh Debian 13, installed once, and booted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.deployment.stackfile import read_functions
from infra.images import base as images
from infra.images import machine as host
from infra.local import bootstrap
from tests.vps import box
from tests.vps.box import Debian, Machine
from tests.vps.installation import Installation

_PROGRAMS = {"debootstrap": "debootstrap", "shellcheck": "shellcheck", "podman": "podman", "nsenter": "util-linux"}


_ORDER = ("test_install", "test_boot", "test_change")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One machine goes through all of it: it is installed, then booted, then changed."""
    items.sort(key=lambda item: _ORDER.index(item.path.stem) if item.path.stem in _ORDER else -1)
    lacking = ""
    if os.geteuid() != 0:
        lacking = "another Debian is made and booted by root"
    elif shutil.which("apt-get") is None:
        lacking = "another Debian is made on Debian"
    if lacking:
        print(f"\nskipped: tests/vps, as {lacking}")  # noqa: T201 - whoever ran them should know
        for item in (item for item in items if item.path.parent == box.HERE):
            item.add_marker(pytest.mark.skip(reason=lacking))


@pytest.fixture(scope="session")
def programs() -> None:
    if missing := [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]:
        bootstrap.apt_install(missing, "tests of a VPS need them")


@pytest.fixture(scope="session")
def openfaas() -> Path | None:
    """The folder with OpenFaaS's programs, if there is one."""
    faasd = images.openfaas_program("faasd")
    folder = faasd.parent if faasd else None
    if folder is None:
        print("\nskipped: no OpenFaaS binaries; the functions and what belongs to them are left out")  # noqa: T201
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the machines' files lie. They take gigabytes, so that they go at the end."""
    folder = tmp_path_factory.mktemp("vps")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def shared(programs: None, folder: Path, openfaas: Path | None) -> Path:
    """What every machine sees as /host: the project, programs, images, packages that were downloaded before."""
    shared = folder / "host"
    shared.mkdir()
    (box.CACHE / "archives").mkdir(parents=True, exist_ok=True)
    (shared / "archives").symlink_to(box.CACHE / "archives")
    copy_project(shared / "project")
    shutil.copy(minio(folder), shared / "minio")
    if openfaas is not None:
        shutil.copytree(openfaas, shared / "openfaas")
        save_images(shared / "images")
    return shared


def copy_project(target: Path) -> None:
    """The tree as it is now, without what git ignores; others may go on working on it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=box.PROJECT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        source = box.PROJECT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def minio(folder: Path) -> Path:
    """A MinIO that was built: the one that is told, or the one in the image."""
    if told := os.environ.get("ADLOOM_MINIO_BIN"):
        return Path(told)
    _build("minio")
    container = _podman("create", "localhost/adloom/minio:latest")
    try:
        _podman("cp", f"{container}:/usr/bin/minio", str(folder / "minio"))
    finally:
        _podman("rm", container)
    return folder / "minio"


def save_images(target: Path) -> None:
    """The functions' images as archives, as one brings them to a machine that can build none."""
    target.mkdir()
    _build(*functions())
    for name in functions():
        _podman("save", "--quiet", "--output", str(target / f"{name}.tar"), f"localhost/adloom/{name}:latest")


def functions() -> list[str]:
    return [function.name for function in read_functions()]


def _build(*names: str) -> None:
    only = [word for name in names for word in ("--only", name)]
    command = [sys.executable, "-m", "infra.images", "build", "--stand-ins", "--engine", "podman"]
    subprocess.run([*command, *only], cwd=box.PROJECT, check=True)


def _podman(*words: str) -> str:
    return subprocess.run(["podman", *words], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="session")
def secrets(folder: Path) -> Path:
    """How this machine reaches packages; it is in no file of the machines."""
    host.write_secrets(folder / "settings")
    return folder / "settings"


@pytest.fixture(scope="session")
def installation(shared: Path, secrets: Path, folder: Path, openfaas: Path | None) -> Installation:
    """A Debian on which install.sh was cut off once and then ran to its end."""
    debian = Debian.fresh(folder / "machine", secrets, shared)
    made = Installation(debian, with_openfaas=openfaas is not None)
    made.prepare()
    made.cut_off()
    made.complete()
    return made


@pytest.fixture(scope="session")
def vps(installation: Installation) -> Iterator[Machine]:
    """The machine booted, with everything that is enabled started."""
    machine = Machine(installation.debian)
    try:
        machine.wait()
        yield machine
    finally:
        machine.stop()
