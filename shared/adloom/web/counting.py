"""Where a function counts its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adloom.identity.principal import Principal
from adloom.web.limits import Counted, Limit, Limiter, MemoryLimiter

if TYPE_CHECKING:
    from adloom.db import Database

# A session: a person who clicks. An API key has the limit that it was made with; an operator key runs scripts.
OF_A_SESSION = Limit.parse("100/minute")
OF_THE_OPERATOR = Limit.parse("1000/minute")
# Tokens that nobody has: 256 bits cannot be guessed, but each guess asks the database.
OF_UNKNOWN_TOKENS = Limit.parse("100/minute")


class Limiters:
    """One limiter for each way of counting. Without a database everything is counted in this process."""

    def __init__(self, database: Database | None) -> None:
        own = MemoryLimiter()
        self._by_way: dict[Counted, Limiter] = {"here": own, "shared": own, "strict": own}
        if database is not None:
            from adloom.web.shared_limits import OpenLimiter, PostgresLimiter

            self._by_way["shared"] = OpenLimiter(PostgresLimiter(database, lasting=False), own)
            self._by_way["strict"] = PostgresLimiter(database)

    def of(self, counted: Counted) -> Limiter:
        return self._by_way[counted]


def of_principal(principal: Principal) -> tuple[str, Limit, Counted]:
    """What is counted of whoever makes a request, how much of it there may be, and where: a key's use is counted in
    Postgres or it is refused.
    """
    if principal.per_minute is not None:
        return f"api:key:{principal.key_id}", Limit(principal.per_minute, 60), "strict"
    if principal.session_id is None:
        return f"api:operator:{principal.key_id}", OF_THE_OPERATOR, "shared"
    return f"api:{principal.session_id}", OF_A_SESSION, "shared"
