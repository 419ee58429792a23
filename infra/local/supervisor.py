"""Keeps the parts of one stack running.

Each part has one task: wait for what it needs, start the process, wait until it answers, wait until it ends, and
start it again after a pause that doubles. A part that has never answered and keeps ending fails the start.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.errors import RuntimeFault
from infra.local.home import Home
from infra.local.leftovers import Record
from infra.local.parts import Part, stop_order
from infra.local.processes import Identity, session_members, signal_session, spawn

START_LIMIT_S = 120.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
# Up for this long counts as recovered, and the next pause is short again.
STEADY_S = 30.0
# So many ends before the first answer are no accident of the start.
_GIVE_UP_AFTER = 5
_PROBE_EVERY_S = 0.05
_HOLDS_EVERY_S = 0.1
_END_POLL_S = 0.02
_KILL_WAIT_S = 5.0
EXIT_CONFIGURATION = 78  # of sysexits.h: a missing setting is still missing at the next try


@dataclass
class Running:
    """What is known of a part now. `state`: waiting, starting, up, done, paused, held, failed or stopped."""

    part: Part
    state: str = "waiting"
    identity: Identity | None = None
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    since: float = 0.0
    ended: str = ""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Runs parts until it is told to stop. `changed` is called after every change of a part's state."""

    def __init__(
        self, home: Home, parts: Mapping[str, Part], say: Callable[[str], None], changed: Callable[[], None]
    ) -> None:
        self.home = home
        self.running = {name: Running(part) for name, part in parts.items()}
        self.stopping = asyncio.Event()
        self._say = say
        self._changed = changed
        self._record = Record(home, say)
        self._fault: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start everything and return when all of it answers; RuntimeFault names the part that does not."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)
        _begin_afresh(self.home, self.running)
        self._tasks = [asyncio.create_task(self._keep(one)) for one in self.running.values()]
        self._tasks.append(asyncio.create_task(self._watch_holds()))
        ready = asyncio.create_task(self._all_ready(self.running))
        told = asyncio.create_task(self.stopping.wait())
        events: set[asyncio.Future[Any]] = {ready, told, self._fault}
        await asyncio.wait(events, timeout=START_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        in_time = ready.done()
        for task in (ready, told):
            task.cancel()
        if self._fault.done():
            self._fault.result()
        if not in_time and not self.stopping.is_set():
            raise self._late()

    async def stop(self) -> None:
        """End every part, nothing before what needs it, and leave no process behind."""
        self.stopping.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        parts = {name: one.part for name, one in self.running.items()}
        for wave in stop_order(parts):
            await asyncio.gather(*(self._end(self.running[name]) for name in wave))
        for one in self.running.values():
            if not one.part.once:
                self._move(one, "stopped")

    async def _keep(self, one: Running) -> None:
        try:
            await self._all_ready(one.part.needs)
            await (self._run_step(one) if one.part.once else self._run_server(one))
        except RuntimeFault as fault:
            self._fail(one, str(fault))
        except OSError as error:
            self._fail(one, f"{one.part.name} could not be started: {error}")

    async def _all_ready(self, names: Iterable[str]) -> None:
        for name in names:
            await self.running[name].ready.wait()

    async def _run_step(self, one: Running) -> None:
        """A step of the start has one try: what fails here would fail again."""
        if not one.part.done():
            self._spawn(one)
            await one.gone.wait()
            self._record.remove(one.part)
            if one.process is None or one.process.returncode != 0:
                raise RuntimeFault(f"{one.part.name} {one.ended}")
            one.part.after()
        one.ready.set()
        self._move(one, "done")

    async def _run_server(self, one: Running) -> None:
        pause = FIRST_PAUSE_S
        while True:
            await self._until_released(one)
            began = time.monotonic()
            try:
                self._spawn(one)
                await self._until_gone_or_held(one)
            except OSError as error:  # no memory, no descriptors, a full disk: they pass
                one.ended = f"could not be started ({error.strerror})"
            await self._end(one)
            if one.held.is_set():
                continue
            self._judge(one)
            pause = FIRST_PAUSE_S if time.monotonic() - began >= STEADY_S else pause
            self._say(f"{one.part.name} {one.ended}; it is started again in {pause:g} s")
            self._move(one, "paused")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
            one.restarts += 1

    def _judge(self, one: Running) -> None:
        """RuntimeFault when a part that never answered is not worth another try."""
        if one.ready.is_set():
            return
        if one.process is not None and one.process.returncode == EXIT_CONFIGURATION:
            raise RuntimeFault(f"{one.part.name} is not set up completely")
        if one.restarts >= _GIVE_UP_AFTER:
            raise RuntimeFault(f"{one.part.name} {one.ended}, {one.restarts + 1} times in a row")

    async def _until_gone_or_held(self, one: Running) -> None:
        """Mark a new process up when it answers, and return when it ended or is to be held down."""
        probing = asyncio.create_task(self._mark_up(one))
        waits = [asyncio.create_task(event.wait()) for event in (one.gone, one.held)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (probing, *waits):
                task.cancel()

    async def _mark_up(self, one: Running) -> None:
        probe = one.part.probe
        while probe is not None and not await probe.answers():  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(_PROBE_EVERY_S)
        one.ready.set()
        self._move(one, "up")

    async def _until_released(self, one: Running) -> None:
        if one.held.is_set():
            self._move(one, "held")
            await one.released.wait()

    async def _watch_holds(self) -> None:
        while True:
            names = set(os.listdir(self.home.holds))  # noqa: PTH208 - names are all that matters
            for name, one in self.running.items():
                (one.held.set if name in names else one.held.clear)()
                (one.released.clear if name in names else one.released.set)()
            await asyncio.sleep(_HOLDS_EVERY_S)

    def _spawn(self, one: Running) -> None:
        part = one.part
        part.before()
        one.gone.clear()
        one.process = spawn(
            part.command,
            env=part.env,
            cwd=part.cwd,
            log=self.home.log(part.name),
            on_our_death=None if part.outlives_us else signal.SIGKILL,
        )
        one.since = time.time()
        one.identity = Identity.of(one.process.pid)
        if one.identity is not None:
            self._record.add(part, one.identity)
        self._move(one, "starting")
        self._reap()

    def _reap(self) -> None:
        """Notice which of our processes ended."""
        for one in self.running.values():
            if one.process is not None and not one.gone.is_set() and one.process.poll() is not None:
                one.ended = _ending(one.process.returncode)
                one.gone.set()

    async def _end(self, one: Running) -> None:
        """Its signals in turn, then the one that cannot be refused; also for what it started itself."""
        if one.identity is None:
            return
        for number, patience in (*one.part.stop, (signal.SIGKILL, _KILL_WAIT_S)):
            deadline = time.monotonic() + patience
            signal_session(one.identity, number)
            while (alive := session_members(one.identity)) and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(_END_POLL_S)
            if not alive:
                break
        self._reap()
        self._record.remove(one.part)
        one.identity = None

    def _fail(self, one: Running, reason: str) -> None:
        self._move(one, "failed")
        if not self._fault.done():
            self._fault.set_exception(RuntimeFault(f"{reason}.\n{last_lines(self.home, one.part.name)}"))
            self._fault.exception()

    def _late(self) -> RuntimeFault:
        """The parts that others still wait for are not to blame: those that run and do not answer are."""
        slow = [one for one in self.running.values() if not one.ready.is_set() and one.state != "waiting"]
        lines = [
            f"{one.part.name} did not answer within {START_LIMIT_S:g} s.\n{last_lines(self.home, one.part.name)}"
            for one in slow
        ]
        return RuntimeFault("\n".join(lines) or f"The start took longer than {START_LIMIT_S:g} s.")

    def _move(self, one: Running, state: str) -> None:
        one.state = state
        self._changed()


def _begin_afresh(home: Home, names: Iterable[str]) -> None:
    """Begin each log anew, so that what is shown of it belongs to this run; the run before stays beside it.

    What was held down in that run is not held in this one.
    """
    for hold in home.holds.iterdir():
        hold.unlink()
    for name in names:
        log = home.log(name)
        if log.is_file() and log.stat().st_size:
            log.replace(log.with_suffix(".log.1"))


def last_lines(home: Home, name: str, count: int = 20) -> str:
    """The end of a part's log, ready to be shown."""
    path = home.log(name)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:] if path.is_file() else []
    if not lines:
        return f"  (it wrote nothing to {path})"
    return "\n".join([f"  The last lines of {path}:", *(f"  | {line}" for line in lines)])


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
