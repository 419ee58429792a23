"""Files that hold secrets, or that nobody may ever see half written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def write_private(path: Path, text: str, *, mode: int = 0o600, owner: str | None = None) -> None:
    """Replace a file in one step; until it is whole only we may read it. `owner`: a user with a group of that name."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if owner is not None:
        shutil.chown(partial, owner, owner)
    partial.chmod(mode)
    partial.replace(path)
