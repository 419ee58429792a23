"""Runs the model with podman: for tests, and for those who have podman and no compose.

    python -m infra.compose.runner SECRETS [--demo]     until Ctrl-C; the volumes stay

What it starts it stops, also when it fails or is told to end. Where it is killed, the next start removes what is left.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.compose import model, podman
from infra.compose.leftovers import LABEL, mark, remove, remove_leftovers
from infra.compose.model import DEMO, PUBLIC_URL
from infra.compose.podman import Place
from infra.compose.service import DONE, HEALTHY, NETWORKS, Service
from infra.images import engine as engines
from infra.images.engine import Engine, EngineError

PATIENCE_S = 120.0
_POLL_S = 0.2
_LINES = 30
# The first number in a network that is given out; podman gives the lower ones to what comes and goes.
_FIRST = 64
_numbers = itertools.count(1)


class Platform:
    """The containers of one platform. Its names begin with a prefix that no other has.

    `values` fill in `${NAME:-default}` of the model. `only`: these services and no other. `extra`: more of them. `keep`
    is a prefix of one's own: volumes stay when it stops.
    """

    def __init__(
        self,
        secrets: Path,
        values: Mapping[str, str],
        *,
        profiles: tuple[str, ...] = (),
        only: Collection[str] = (),
        extra: Sequence[Service] = (),
        keep: str = "",
        engine: Engine | None = None,
    ) -> None:
        self.model = model.read()
        chosen = [one for one in self.model.chosen(profiles) if not only or one.name in only]
        self.services = {one.name: one for one in [*chosen, *extra]}
        self._keep = bool(keep)
        prefix = keep or f"adloom-{os.getpid()}-{next(_numbers)}"
        self.place = Place(prefix, secrets.absolute(), values, {LABEL: mark()})
        self._engine = engine or engines.find("podman")
        self._handlers: dict[int, Any] = {}
        # Where a container meets its limit of memory, the program that watches it leaves a file where it was started.
        self._scratch: str | None = None

    def __enter__(self) -> Self:
        self._engine = self._engine.with_flags(self.place.text(self.model["adloom"].image))
        self._scratch = tempfile.mkdtemp(prefix="adloom-podman-")
        remove_leftovers(self._engine)
        self._listen()
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _undisturbed():
            self.stop()
            shutil.rmtree(str(self._scratch), ignore_errors=True)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def mount(self, folders: Mapping[str, Mapping[Path, str]]) -> None:
        """Show folders of this machine to services, to read only: service -> folder -> path."""
        self.place = replace(self.place, mounts=folders)

    def start(self) -> None:
        """Start everything, each after what it needs; EngineError shows the log of what does not answer."""
        labels = [part for name, value in self.place.labels.items() for part in ("--label", f"{name}={value}")]
        for name, internal in NETWORKS.items():
            inside = ["--internal"] if internal else []
            self.podman("network", "create", "--disable-dns", *labels, *inside, self.place.named(name))
        self.place = replace(self.place, addresses=self._addresses())
        volumes = {volume for one in self.services.values() for volume in one.volumes}
        for volume in () if self._keep else sorted(volumes):
            self.podman("volume", "create", *labels, self.place.named(volume))
        for one in self.services.values():
            for need, condition in one.needs.items():
                if need in self.services:
                    self._await(need, condition)
            self.run(one.name)
        for one in self.services.values():
            self._await(one.name, DONE if one.once else HEALTHY)

    def _addresses(self) -> dict[str, dict[str, str]]:
        """An address for each service in each of its networks, the same for as long as the platform runs."""
        form = "{{(index .Subnets 0).Subnet}}"
        subnets = {
            name: ip_network(self.podman("network", "inspect", "--format", form, self.place.named(name)))
            for name in NETWORKS
        }
        return {
            one.name: {network: str(subnets[network][_FIRST + number]) for network in one.networks}
            for number, one in enumerate(self.services.values())
            if one.networks
        }

    def stop(self) -> None:
        """Stop and remove everything, what keeps the data last."""
        kept = {name for name, one in self.services.items() if one.volumes}
        for names in filter(None, (self.services.keys() - kept, kept)):
            containers = [self.container(name) for name in sorted(names)]
            self.podman("rm", "--force", "--ignore", "--volumes", "--time", "15", *containers)
        remove(self._engine, f"{LABEL}={self.place.labels[LABEL]}")

    def run(self, name: str) -> None:
        """Start the container of a service."""
        self._make(("run", "--detach"), name, self.container(name))

    def replace(self, name: str) -> None:
        """Put a new container in the place of one that runs, as an update does; returns when it answers.

        The new one is made before the old one stops, and started after it: two never run at once.
        """
        old, new = self.container(name), self.container(f"{name}-next")
        self._make(("create",), name, new)
        self.podman("stop", old)
        self.podman("start", new)
        self.podman("rm", old)
        self.podman("rename", new, old)
        self.wait(name)

    def _make(self, how: tuple[str, ...], name: str, container: str) -> None:
        one = self.services[name]
        restart = () if one.once else ("--restart", "unless-stopped")
        options = (*self._engine.flags, "--name", container, *restart)
        self.podman(*how, *options, *podman.run(one, self.place))

    def run_step(self, name: str) -> None:
        """Do a step again; EngineError when it does not end well."""
        self.podman("rm", "--force", self.container(name))
        self.run(name)
        self._await(name, DONE)

    def wait(self, name: str) -> None:
        self._await(name, HEALTHY)

    def container(self, name: str) -> str:
        return self.place.named(name)

    def podman(self, *arguments: str) -> str:
        """A command of podman; what it printed. EngineError with its complaint when it fails."""
        done = self._call(*arguments)
        if done.returncode:
            raise EngineError(f"`podman {shlex.join(arguments)}` ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # In a session of its own Ctrl-C does not reach it, and it ends what it has begun.
        command = [self._engine.program, *arguments]
        return subprocess.run(
            command, cwd=self._scratch, capture_output=True, text=True, check=False, start_new_session=True
        )

    def exec(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a container, as the container's user."""
        return self._call("exec", self.container(name), *command)

    def adloom(self, *arguments: str) -> str:
        """The command line in a container of its own; what it printed."""
        words = podman.run(self.model["adloom"], self.place)
        return self.podman("run", *self._engine.flags, "--rm", *words, *arguments)

    def inspect(self, name: str, what: str) -> str:
        """A field of `podman inspect`, as a Go template such as {{.State.Pid}}."""
        return self.podman("inspect", "--format", what, self.container(name))

    def address(self, name: str, network: str = "edge") -> str:
        """Where this machine reaches a container, past the front door."""
        path = f'{{{{(index .NetworkSettings.Networks "{self.place.named(network)}").IPAddress}}}}'
        return self.inspect(name, path)

    def logs(self, name: str) -> str:
        done = self._call("logs", self.container(name))
        return done.stdout + done.stderr

    def is_healthy(self, name: str) -> bool:
        """Whether it answers; a service that cannot be asked is healthy while it runs."""
        if self.services[name].health is None:
            return self.inspect(name, "{{.State.Running}}") == "true"
        return self._call("healthcheck", "run", self.container(name)).returncode == 0

    def _await(self, name: str, condition: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self._is(name, condition):
            if time.monotonic() > deadline:
                end = "\n".join(self.logs(name).splitlines()[-_LINES:])
                raise EngineError(f"{name} does not answer after {PATIENCE_S:g} s. Its log ends with:\n{end}")
            time.sleep(_POLL_S)

    def _is(self, name: str, condition: str) -> bool:
        if condition == HEALTHY:
            return self.is_healthy(name)
        if condition != DONE:
            return True
        state, code = self.inspect(name, "{{.State.Status}} {{.State.ExitCode}}").split()
        if state == "exited" and code != "0":
            end = "\n".join(self.logs(name).splitlines()[-_LINES:])
            raise EngineError(f"{name} ended with {code}:\n{end}")
        return state == "exited"

    def _listen(self) -> None:
        """SIGTERM ends the block as Ctrl-C does."""
        if threading.current_thread() is threading.main_thread():
            self._handlers = {signal.SIGTERM: signal.signal(signal.SIGTERM, _interrupt)}


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Whoever asks twice for the end still gets a whole one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def main(arguments: list[str]) -> int:
    """Run the platform in the foreground."""
    parser = argparse.ArgumentParser(prog="python -m infra.compose.runner", description=__doc__)
    parser.add_argument("secrets", type=Path, help="the folder that infra.deployment.secrets has made")
    parser.add_argument("--demo", action="store_true", help="with the sandbox instead of real ad platforms")
    chosen = parser.parse_args(arguments)
    values = {**(DEMO if chosen.demo else {}), **os.environ}
    try:
        with Platform(chosen.secrets, values, profiles=("demo",) if chosen.demo else (), keep="adloom") as platform:
            print(f"Adloom answers at {platform.place.text(PUBLIC_URL)}", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
