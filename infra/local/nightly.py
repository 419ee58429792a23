"""The nightly backup of a stack: a command that the supervisor starts at its time of day.

A night that was slept through is made up for at the next start. A backup that fails is told in `make status` and tried
again an hour later; the stack goes on without.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from infra.local.errors import RuntimeFault
from infra.local.home import ROOT, Home, read_json, write_json
from infra.local.processes import Identity, end, spawn

KEPT = 7
_AGAIN = timedelta(hours=1)
# The machine may sleep, so the clock is looked at.
_LOOK_S = 30.0
_POLL_S = 0.2
_STOP = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
_LOG = "backup"


@dataclass(frozen=True)
class Backups:
    """What is known of a stack's backups; times are real ones, ISO, UTC. `since`: when we began to look after them."""

    since: str
    succeeded: str = ""
    tried: str = ""
    fault: str = ""

    @classmethod
    def load(cls, home: Home) -> Backups | None:
        """What the home remembers; None where nobody has looked after backups yet, or the file is damaged."""
        try:
            found = read_json(_file(home))
            return cls(**found) if found else None
        except (RuntimeFault, TypeError):
            return None

    def save(self, home: Home) -> None:
        write_json(_file(home), asdict(self))

    def is_due(self, now: datetime, at: time) -> bool:
        """Whether the time of day has come by since the last good backup, and the last try is long enough ago."""
        last_time = datetime.combine(now.date(), at, UTC)
        if last_time > now:
            last_time -= timedelta(days=1)
        done = datetime.fromisoformat(self.succeeded or self.since)
        if self.fault and self.tried and now - datetime.fromisoformat(self.tried) < _AGAIN:
            return False
        return done < last_time

    def ended(self, now: datetime, fault: str) -> Backups:
        moment = now.isoformat(timespec="seconds")
        return replace(self, tried=moment, fault=fault, succeeded=self.succeeded if fault else moment)


def _file(home: Home) -> Path:
    return home.path / "backups.json"


class Nightly:
    """Makes the backups of one run of a stack. `env` is that of the process `backup`."""

    def __init__(self, home: Home, env: Mapping[str, str], at: time, say: Callable[[str], None]) -> None:
        self._home = home
        self._env = env
        self._at = at
        self._say = say

    async def run(self) -> None:
        """Look at the clock until cancelled."""
        while True:
            known = Backups.load(self._home)
            if known is None:
                known = Backups(_now().isoformat(timespec="seconds"))
                self._remember(known)
            if known.is_due(_now(), self._at):
                fault = await self._back_up()
                self._say(f"The nightly backup failed: {fault}" if fault else "The nightly backup is made")
                self._remember(known.ended(_now(), fault))
            await asyncio.sleep(_LOOK_S)

    def _remember(self, backups: Backups) -> None:
        try:
            backups.save(self._home)
        except OSError as error:  # a full disk must not end the watch
            self._say(f"{_file(self._home)} cannot be written: {error.strerror}")

    async def _back_up(self) -> str:
        """Make one; empty, or the sentence that says what went wrong."""
        command = [sys.executable, "-m", "adloom.cli", "backup", "--keep", str(KEPT)]
        log = self._home.log(_LOG)
        try:
            process = spawn(command, env=self._env, cwd=ROOT, log=log, on_our_death=signal.SIGKILL)
        except OSError as error:
            return f"it could not be started ({error.strerror})"
        identity = Identity.of(process.pid)
        try:
            while process.poll() is None:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(_POLL_S)
        finally:
            if process.poll() is None and identity is not None:
                end(identity, _STOP)
                process.wait()
        return "" if process.returncode == 0 else _reason(log, process)


def _reason(log: Path, process: subprocess.Popen[bytes]) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    said = [line.removeprefix("adloom: ") for line in lines if line.startswith("adloom: ")]
    return said[-1] if said else f"it ended with {process.returncode}; see {log}"


def _now() -> datetime:
    return datetime.now(UTC)
