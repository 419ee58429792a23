"""A copy of the project with one mistake in it, and an interpreter that runs the copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PATCHES = ROOT / "tests" / "mutants"
_COPIED = ("functions", "infra", "migrations", "shared", "template", "tests", "ui")
_FILES = ("pyproject.toml", "stack.yml")
_LEFT_OUT = shutil.ignore_patterns("node_modules", "data", "bench", "e2e", "vps", "images", "faasd")


def make(folder: Path, patch: str) -> Path:
    """Copy the project into a folder and apply a patch to it; returns the interpreter that imports the copy.

    What is compiled already is copied too: it counts for a file of the same age, which a patched one is not.
    """
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
    for name in _FILES:
        shutil.copy(ROOT / name, folder / name)
    applied = subprocess.run(
        ["git", "apply", "--verbose", str(PATCHES / f"{patch}.patch")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        # Not as part of a repository that may lie around the folder.
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)},
    )
    assert applied.returncode == 0, f"the mutant {patch} does not fit the code any more; renew it: {applied.stderr}"
    return _interpreter(folder)


def _interpreter(folder: Path) -> Path:
    """A virtual environment with the packages and programs of ours, but with the copy in place of the project."""
    home = folder / ".venv"
    venv.create(home, symlinks=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)})
    paths = (folder / "shared", folder, Path(sysconfig.get_path("purelib")))
    (Path(packages) / "project.pth").write_text("".join(f"{path}\n" for path in paths))
    for program in Path(sys.executable).parent.iterdir():
        if not (home / "bin" / program.name).exists():
            (home / "bin" / program.name).symlink_to(program)
    return home / "bin" / "python"
