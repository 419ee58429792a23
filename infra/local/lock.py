"""One supervisor per home: an advisory lock, which the kernel gives back whatever happens to its holder."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.home import Home
from infra.local.processes import Identity


class AlreadyRunning(Exception):
    """Another process supervises this home."""


@contextmanager
def supervising(home: Home) -> Iterator[None]:
    """Hold the home's lock and leave this process's identity in it; AlreadyRunning where another holds it."""
    descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning from error
        own = Identity.of(os.getpid())
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(own.record() if own else {}).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_supervised(home: Home) -> bool:
    """Whether somebody holds the lock now."""
    try:
        with home.lock_file.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def holder(home: Home) -> Identity | None:
    """The live supervisor of this home."""
    if not is_supervised(home):
        return None
    try:
        identity = Identity.read(json.loads(home.lock_file.read_text(encoding="utf-8")))
    except (ValueError, KeyError):
        return None
    return identity if identity.alive else None
