"""What stops the runtime, as a sentence for the person who started it."""

from __future__ import annotations

import errno
from pathlib import Path


class RuntimeFault(Exception):
    """The runtime cannot do what was asked; the message says why and what to do."""


def explain(error: OSError, home: Path) -> RuntimeFault:
    """The sentence for a fault of the file system that a person can mend."""
    where = error.filename or home
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return RuntimeFault(f"The disk under {home} is full. Free some space and start again.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return RuntimeFault(
            f"{where} cannot be written ({error.strerror}). Make it writable, or set ADLOOM_HOME to a "
            "folder of your own."
        )
    return RuntimeFault(f"{where}: {error.strerror}")
