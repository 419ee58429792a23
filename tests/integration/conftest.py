"""Servers that several modules of this folder need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.stack import Stack


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An S3 server for one test module."""
    with Stack(tmp_path_factory.mktemp("s3") / "home", parts=["s3"]) as stack:
        yield stack
