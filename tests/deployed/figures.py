"""What the runs against images measure, and the page they write it to."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

PAGE = Path(__file__).resolve().parents[2] / "docs" / "images.md"
MIB = 2**20
_CALLS = 300
_WARM = 20
_PATIENCE_S = 60.0
_POLL_S = 0.005
_CONNECT_S = 0.2


@dataclass(frozen=True)
class Latency:
    """Of calls one after another on one connection, in milliseconds."""

    p50: float
    p95: float

    def __str__(self) -> str:
        return f"{self.p50:.1f} / {self.p95:.1f}"


def latency(url: str, calls: int = _CALLS) -> Latency:
    """Ask `url` so often; every answer must be a good one."""
    took = []
    with httpx.Client(trust_env=False, timeout=10) as client:
        for number in range(_WARM + calls):
            began = time.perf_counter()
            client.get(url).raise_for_status()
            if number >= _WARM:
                took.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(took, n=20)
    return Latency(statistics.median(took), cuts[-1])


def first_answer(url: str, began: float) -> float:
    """Seconds from `began`, on `time.monotonic`, until `url` answers 200."""
    # A connection that was asked for too early would be asked for again by the kernel after seconds only.
    patience = httpx.Timeout(_PATIENCE_S, connect=_CONNECT_S)
    with httpx.Client(trust_env=False, timeout=patience) as client:
        while True:
            try:
                if client.get(url).status_code == httpx.codes.OK:
                    return time.monotonic() - began
            except httpx.TransportError:
                pass  # it does not listen yet
            assert time.monotonic() - began < _PATIENCE_S, f"{url} does not answer"
            time.sleep(_POLL_S)


def memory(pid: int) -> int:
    """Bytes of a container: the proportional set size of its first process and everything that came of it."""
    first = psutil.Process(pid)
    return sum(one.memory_full_info().pss for one in [first, *first.children(recursive=True)])


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others stand right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write(section: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands on the page between the marks of a section."""
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    assert found, f"{page} has no {begin}"
    assert closed, f"{page} has no {end}"
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
