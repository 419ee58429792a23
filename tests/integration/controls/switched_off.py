"""Copies of the project with one security control switched off each, and what the test says that is named for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.integration.controls import nursery

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "security.md"
PATCHES = ROOT / "tests" / "mutants" / "security"
_COPIED = ("functions", "infra", "migrations", "shared", "template", "tests", "ui")
_FILES = ("pyproject.toml", "stack.yml")
_LEFT_OUT = shutil.ignore_patterns("node_modules", "bench", "e2e", "vps", "images", "faasd")
# | `no_role_check` | Guards ask for no role | `tests/unit/...::test_...` |
_ROW = re.compile(r"^\| `(?P<name>[a-z0-9_]+)` \| (?P<what>[^|]+) \| `(?P<test>tests/[^`]+)` \|$", re.MULTILINE)
_PATIENCE_S = 900


@dataclass(frozen=True)
class Control:
    """A control, and the test that fails without it."""

    name: str
    test: str

    @property
    def patch(self) -> Path:
        return PATCHES / f"{self.name}.patch"

    @property
    def is_in_the_database(self) -> bool:
        """Whether migrations are changed, so that a database has to be made with them."""
        return "+++ b/migrations/" in self.patch.read_text(encoding="utf-8")


class DoesNotFitError(Exception):
    """The code that a patch changes has changed."""


@dataclass(frozen=True)
class Said:
    """How a run ended: pytest's exit code, and what it wrote."""

    code: int
    text: str


def documented() -> list[Control]:
    """The controls in the table of the document, in its order."""
    return [Control(row["name"], row["test"]) for row in _ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))]


class Copies:
    """Copies in a folder. The first is the project as it is; the others share its files, but for those of a patch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.plain = folder / "plain"
        for name in _COPIED:
            shutil.copytree(ROOT / name, self.plain / name, ignore=_LEFT_OUT)
        for name in _FILES:
            shutil.copy2(ROOT / name, self.plain / name)

    def without(self, control: Control) -> Path:
        """A copy without a control; DoesNotFitError when its patch fits the code no more."""
        made = self._folder / control.name
        shutil.copytree(self.plain, made, copy_function=os.link)
        # git writes a file anew and leaves the one that copies share as it is.
        applied = subprocess.run(
            ["git", "apply", "--verbose", str(control.patch)],
            cwd=made,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(self._folder)},
        )
        if applied.returncode != 0:
            raise DoesNotFitError(f"{control.patch} does not fit the code any more; renew it: {applied.stderr}")
        return made


@dataclass(frozen=True)
class Run:
    """Tests to run in a copy; `environment` in addition to that of this process."""

    name: str
    folder: Path
    nodes: tuple[str, ...]
    environment: dict[str, str]


def run(folder: Path, runs: Iterable[Run]) -> dict[str, Said]:
    """Run them, two at a time; what each said by its name. Logs lie in the folder."""
    logs = {str(folder / f"{each.name}.log"): each for each in runs}
    lines = [
        json.dumps({"folder": str(each.folder), "nodes": each.nodes, "log": log, "environment": each.environment})
        for log, each in logs.items()
    ]
    done = subprocess.run(
        [sys.executable, nursery.__file__],
        input="\n".join(lines) + "\n",
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith(("ADLOOM_", "COV_", "PYTEST_"))},
    )
    assert done.returncode == 0, done.stderr
    ended = [json.loads(line) for line in done.stdout.splitlines()]
    return {logs[each["log"]].name: Said(each["code"], Path(each["log"]).read_text(errors="replace")) for each in ended}
