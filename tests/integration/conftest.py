"""Servers that several modules of this folder need."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from adloom import logs
from infra.local.stack import Stack
from tests.conftest import Postgres
from tests.integration import audit_rig
from tests.integration.cast import Connect, Logged, MakeOrganisation

# Each takes a minute or more: begun last, it would keep the other processes waiting at the end.
_LONGEST = (
    "test_kills.py",
    "test_kill_mutants.py",
    "test_security_controls.py",
    "test_mfa_machine.py",
    "test_guessing.py",
    "test_every_page.py",
    "test_numbers.py",
    "test_sync_faults.py",
    "test_sync_slow.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, everything else in its order."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(_LONGEST)))


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An S3 server for one test module."""
    with Stack(tmp_path_factory.mktemp("s3") / "home", parts=["s3"]) as stack:
        yield stack


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Logged:
    """What was logged since the last look. Processes log through the standard library, this one only after another
    test has set it up so; the levels are those of a process.
    """
    for chatty in logs.CHATTY:
        caplog.set_level(logging.WARNING, chatty)
    caplog.set_level(logging.INFO)  # the last one is the capture's own level too

    def look() -> str:
        said = caplog.text + capsys.readouterr().out
        caplog.clear()
        return said

    return look


@pytest.fixture
def trail(
    postgres: Postgres, connect: Connect, make_organisation: MakeOrganisation, s3: Stack, tmp_path: Path
) -> Iterator[audit_rig.Trail]:
    """An audit trail of one organisation, without events, in a bucket of its own."""
    with audit_rig.opened(postgres, connect("auth"), make_organisation(), s3, tmp_path) as made:
        yield made
