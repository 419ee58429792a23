"""One deployment for all tests of this folder, in a box; see `run.py`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.verify import Span
from infra.sandbox.generator import acceptance
from infra.sandbox.generator.acceptance_world import Size
from tests.deployed import main_job
from tests.faasd import box
from tests.faasd.events import set_faults
from tests.faasd.openfaas import OpenFaaS
from tests.faasd.platform import Platform
from tests.faasd.programs import Programs, until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The main job on a fresh deployment first, the figures when everything has been used."""
    order = {"test_main_job": -1, "test_figures": 1}
    items.sort(key=lambda item: order.get(item.path.stem, 0))


@pytest.fixture(scope="session")
def facts() -> Path:
    """Two accounts of each platform."""
    acceptance.write(box.HOME / "facts", 11, Size(accounts=6, ads=24, days=14))
    return box.HOME / "facts"


@pytest.fixture(scope="session")
def span(facts: Path) -> Span:
    return Span.of(facts)


@pytest.fixture(scope="session")
def platform(facts: Path, span: Span) -> Iterator[Platform]:
    if not box.HOME.is_dir():
        pytest.fail("these tests run in a box: make e2e-faasd")
    programs = Programs(box.HOME / "logs")
    faasd = OpenFaaS(programs, Path(os.environ["ADLOOM_TEST_REGISTRY"]))
    try:
        platform = Platform(programs, faasd, facts, span.clock)
        platform.start()
        yield platform
        faasd.remove()
    finally:
        programs.stop()


@pytest.fixture(scope="session")
def connected(platform: Platform) -> None:
    """The sandbox's accounts are connected and their first days synced."""
    if not main_job.accounts(platform.deployment):
        main_job.connect(platform.deployment)
    until(lambda: bool(main_job.accounts(platform.deployment)), "the accounts of the connection")
    main_job.settled(platform.deployment)


@pytest.fixture
def no_faults(platform: Platform) -> Iterator[None]:
    """The sandbox is well again when the test has ended."""
    yield
    set_faults(platform)


@pytest.fixture(scope="session")
def faasd(platform: Platform) -> OpenFaaS:
    return platform.faasd
