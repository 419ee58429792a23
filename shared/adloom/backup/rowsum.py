"""A checksum of a set of rows, the same in whatever order they come."""

from __future__ import annotations

from hashlib import sha256

_SPACE = 1 << 256


class RowSum:
    """Count, bytes, and the sum of the SHA-256 of every row, modulo 2^256.

    Two servers need not agree on an order then: text sorts differently from one to the next. It tells damage; against a
    forger stands the encryption of the file, which is authenticated.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.size = 0
        self._sum = 0

    def add(self, lines: bytes) -> None:
        """Whole rows of COPY's text format, each with its line end; inside of a row there is none."""
        rows = lines.split(b"\n")
        rows.pop()
        total = self._sum
        for row in rows:
            total += int.from_bytes(sha256(row).digest())
        self._sum = total % _SPACE
        self.rows += len(rows)
        self.size += len(lines)

    def record(self) -> dict[str, int | str]:
        return {"rows": self.rows, "bytes": self.size, "sum": f"{self._sum:064x}"}
