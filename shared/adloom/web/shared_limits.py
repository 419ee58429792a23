"""Limits that hold over all processes together, counted in Postgres by the `limits` library.

Flask-Limiter, the usual way to that library in Flask, is not used: when its storage is down it turns to memory for all
of its routes or for none, and here the routes that guard passwords, codes and keys refuse while the others go on.
"""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta
from typing import Any, NoReturn

from limits import RateLimitItemPerSecond
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import text

from adloom import logs
from adloom.db import Database
from adloom.errors import AdloomError, Unavailable
from adloom.web.limits import Limit, Limiter

log = logs.get(__name__)


class PostgresStorage(Storage, MovingWindowSupport):
    """Moving windows in the table `rate_limits`, on the server's clock; a hit is one statement.

    Keys are stored as hashes: an address or an e-mail address in them cannot be read there. What does not last through
    a crash of the server is `lasting=False`: such a hit does not wait for the disk.
    """

    STORAGE_SCHEME = ["adloom-postgres"]  # noqa: RUF012 - the library's own declaration

    def __init__(self, database: Database, *, lasting: bool) -> None:
        super().__init__()
        self._database = database
        self._lasting = lasting

    @property
    def base_exceptions(self) -> type[Exception]:
        return AdloomError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return bool(
            self._ask(
                "select take_rate_limit(:key, :most, :span, :amount, :lasting)",
                key=_hash(key),
                most=limit,
                span=timedelta(seconds=expiry),
                amount=amount,
                lasting=self._lasting,
            )[0]
        )

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002 - the library's
        found = self._ask(
            "select age, hits from rate_limit_window(:key, :span)", key=_hash(key), span=timedelta(seconds=expiry)
        )
        return time.time() - found[0], found[1]

    def clear(self, key: str) -> None:
        self._ask("select forget_rate_limit(:key)", key=_hash(key))

    def check(self) -> bool:
        try:
            self._database.check()
        except Unavailable:
            return False
        return True

    def reset(self) -> int | None:
        raise NotImplementedError("every process shares these limits: clear a key instead")

    def incr(self, key: str, expiry: int, amount: int = 1) -> NoReturn:
        raise NotImplementedError("fixed windows let twice the limit through; use the moving window")

    def get(self, key: str) -> NoReturn:
        raise NotImplementedError("fixed windows let twice the limit through; use the moving window")

    def get_expiry(self, key: str) -> NoReturn:
        raise NotImplementedError("fixed windows let twice the limit through; use the moving window")

    def _ask(self, query: str, **values: Any) -> Any:
        with self._database.statements() as connection:
            return connection.execute(text(query), values).one()


class PostgresLimiter:
    """Exact over all processes. Fails closed: Unavailable while the database does not answer."""

    def __init__(self, database: Database, *, lasting: bool = True) -> None:
        self._windows = MovingWindowRateLimiter(PostgresStorage(database, lasting=lasting))

    def hit(self, key: str, limit: Limit) -> float | None:
        item = RateLimitItemPerSecond(limit.count, limit.seconds)
        if self._windows.hit(item, key):
            return None
        return min(max(0.0, self._windows.get_window_stats(item, key).reset_time - time.time()), limit.seconds)


class OpenLimiter:
    """Fails open to a limiter of this process: while the shared one is away, each process counts for itself."""

    def __init__(self, shared: Limiter, own: Limiter) -> None:
        self._shared = shared
        self._own = own

    def hit(self, key: str, limit: Limit) -> float | None:
        try:
            return self._shared.hit(key, limit)
        except Unavailable:
            log.warning("limits_counted_here")
            return self._own.hit(key, limit)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
