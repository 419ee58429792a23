"""What runs, told for people and for programs."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from infra.local.home import Home, read_json
from infra.local.lock import holder
from infra.local.nightly import Backups
from infra.local.probes import Probe
from infra.local.processes import Identity, memory

ANSWERS, DEGRADED, NOT_RUNNING = 0, 1, 3  # 3 is what service managers use for a stopped service
_MIB = 2**20


@dataclass(frozen=True)
class Line:
    """One part as it is now. `state` is up, silent (runs and does not answer) or what the supervisor says."""

    part: str
    state: str
    pid: int | None
    port: int | None
    memory_mib: float
    restarts: int
    uptime_s: float | None


@dataclass(frozen=True)
class Status:
    """`memory_mib` is the sum of all parts and the supervisor, shared pages counted once (PSS)."""

    state: str
    url: str
    memory_mib: float
    parts: list[Line]
    backups: Backups | None = None

    @property
    def code(self) -> int:
        if self.state == "stopped":
            return NOT_RUNNING
        return ANSWERS if self.state == "running" and all(p.state == "up" for p in self.parts) else DEGRADED


def read(home: Home) -> Status:
    """Look at every part: its process, its memory, whether it answers now."""
    home.check_owner()
    supervisor = holder(home)
    if supervisor is None:
        return Status("stopped", "", 0.0, [])
    run = read_json(home.run_file)
    listed = {name: part for name, part in run.get("parts", {}).items() if not part["once"]}
    answers = asyncio.run(_ask(listed))
    lines = [_line(name, part, answers[name]) for name, part in listed.items()]
    total = sum(line.memory_mib for line in lines) + _own_memory(supervisor)
    return Status(run["state"], run["url"], round(total, 1), lines, Backups.load(home))


async def _ask(parts: dict[str, Any]) -> dict[str, bool]:
    async def one(part: dict[str, Any]) -> bool:
        return part["pid"] is not None and await Probe.read(part["probe"]).answers()

    return dict(zip(parts, await asyncio.gather(*(one(part) for part in parts.values())), strict=True))


def _line(name: str, part: dict[str, Any], answers: bool) -> Line:
    state = part["state"]
    if state == "up" and not answers:
        state = "silent"
    pid = part["pid"]
    return Line(
        part=name,
        state=state,
        pid=pid,
        port=part["port"],
        memory_mib=round(memory(pid) / _MIB, 1) if pid else 0.0,
        restarts=part["restarts"],
        uptime_s=round(time.time() - part["since"], 1) if pid else None,
    )


def _own_memory(supervisor: Identity) -> float:
    """The supervisor alone: its children are lines of their own."""
    return memory(supervisor.pid, alone=True) / _MIB


def _whole_memory(home: Home, run: dict[str, Any]) -> float:
    supervisor = holder(home)
    own = _own_memory(supervisor) if supervisor else 0.0
    return own + sum(memory(part["pid"]) / _MIB for part in run["parts"].values() if part["pid"])


def show(home: Home, *, as_json: bool) -> int:
    """Print the status; the exit status says the same."""
    status = read(home)
    if as_json:
        print(json.dumps(asdict(status), indent=2))
        return status.code
    if status.state == "stopped":
        print(f"Adloom is not running ({home.path}). `make start` starts it.")
        return status.code
    print(f"Adloom is {status.state} at {status.url} ({home.path})\n")
    print(f"{'part':<16}{'state':<10}{'pid':>8}{'port':>7}{'memory':>10}{'restarts':>10}{'up for':>12}")
    for line in status.parts:
        up = "" if line.uptime_s is None else _duration(line.uptime_s)
        memory_text = f"{line.memory_mib:.0f} MB"
        print(
            f"{line.part:<16}{line.state:<10}{line.pid or '':>8}{line.port or '':>7}{memory_text:>10}"
            f"{line.restarts:>10}{up:>12}"
        )
    print(f"\nmemory {status.memory_mib:.0f} MB (PSS, with the supervisor)")
    if status.backups is not None:
        print(_backups(home, status.backups))
    return status.code


def _backups(home: Home, backups: Backups) -> str:
    last = f"the last one of {backups.succeeded}" if backups.succeeded else "none yet"
    if backups.fault:
        return f"backups {last}; the one of {backups.tried} FAILED: {backups.fault} ({home.log('backup')})"
    return f"backups {last} ({home.backups})"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s" if minutes else f"{rest}s"


def welcome(home: Home, seconds: float) -> str:
    """What `make start` ends with: where to go, how to get in, what it took."""
    run = read_json(home.run_file)
    lines = [f"Adloom runs at {run['url']}"]
    if run["parts"].get("first-login"):
        lines.append(f"Log in as {run['login']['email']} with the password {run['login']['password']}")
    if run["mode"] == "sandbox" and "sandbox" in run["parts"]:
        lines.append("Its ad platforms are the sandbox: every number is made up.")
    lines.append(f"took {seconds:.1f} s, memory {_whole_memory(home, run):.0f} MB (PSS)")
    return "\n".join(lines)


def already(home: Home) -> str:
    return f"Adloom already runs at {read_json(home.run_file).get('url', 'an unknown address')}"
