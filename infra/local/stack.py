"""A stack as a Python object, for tests and checks.

with Stack(tmp_path / "home", parts=["migrate"]) as stack:
    Database(stack.secret("auth", "auth-database-url"))
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adloom.clock import move
from infra.local import daemon, status
from infra.local.errors import RuntimeFault
from infra.local.home import Home, read_json
from infra.local.lock import holder
from infra.local.postgres import PROGRAMS
from infra.local.supervisor import last_lines

_PATIENCE_S = 60.0
_POLL_S = 0.02
# Of the operator's environment these would make a test depend on the machine it runs on.
_OWN = ("ADLOOM_", "PYTEST_", "COV_")


class Stack:
    """A stack in a home of its own, stopped at the end of the block; also when this process is killed.

    `parts`: only these and what they need; everything if none is named. `migrate` is a Postgres that is ready to use.
    `facts`: the folder the sandbox serves. `clock`: the business time it starts at, and `rate` how fast it goes.
    `autoconnect`: whether the sandbox's accounts are connected at the first start.
    `settings`: more environment variables for the stack, such as ADLOOM_LOG_LEVEL.

    Start it from a thread that lives as long as the stack shall: the kernel stops it when that thread ends.
    """

    def __init__(
        self,
        home: Path,
        *,
        parts: Sequence[str] = (),
        facts: Path | None = None,
        clock: datetime | None = None,
        rate: float = 1.0,
        autoconnect: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.home = Home(home.absolute())
        self._parts = parts
        self._clock = (clock, rate) if clock else None
        self._environment = {k: v for k, v in os.environ.items() if k == PROGRAMS or not k.startswith(_OWN)}
        self._environment |= {"ADLOOM_HOME": str(self.home.path), "ADLOOM_AUTOCONNECT": str(int(autoconnect))}
        if facts is not None:
            self._environment["ADLOOM_SANDBOX_FACTS"] = str(facts)
        self._environment |= settings or {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, or start it again on its data; RuntimeFault names the part that does not answer."""
        self.home.prepare()
        if self._clock is not None and not self.home.clock_file.exists():
            self.set_clock(*self._clock)
        daemon.start(self.home, only=self._parts, environment=self._environment, on_our_death=signal.SIGTERM)

    def stop(self) -> None:
        daemon.stop(self.home)

    def set_clock(self, now: datetime, rate: float = 1.0) -> None:
        """Move the business clock of every process of the stack; `now` is aware."""
        move(self.home.clock_file, now, rate)

    @property
    def run(self) -> dict[str, Any]:
        """`run.json` as it is now."""
        return read_json(self.home.run_file)

    @property
    def url(self) -> str:
        """The front door, without a slash at its end."""
        return str(self.run["url"])

    @property
    def login(self) -> tuple[str, str]:
        """The e-mail and the password of the owner that the first start made."""
        login = self.run["login"]
        return login["email"], login["password"]

    def port(self, part: str) -> int:
        return int(self.run["ports"][part])

    def secret(self, process: str, name: str) -> str:
        """A secret as that process reads it; `process` as in `.adloom/secrets/`: a function, cli, admin, ..."""
        return (self.home.secrets / process / name).read_text(encoding="utf-8").strip()

    def env(self, process: str) -> dict[str, str]:
        """The environment a process runs with; `cli` is that of a command line for this stack."""
        return dict(self.run["environment"][process])

    def log(self, part: str) -> str:
        path = self.home.log(part)
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def status(self) -> status.Status:
        return status.read(self.home)

    @property
    def supervisor_pid(self) -> int:
        supervisor = holder(self.home)
        if supervisor is None:
            raise RuntimeFault(f"Nothing supervises {self.home.path}.")
        return supervisor.pid

    def pid(self, part: str) -> int:
        """The process id of a part that runs now."""
        pid = self.run["parts"][part]["pid"]
        if pid is None:
            raise RuntimeFault(f"{part} does not run now.")
        return int(pid)

    def kill(self, part: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a part's process. Its supervisor starts it again: see `wait_up`."""
        os.kill(self.pid(part), number)

    def kill_and_wait(self, part: str, number: int = signal.SIGKILL) -> None:
        """Send a signal that ends a part, and wait until another process of it answers."""
        before = self.pid(part)
        os.kill(before, number)
        self._wait(part, lambda one: one["state"] == "up" and one["pid"] not in {None, before})

    def wait_up(self, part: str) -> None:
        self._wait(part, lambda one: one["state"] == "up")

    def restart(self, part: str) -> None:
        """Stop a part in order and start it again; returns when it answers."""
        with self.without(part):
            pass

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """Keep a part down for the length of the block; it answers again when the block has ended."""
        self.hold(part)
        try:
            yield
        finally:
            self.release(part)

    def hold(self, part: str) -> None:
        """Stop a part in order and keep it down until `release`."""
        (self.home.holds / part).touch()
        self._wait(part, lambda one: one["state"] == "held")

    def release(self, part: str) -> None:
        (self.home.holds / part).unlink(missing_ok=True)
        self.wait_up(part)

    def _wait(self, part: str, reached: Any) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not reached(self.run["parts"][part]):
            if time.monotonic() > deadline:
                now = self.run["parts"][part]
                raise RuntimeFault(f"{part} is {now['state']} after {_PATIENCE_S:g} s.\n{last_lines(self.home, part)}")
            time.sleep(_POLL_S)
