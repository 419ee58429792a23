"""The platform of the compose model, run by podman from the images that were built."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from adloom import clock
from infra.compose import model as models
from infra.compose.model import DEMO
from infra.compose.runner import Platform
from infra.compose.service import DONE, Service
from infra.deployment import secrets
from infra.local.processes import Identity
from tests.deployed.main_job import Deployment

OWNER = "owner@adloom.local"
# Business seconds in a real one while a tick is awaited: accounts are due every 15 minutes.
RUSH = 60.0
_PATIENCE_S = 60.0
# A container of the command line that stays, so that a call of it is not a start of one.
_WAIT = "import signal; signal.sigwait({signal.SIGTERM})"
_POLL_S = 0.02


class Running(Platform):
    """A platform for tests: on ports of its own, with the sandbox over a facts folder, on a clock that can be moved."""

    def __init__(self, folder: Path, facts: Path, *, now: datetime, extra: tuple[Service, ...] = (), **mounts: Any):
        self._logs = folder / "logs"
        # Containers enter these folders as a user of their own.
        self._clock = folder / "clock"
        self.backups = folder / "backups"
        self.backups.mkdir()
        for one in (facts, self._clock):
            one.mkdir(exist_ok=True)
            one.chmod(0o755)
        self.set_clock(now)
        port, sandbox = free_port(), free_port()
        self.url, self.sandbox = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox}"
        values = {
            **DEMO,
            # What was built is what runs.
            "ADLOOM_IMAGES": os.environ.get("ADLOOM_IMAGES", ""),
            "ADLOOM_PORT": str(port),
            "ADLOOM_PUBLIC_URL": self.url,
            "ADLOOM_SANDBOX_PORT": str(sandbox),
            "ADLOOM_SANDBOX_BROWSER_URL": self.sandbox,
            "ADLOOM_SANDBOX_FACTS": "/facts",
            "ADLOOM_CLOCK": "file:/clock/now",
            "ADLOOM_BACKUPS": str(self.backups),
        }
        secret_folder = make_secrets(folder / "secrets")
        line = replace(models.read()["adloom"], entrypoint=(), command=("python", "-c", _WAIT), once=False)
        backup = replace(models.read()["backup"], needs={"migrate": DONE, "bucket": DONE})
        super().__init__(secret_folder, values, profiles=("demo",), extra=(line, backup, *extra))
        told = {name: {self._clock: "/clock"} for name in self.services}
        told["sandbox"] |= {facts: "/facts"}
        for name, more in mounts.items():
            told[name] = told.get(name, {}) | more
        self.mount(told)

    def stop(self) -> None:
        """Keep every log in the test's folder, for whoever has to find out what went wrong."""
        self._logs.mkdir(exist_ok=True)
        for name in self.services:
            (self._logs / f"{name}.log").write_text(self.logs(name), encoding="utf-8")
        super().stop()

    def set_clock(self, now: datetime, rate: float = 1.0) -> None:
        """Move the business clock of every container."""
        clock.move(self._clock / "now", now, rate)
        (self._clock / "now").chmod(0o644)

    def hurry(self, rate: float) -> None:
        """Let the business clock run faster or slower from now on."""
        setting = clock.parse((self._clock / "now").read_text())
        assert setting is not None
        self.set_clock(setting.at(time.time()), rate)

    @property
    def secrets(self) -> dict[str, str]:
        """Every secret of the deployment by the name of its file."""
        return {path.name: path.read_text().strip() for path in self.place.secrets.iterdir()}

    def adloom(self, *arguments: str) -> str:
        done = self.exec("adloom", "python", "-m", "adloom.cli", *arguments)
        assert done.returncode == 0, f"`adloom {' '.join(arguments)}` ended with {done.returncode}: {done.stderr}"
        return done.stdout

    @property
    def deployment(self) -> Deployment:
        return Deployment(
            gateway=self.url,
            front=self.url,
            adloom=self.adloom,
            sandbox=self.sandbox,
            sandbox_key=self.secrets["sandbox-key"],
            owner=(OWNER, self.secrets["owner-password"]),
        )

    def model_services(self) -> list[str]:
        """What runs all the time, without what a test has added."""
        own = {one.name for one in self.model.chosen(("demo",)) if not one.once}
        return [name for name in self.services if name in own]

    def sql(self, query: str) -> str:
        """The answer of the database, as its administrator on its own machine."""
        done = self.exec("postgres", "psql", "-U", secrets.ADMIN, "-d", secrets.DATABASE, "-Atqc", query)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def pid(self, name: str) -> int:
        """The first process of a container, as this machine counts."""
        return int(self.inspect(name, "{{.State.Pid}}"))

    def kill(self, name: str) -> None:
        """kill -9 the first process of a container, and wait until another one answers."""
        before = Identity.of(self.pid(name))
        assert before is not None
        os.kill(before.pid, signal.SIGKILL)
        self.wait_other(name, before)

    def wait_other(self, name: str, before: Identity) -> None:
        """Wait until a container has another first process, which answers."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.pid(name) in {0, before.pid} or before.alive:
            assert time.monotonic() < deadline, f"{name} does not come back: {self.logs(name)[-2000:]}"
            time.sleep(_POLL_S)
        self.wait(name)


def make_secrets(folder: Path) -> Path:
    """The secrets that the service `secrets` of the compose file makes."""
    words = ("--readable", "--backup-key", "--functions-reach", "postgres", "--services-reach", "postgres")
    broker = ("--nats-reach", "nats", "--nats-listen", "0.0.0.0", "--nats-store", "/data")
    assert secrets.main([str(folder), *words, *broker]) == 0
    return folder


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment_of(inspected: Mapping[str, Any]) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in inspected["Config"]["Env"])
