"""Passwords and keys of one stack: made at its first start, handed to each process in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.deployment.private import write_private
from infra.deployment.secrets import token
from infra.local.home import Home


class Credentials:
    """What was generated stays in `secrets/runtime/`; the folders of the processes are written from it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._store = home.secrets / "runtime"
        self._store.mkdir(mode=0o700, exist_ok=True)

    def get(self, name: str, make: Callable[[], str] = token) -> str:
        """The value of this name, made by `make` when there is none yet."""
        path = self._store / name
        if path.is_file() and (value := path.read_text(encoding="utf-8").strip()):
            return value
        self.put(name, make())
        return path.read_text(encoding="utf-8").strip()

    def put(self, name: str, value: str) -> None:
        write_private(self._store / name, value + "\n")

    def known(self, name: str) -> str | None:
        path = self._store / name
        return path.read_text(encoding="utf-8").strip() if path.is_file() else None

    def hand_out(self, process: str, values: Mapping[str, str]) -> Path:
        """Write the secrets folder of a process: exactly these files."""
        folder = self._home.secrets / process
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        for old in folder.iterdir():
            if old.name not in values:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for name, value in values.items():
            write_private(folder / name, value + "\n")
        return folder
