"""One platform from the images for all tests of this folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.compose import model as models
from infra.compose.service import EDGE, MIB
from infra.local import bootstrap
from infra.local.verify import Comparison, Span
from infra.sandbox.generator import acceptance
from infra.sandbox.generator.acceptance_world import Size
from tests.deployed import main_job
from tests.images.built import build
from tests.images.running import RUSH, Running

HERE = Path(__file__).parent
HUNGRY = HERE / "hungry"
# What a Debian lacks that has never run a container. A registry and another engine are for the tests of the builder.
_PACKAGES = {
    "podman": ("podman", "runc", "netavark", "aardvark-dns", "iptables", "fuse-overlayfs", "uidmap"),
    "debootstrap": ("debootstrap",),
    "buildah": ("buildah",),
    "docker-registry": ("docker-registry",),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stand-ins for base images are other Debians, which root makes."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return
    print("\nskipped: tests/images, as the base images are made by root on Debian")  # noqa: T201 - whoever ran them should know
    for item in (item for item in items if item.path.parent == HERE):
        item.add_marker(pytest.mark.skip(reason="the base images are made by root on Debian"))


@pytest.fixture(scope="session")
def programs() -> None:
    missing = [name for program, names in _PACKAGES.items() if shutil.which(program) is None for name in names]
    if missing:
        bootstrap.apt_install(missing, "tests of the images need them")


@pytest.fixture(scope="session")
def images(programs: None) -> str:
    """Every image is there; what was built and what was unchanged."""
    return build()


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two accounts of each platform."""
    folder = tmp_path_factory.mktemp("facts") / "facts"
    acceptance.write(folder, 7, Size(accounts=6, ads=36, days=21))
    return folder


@pytest.fixture(scope="session")
def span(facts: Path) -> Span:
    return Span.of(facts)


@pytest.fixture(scope="session")
def platform(images: str, facts: Path, span: Span, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Everything that `docker compose up` starts, and a function of the tests' own that may have 128 MB."""
    model = models.read()
    hungry = replace(
        model["auth"],
        name="hungry",
        memory=128 * MIB,
        command=("python", "serve.py", "/hungry"),
        secrets=(),
        networks=(EDGE,),
        needs={},
    )
    folder = tmp_path_factory.mktemp("platform")
    with Running(folder, facts, now=span.clock, extra=(hungry,), hungry={HUNGRY: "/hungry"}) as running:
        yield running


@pytest.fixture(scope="session")
def job(platform: Running, facts: Path, span: Span) -> Comparison:
    """What the main job read back. The clock runs fast for as long as it waits for a tick."""
    platform.hurry(RUSH)
    try:
        return main_job.run(platform.deployment, facts, span)
    finally:
        platform.hurry(1)


@pytest.fixture
def tell(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a line that a person shall see though the test passes."""

    def line(text: str) -> None:
        with capfd.disabled():
            sys.stdout.write(f"\n{text}\n")

    return line
