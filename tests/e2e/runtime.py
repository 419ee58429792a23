"""What the tests of the runtime share: looking at the machine from outside, not through the runtime's own eyes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from infra.local.processes import Identity
from infra.local.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["migrate", "nats"]
_LISTENING = "0A"


def processes_of(home: Path) -> dict[int, str]:
    """Every process of this machine that works in the home or was told of it: pid -> command."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            told = (entry / "environ").read_bytes().decode(errors="replace") + command
            if command and (str(home) in told or str((entry / "cwd").readlink()).startswith(str(home))):
                found[int(entry.name)] = command
    return found


def listening_addresses(pids: set[int]) -> set[str]:
    """The addresses on which these processes accept connections, from the kernel's own tables."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(link.readlink())
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and fields[9] in inodes:
                addresses.add(_address(fields[1].split(":")[0]))
    return addresses


def _address(text: str) -> str:
    """gRPC takes an address of IPv4 by a socket of IPv6."""
    words = [struct.pack("=I", int(text[i : i + 8], 16)) for i in range(0, len(text), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, b"".join(words)).removeprefix("::ffff:")


def runtime(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`python -m infra.local ...` as the Makefile calls it."""
    return subprocess.run(
        [sys.executable, "-m", "infra.local", *arguments],
        cwd=ROOT,
        env={**_environment(home), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ADLOOM_", "COV_"))}
    return {**kept, "ADLOOM_HOME": str(home), "ADLOOM_AUTOCONNECT": "0"}


def kill_supervisor(stack: Stack) -> None:
    """kill -9, and wait until the kernel has ended what dies with it."""
    parts = [one["pid"] for name, one in stack.run["parts"].items() if one["pid"] and name != "postgres"]
    supervisor = stack.supervisor_pid
    os.kill(supervisor, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(Identity.of(pid) for pid in [supervisor, *parts]):
        assert time.monotonic() < deadline, "the kernel ends the other parts with their supervisor"
        time.sleep(0.01)


def remember(stack: Stack, note: str) -> None:
    """Leave a mark in the stack's database."""
    with psycopg.connect(stack.secret("admin", "admin-database-url")) as connection:
        connection.execute("create table if not exists test_notes (note text not null)")
        connection.execute("insert into test_notes values (%s)", (note,))


def remembered(stack: Stack) -> list[str]:
    with psycopg.connect(stack.secret("admin", "admin-database-url")) as connection:
        return [str(row[0]) for row in connection.execute("select note from test_notes")]
