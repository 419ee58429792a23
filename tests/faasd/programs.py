"""Programs that run for the length of the tests, each with a log of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from infra.local.processes import spawn

_START_S = 60.0
_STOP_S = 20.0
_POLL_S = 0.05
_SHOWN = 3000


class Program:
    """One process. `env` is all of its environment but PATH and HOME; it is ready when `ready` says so."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        logs: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        ready: Callable[[], bool] = lambda: True,
        end: int = signal.SIGTERM,
    ) -> None:
        self.name = name
        self._end = end
        self.log_file = logs / f"{name}.log"
        self._ready = ready
        told = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8", **(env or {})}
        place = cwd or Path.cwd()
        self._process = spawn(command, env=told, cwd=place, log=self.log_file, on_our_death=signal.SIGKILL)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self) -> None:
        def is_ready() -> bool:
            if (status := self._process.poll()) is not None:
                raise AssertionError(f"{self.name} ended with {status}:\n{self.log[-_SHOWN:]}")
            return self._ready()

        until(is_ready, f"{self.name} to answer", _START_S, lambda: self.log[-_SHOWN:])

    def stop(self) -> None:
        self._process.send_signal(self._end)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            say(f"{self.name} did not end in {_STOP_S:g} s and was killed")
            self._process.kill()
            self._process.wait()


class Programs:
    """Starts programs one after the other and stops them the other way round."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.running: dict[str, Program] = {}

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        ready: Callable[[], bool] = lambda: True,
        end: int = signal.SIGTERM,
    ) -> Program:
        program = self.running[name] = Program(name, command, logs=self.logs, env=env, cwd=cwd, ready=ready, end=end)
        program.wait_ready()
        return program

    def stop(self) -> None:
        while self.running:
            _, program = self.running.popitem()
            program.stop()


def until(
    reached: Callable[[], bool], what: str, patience: float = _START_S, more: Callable[[], str] = lambda: ""
) -> float:
    """Wait until something is so; the seconds that took. AssertionError says what did not come."""
    began = time.monotonic()
    while not reached():
        if time.monotonic() - began > patience:
            raise AssertionError(f"waited {patience:g} s for {what}\n{more()}")
        time.sleep(_POLL_S)
    return time.monotonic() - began


def answers(url: str, *statuses: int) -> Callable[[], bool]:
    """Whether the address answers with one of these statuses, 200 if none is named."""

    def ask() -> bool:
        try:
            return httpx.get(url, timeout=5, trust_env=False).status_code in (statuses or (200,))
        except httpx.HTTPError:
            return False

    return ask


def listens(port: int, host: str = "127.0.0.1") -> Callable[[], bool]:
    def ask() -> bool:
        try:
            with socket.create_connection((host, port), timeout=1):
                return True
        except OSError:
            return False

    return ask


def say(text: str) -> None:
    """A figure for whoever reads the run."""
    print(f"  {text}", flush=True)  # noqa: T201 - it is what was measured
