"""What a contestant took: time, processor time of its own and of Postgres, peak memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_MB = 1_000_000


@dataclass
class Spent:
    """`rows` of all levels; seconds; `peak_mb` is the most memory that the process ever held, in 10^6 bytes."""

    rows: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    postgres_cpu_s: float = 0.0
    peak_mb: float = 0.0

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.wall_s


@contextmanager
def measured(rows: int, *, pid: int, postgres_pid: int) -> Iterator[Spent]:
    """Measures the block for a process that works in it, this one or another."""
    spent = Spent(rows)
    own, postgres = _cpu_s(pid), _tree_cpu_s(postgres_pid)
    began = time.perf_counter()
    yield spent
    spent.wall_s = time.perf_counter() - began
    spent.cpu_s, spent.postgres_cpu_s = _cpu_s(pid) - own, _tree_cpu_s(postgres_pid) - postgres
    spent.peak_mb = peak_mb(pid)


@dataclass
class Neighbours:
    """Other programs of the machine. `share`: of all its processors' time, 0 to 1."""

    share: float = 0.0


@contextmanager
def neighbours(postgres_pid: int) -> Iterator[Neighbours]:
    """What others took of the machine during the block, in which only this process, its children and Postgres count."""
    found = Neighbours()
    machine, ours = _machine_s(), _tree_cpu_s(os.getpid()) + _tree_cpu_s(postgres_pid)
    yield found
    (busy, whole), (busy_before, whole_before) = _machine_s(), machine
    ours = _tree_cpu_s(os.getpid()) + _tree_cpu_s(postgres_pid) - ours
    found.share = max(0.0, busy - busy_before - ours) / (whole - whole_before)


def _machine_s() -> tuple[float, float]:
    """Seconds that the processors were busy, and all of their seconds."""
    times = psutil.cpu_times()
    whole = float(sum(times)) - times.guest - times.guest_nice  # both are in `user` and `nice` already
    return whole - times.idle - times.iowait, whole


def peak_mb(pid: int) -> float:
    """VmHWM: unlike ru_maxrss it begins anew when a process becomes another program."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / _MB


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _tree_cpu_s(pid: int) -> float:
    """A process with its children, those that have ended included."""
    times = psutil.Process(pid).cpu_times()
    found = float(times.user + times.system + times.children_user + times.children_system)
    for child in psutil.Process(pid).children():
        try:
            found += _cpu_s(child.pid)
        except psutil.NoSuchProcess:
            continue  # its time is its parent's by the next look
    return found
