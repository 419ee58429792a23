"""The files of a ring of keys: the same text in each, in the folder of every process that has the secret.

A file is written in place, since a container has mounted the file and not its name, and so that a reader finds the old
keys or the new ones at every moment: what becomes shorter is filled up with line ends first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from adloom.errors import ConfigurationError, Conflict


@dataclass(frozen=True)
class RingFiles:
    """`name` as that of the secret: `token-ring`."""

    name: str
    folders: tuple[Path, ...]
    paths: tuple[Path, ...]

    def keys(self) -> list[str]:
        """The keys, newest first; Conflict where the files do not agree."""
        found = {path: _keys(path) for path in self.paths}
        # One that was not written any more when the command was interrupted has fewer.
        longest = max(found.values(), key=len)
        for path, keys in found.items():
            if not set(keys) <= set(longest):
                raise Conflict(f"{path} has keys that others have not: make them equal first.", code="rings_differ")
        if any(keys != longest for keys in found.values()):
            self.write(longest)
        return longest

    def write(self, keys: list[str]) -> None:
        for path in self.paths:
            _overwrite(path, ",".join(keys))

    def tell(self, file: str, fingerprints: dict[str, list[str]]) -> None:
        """Renew the fingerprints that whoever makes backups has in place of the rings."""
        for path in sorted({found for folder in self.folders for found in folder.rglob(file)}):
            known = json.loads(path.read_text(encoding="utf-8"))
            _overwrite(path, json.dumps(known | fingerprints))


def find(folders: Iterable[Path], name: str) -> RingFiles:
    """Every file of the ring in and below the folders; ConfigurationError without one."""
    folders = tuple(folders)
    paths = {path for folder in folders for path in (*folder.rglob(name), *folder.rglob(f"*-{name}")) if path.is_file()}
    if not paths:
        where = " or ".join(map(str, folders))
        raise ConfigurationError(f"There is no file {name} in {where}: say with --folder where the secrets lie.")
    return RingFiles(name, folders, tuple(sorted(paths)))


def _keys(path: Path) -> list[str]:
    return [key.strip() for key in path.read_text(encoding="utf-8").split(",")]


def _overwrite(path: Path, text: str) -> None:
    new = text.encode() + b"\n"
    file = os.open(path, os.O_WRONLY)
    try:
        before = os.fstat(file).st_size
        os.pwrite(file, new + b"\n" * max(0, before - len(new)), 0)
        os.ftruncate(file, len(new))
        os.fsync(file)
    finally:
        os.close(file)
