"""The hash of what goes into an image."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

# The label that holds it. Where it is equal nothing is built.
LABEL = "org.adloom.content"


def fingerprint(folder: Path, facts: Mapping[str, str]) -> str:
    """SHA-256 of every file of the folder, by path, mode and bytes, and of the facts."""
    digest = hashlib.sha256()
    for path in files(folder):
        executable = os.access(path, os.X_OK)
        digest.update(f"{path.relative_to(folder)}\0{int(executable)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    for name, value in sorted(facts.items()):
        digest.update(f"{name}\0{value}\0".encode())
    return digest.hexdigest()


def files(folder: Path) -> list[Path]:
    return sorted(Path(top, name) for top, _, names in os.walk(folder) for name in names)
