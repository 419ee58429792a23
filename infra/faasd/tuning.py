"""Postgres's settings for the memory of the machine, which it shares with everything else."""

from __future__ import annotations

from pathlib import Path

_MB = 1 << 20
# The memory that the kernel tells differs by some pages from start to start.
_STEP = 256 * _MB


def memory(meminfo: Path = Path("/proc/meminfo")) -> int:
    """Bytes of memory, in whole steps."""
    total = next(line for line in meminfo.read_text(encoding="utf-8").splitlines() if line.startswith("MemTotal:"))
    return max(_STEP, int(total.split()[1]) * 1024 // _STEP * _STEP)


def postgres(total: int, port: int) -> dict[str, str]:
    """An eighth of the memory is Postgres's own; twelve functions with a pool of 8 need a hundred connections."""
    return {
        "port": str(port),
        "max_connections": "150",
        "shared_buffers": _size(total // 8, 128 * _MB, 8192 * _MB),
        "effective_cache_size": _size(total // 2, 256 * _MB, 65536 * _MB),
        "maintenance_work_mem": _size(total // 32, 64 * _MB, 1024 * _MB),
        "work_mem": _size(total // 512, 4 * _MB, 64 * _MB),
        "max_wal_size": _size(total // 4, 512 * _MB, 8192 * _MB),
    }


def _size(wanted: int, least: int, most: int) -> str:
    return f"{min(max(wanted, least), most) // _MB}MB"
