"""Backup files: each is there whole under its name, or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from adloom.errors import ConfigurationError, Conflict, Unavailable

_NAME = re.compile(r"adloom-\d{8}T\d{6}(\.\d{6})?Z\.tar\.gz\.age")
_PARTIAL = ".adloom-*.partial"
# A file of a limited size is what a quota of some systems looks like.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def name_for(moment: datetime) -> str:
    """The name of a backup that was begun at this moment, UTC. Names sort by time.

    To the microsecond: a nightly one and one by hand may begin in the same second.
    """
    return f"adloom-{moment:%Y%m%dT%H%M%S.%fZ}.tar.gz.age"


def complete(folder: Path) -> list[Path]:
    """The backups in a folder, oldest first. Only a whole one bears such a name."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file())


@contextmanager
def new_file(folder: Path, name: str) -> Iterator[BinaryIO]:
    """A file to write into, which gets its name when the block ends well and leaves nothing behind when it does not."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(folder)
        if (folder / name).exists():
            raise Conflict(f"{folder / name} is there already; try again in a second")
        partial = folder / f".{name}.{os.getpid()}.partial"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
                file.flush()
                os.fsync(file.fileno())
                partial.rename(folder / name)
            _sync(folder)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise _explain(error, folder) from error


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups; what else lies in the folder stays."""
    old = complete(folder)[:-keep]
    for path in old:
        path.unlink()
    return old


def _sweep(folder: Path) -> None:
    """Remove what killed runs left. Whoever still writes holds a lock on its file."""
    for partial in folder.glob(_PARTIAL):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), partial.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            partial.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explain(error: OSError, folder: Path) -> Exception:
    if error.errno in _FULL:
        return Unavailable(f"The disk under {folder} is full; nothing was kept. Free some space", code="disk_full")
    return ConfigurationError(f"{error.filename or folder} cannot be written: {error.strerror or error}")
