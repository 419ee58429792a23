"""The file of a backup: members in a tar, compressed with gzip, encrypted with age; a stream in both directions.

So it can be opened without Adloom: `age -d -i identity FILE | tar xz`.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

import pyrage

from adloom.errors import InvalidRequest

# Beyond this level the file gets hardly smaller, and the processor is what a backup waits for.
_LEVEL = 4
_GZIP = 31  # zlib's window bits for the format of gzip
_KEY_HEADER = "ADLOOM.key"
_CHUNK = 1 << 16
_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Member:
    """One file of the tar. `key` is a name of any form, such as an object's; `chunks` have `size` bytes in all."""

    name: str
    size: int
    chunks: Iterable[bytes] = field(compare=False)
    key: str = ""


@dataclass(frozen=True)
class Entry:
    """A member as it is read; read `body` before going on to the next one."""

    name: str
    size: int
    key: str
    body: IO[bytes]


def write(members: Iterable[Member], file: BinaryIO, recipients: list[Any], made_at: int) -> None:
    """Write the members into a file that only the recipients' identities open. `made_at`: unix seconds."""
    ends = _Source(_gzip(_tar(members, made_at))), _Drain(file)
    try:
        pyrage.encrypt_io(*ends, recipients)
    except Exception:
        # It tells of our own errors in words of its own.
        for end in ends:
            if end.fault is not None:
                raise end.fault from None
        raise


def _tar(members: Iterable[Member], made_at: int) -> Iterator[bytes]:
    for member in members:
        info = tarfile.TarInfo(member.name)
        info.size, info.mtime, info.mode = member.size, made_at, _OWNER_ONLY
        info.pax_headers = {_KEY_HEADER: member.key} if member.key else {}
        yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
        written = 0
        for chunk in member.chunks:
            written += len(chunk)
            yield chunk
        if written != member.size:
            raise RuntimeError(f"{member.name} has {written} bytes, not {member.size}")
        yield bytes(-written % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _gzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()


class _Source:
    """What age reads from: the chunks of an iterator."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self.fault: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            while not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return b""
                self._rest = memoryview(chunk)
        except BaseException as error:
            self.fault = error
            raise
        part, self._rest = self._rest[:size], self._rest[size:]
        return bytes(part)


class _Drain:
    """What age writes into: a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.fault: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except BaseException as error:
            self.fault = error
            raise

    def flush(self) -> None:
        """The file is synced when all is in it."""


@contextmanager
def opened(path: Path, identities: list[Any]) -> Iterator[Iterator[Entry]]:
    """The members of a file, one after the other.

    InvalidRequest for a wrong identity and for a file that is cut off or was changed. That a file is whole is
    known at its end only: what came before must have had no effect by then.
    """
    plain = _Decrypting(path, identities)
    try:
        yield _entries(plain)
    finally:
        plain.close()


def _entries(plain: _Decrypting) -> Iterator[Entry]:
    try:
        with gzip.GzipFile(fileobj=plain) as unpacked:
            with tarfile.open(fileobj=unpacked, mode="r|") as tar:
                while (info := tar.next()) is not None:
                    body = tar.extractfile(info)
                    if body is None:
                        raise damaged("it holds something that is no file")
                    yield Entry(info.name, info.size, info.pax_headers.get(_KEY_HEADER, ""), body)
                    tar.members = []  # type: ignore[attr-defined]  # it would remember each one
            # To the very end of the file: only its last piece says that nothing was cut off.
            while unpacked.read(_CHUNK):
                pass
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise damaged("its contents cannot be unpacked") from error


def damaged(why: str) -> InvalidRequest:
    return InvalidRequest(f"The backup is damaged: {why}. Take another one", code="backup_damaged")


class _Decrypting(io.RawIOBase):
    """The decrypted bytes of a file, from a thread that decrypts ahead by what a pipe holds."""

    def __init__(self, path: Path, identities: list[Any]) -> None:
        super().__init__()
        self._file = _open(path)
        read_end, self._write_end = os.pipe()
        self._pipe = io.BufferedReader(io.FileIO(read_end, "rb"), _CHUNK)
        self._fault: Exception | None = None
        self._identities = identities
        self._thread = threading.Thread(target=self._decrypt, name="decrypt", daemon=True)
        self._thread.start()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._pipe.readinto1(buffer)
        if count == 0:
            self._thread.join()
            if self._fault is not None:
                raise _translate(self._fault)
        return count

    def _decrypt(self) -> None:
        with os.fdopen(self._write_end, "wb", buffering=0) as pipe:
            try:
                pyrage.decrypt_io(self._file, pipe, self._identities)
            except (OSError, pyrage.DecryptError) as error:
                self._fault = error

    def close(self) -> None:
        """Ends the thread too: it writes into a pipe that nobody reads any more."""
        if not self.closed:
            self._pipe.close()
            self._thread.join()
            self._file.close()
        super().close()


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}", code="backup_unreadable") from error


def _translate(fault: Exception) -> InvalidRequest:
    if isinstance(fault, pyrage.DecryptError) and "matching key" in str(fault):
        return InvalidRequest(
            "This identity does not open the backup: it was encrypted to another recipient", code="wrong_identity"
        )
    if isinstance(fault, pyrage.DecryptError):
        return damaged("it does not begin as a backup does")
    return damaged("it is cut off, or was changed after it was made")
