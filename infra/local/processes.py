"""Starting processes, knowing them again after a restart of the supervisor, and ending them.

A process id alone says nothing: it may have been given to another process since. So a process is known by its
id, the tick at which the kernel started it, and the boot that the tick belongs to.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.02
LINUX = sys.platform == "linux"


@dataclass(frozen=True)
class Identity:
    """One process of one boot. Every process we start leads a session of its own, so `pid` is also its session."""

    pid: int
    started: str
    boot: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The process that has this id now; None when there is none, or only what is left of a dead one."""
        started = _start_mark(pid)
        return None if started is None else cls(pid, started, _boot())

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Identity:
        return cls(int(value["pid"]), str(value["started"]), str(value["boot"]))

    def record(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def alive(self) -> bool:
        return Identity.of(self.pid) == self


def _boot() -> str:
    if LINUX:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return str(int(psutil.boot_time()))


def _start_mark(pid: int) -> str | None:
    if not LINUX:
        try:
            return str(psutil.Process(pid).create_time())
        except psutil.Error:
            return None
    try:
        # The command's name, in parentheses, may hold anything: the fields are counted behind it.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else fields[19]


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    on_our_death: int | None,
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, its output appended to `log`.

    `on_our_death` is the signal that the kernel sends it when this process ends, however that comes about; None
    for none. Call it from the main thread: the kernel ties that promise to the thread which forked.
    """
    with log.open("ab") as output:
        log.chmod(0o600)
        return subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid(), on_our_death),  # noqa: PLW1509 - there is one thread
        )


def _die_with(parent: int, number: int | None) -> Callable[[], None] | None:
    if number is None or not LINUX:
        return None
    libc = ctypes.CDLL(None)

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before the kernel knew of the wish
            os._exit(1)

    return arrange


def signal_session(identity: Identity, number: int) -> None:
    """Send a signal to everything in the session that the process leads or led."""
    for pid in session_members(identity):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def session_members(identity: Identity) -> list[int]:
    """The live processes of the session.

    While any member lives the kernel gives the leader's number to nobody else. So when the number now belongs to
    a process with another start, the session is gone.
    """
    leader = Identity.of(identity.pid)
    if (leader is not None and leader != identity) or identity.boot != _boot():
        return []
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == identity.pid and _start_mark(pid) is not None:
                members.append(pid)
    return members


def wait_gone(identities: Iterable[Identity], timeout: float) -> bool:
    """Wait until none of the sessions has a member left; False when the time is over."""
    left, deadline = list(identities), time.monotonic() + timeout
    while True:
        left = [one for one in left if session_members(one)]
        if not left or time.monotonic() > deadline:
            return not left
        time.sleep(_POLL_S)


def end(identity: Identity, steps: Sequence[tuple[int, float]]) -> None:
    """End a session: each signal in turn, with the seconds it gets to work."""
    for number, patience in steps:
        signal_session(identity, number)
        if wait_gone([identity], patience):
            return


def memory(pid: int, *, alone: bool = False) -> int:
    """Bytes that a process takes, unless `alone` with its descendants, shared pages counted by share (PSS)."""
    try:
        leader = psutil.Process(pid)
        descendants = [] if alone else leader.children(recursive=True)
        return sum(_proportional(one) for one in [leader, *descendants])
    except psutil.Error:
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.uss))
