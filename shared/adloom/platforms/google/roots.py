"""Whom gRPC trusts. It reads that once in the life of a process, at its first secure connection."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import httpx

from adloom.platforms.google import errors

# gRPC's own name.
VARIABLE = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"
# Where the sandbox shows the certificate of its own authority.
PATH = "/google-ca.pem"
TIMEOUT_S = 10.0

_once = threading.Lock()
# Goes away with the process.
_folder: tempfile.TemporaryDirectory[str] | None = None


def trust(sandbox_url: str) -> None:
    """Trust the sandbox's authority and no other, from the first call on; PlatformTransient while it does not answer.

    For a sandbox only: with Google's own servers gRPC keeps the roots that it has.
    """
    global _folder  # noqa: PLW0603 - one for the process, as gRPC's roots are
    with _once:
        if os.environ.get(VARIABLE):
            return
        try:
            reply = httpx.get(sandbox_url.rstrip("/") + PATH, timeout=TIMEOUT_S, follow_redirects=False)
            reply.raise_for_status()
        except httpx.HTTPError as fault:
            raise errors.network_fault(type(fault).__name__) from None
        _folder = tempfile.TemporaryDirectory(prefix="adloom-roots-")
        file = Path(_folder.name) / "roots.pem"
        file.write_bytes(reply.content)
        os.environ[VARIABLE] = str(file)
