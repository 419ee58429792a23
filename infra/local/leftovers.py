"""The record of what was started, and ending what a killed supervisor left behind."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.local.errors import RuntimeFault, explain
from infra.local.home import Home, read_json, write_json
from infra.local.parts import Part
from infra.local.postgres import main_process, servers_of
from infra.local.processes import Identity, end, session_members, wait_gone

_KILL = (signal.SIGKILL, 10.0)


class Record:
    """`processes.json`: every process that runs, with the signals that end it in order."""

    def __init__(self, home: Home, say: Callable[[str], None]) -> None:
        self._home = home
        self._say = say
        self._entries: dict[str, Any] = {}

    def add(self, part: Part, identity: Identity) -> None:
        self._entries[part.name] = {**identity.record(), "stop": part.stop, "command": part.command[0]}
        self._write()

    def remove(self, part: Part) -> None:
        if self._entries.pop(part.name, None) is not None:
            self._write()

    def _write(self) -> None:
        """On a full disk go on without: all but Postgres die with us, and Postgres is found by its data folder."""
        try:
            write_json(self._home.processes_file, self._entries)
        except OSError as error:
            self._say(str(explain(error, self._home.path)))


def heal(home: Home) -> list[str]:
    """End exactly what the record names and is still the same process; returns the names of what was ended.

    Only for the holder of the supervisor's lock.
    """
    try:
        entries = read_json(home.processes_file)
    except RuntimeFault:
        entries = {}  # nothing is written in place, so a person edited it; Postgres is found by its folder below
    ended = [name for name, entry in entries.items() if _end_entry(entry)]
    data = home.path / "postgres" / "data"
    if strays := servers_of(data):
        _end_servers(data, strays)
        ended.append("postgres")
    home.processes_file.unlink(missing_ok=True)
    return list(dict.fromkeys(ended))


def _end_entry(entry: Mapping[str, Any]) -> bool:
    identity = Identity.read(entry)
    if not session_members(identity):
        return False
    end(identity, [*[(int(number), float(wait)) for number, wait in entry["stop"]], _KILL])
    return True


def _end_servers(data: Path, pids: list[int]) -> None:
    """A Postgres that no record names: its main process ends all others in order, if it lives."""
    everyone = [identity for pid in pids if (identity := Identity.of(pid)) is not None]
    main = [one for one in everyone if one.pid == main_process(data)]
    for targets, number, patience in (
        (main, signal.SIGINT, 30.0),
        (everyone, signal.SIGQUIT, 5.0),
        (everyone, signal.SIGKILL, 10.0),
    ):
        for one in targets:
            if one.alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, number)
        if targets and wait_gone(everyone, patience):
            return
