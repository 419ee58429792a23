"""Venvs for clients that we did not write: their dependencies are none of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")


def python_with(package: str, folder: Path) -> Path:
    """The Python of a venv in the folder, made with the package when it is not there yet."""
    python = folder / "bin" / "python"
    done = folder / f"{package}.installed"
    if not done.exists():
        subprocess.run([UV, "venv", "-q", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run([UV, "pip", "install", "-q", "--python", python, package], check=True)
        done.touch()
    return python
