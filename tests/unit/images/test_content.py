"""The hash that decides whether an image is built again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.images.content import fingerprint

FACTS = {"base": "sha256:1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "function").mkdir()
    (tmp_path / "function" / "handler.py").write_text("app = 1\n", encoding="utf-8")
    (tmp_path / "serve.py").write_text("", encoding="utf-8")
    return tmp_path


def test_a_file_that_was_only_touched_changes_nothing(folder: Path) -> None:
    before = fingerprint(folder, FACTS)
    os.utime(folder / "serve.py", (0, 0))

    assert fingerprint(folder, FACTS) == before


@pytest.mark.parametrize("change", ["bytes", "name", "mode", "new", "gone", "moved bytes"])
def test_whatever_a_build_sees_changes_it(folder: Path, change: str) -> None:
    before = fingerprint(folder, FACTS)
    handler = folder / "function" / "handler.py"
    if change == "bytes":
        handler.write_text("app = 2\n", encoding="utf-8")
    elif change == "name":
        handler.rename(folder / "function" / "handlers.py")
    elif change == "mode":
        handler.chmod(0o755)
    elif change == "new":
        (folder / "empty").touch()
    elif change == "gone":
        (folder / "serve.py").unlink()
    else:  # the same bytes in a row, in other files
        handler.write_text("", encoding="utf-8")
        (folder / "serve.py").write_text("app = 1\n", encoding="utf-8")

    assert fingerprint(folder, FACTS) != before


def test_another_base_or_argument_changes_it(folder: Path) -> None:
    assert fingerprint(folder, FACTS) != fingerprint(folder, {"base": "sha256:2"})
    assert fingerprint(folder, FACTS) != fingerprint(folder, {**FACTS, "argument FAMILY": "base"})
