"""Which ad accounts somebody may see: `*`, or the internal ids, comma separated."""

from __future__ import annotations

from collections.abc import Iterable

from adloom.identity.principal import ALL_ACCOUNTS

# No account has this id.
NO_ACCOUNT = "0"


def written(accounts: Iterable[int]) -> str:
    """The scope of these accounts."""
    return ",".join(map(str, sorted(set(accounts))))


def ids(scope: str) -> list[int] | None:
    """The accounts of a scope; None for all."""
    if scope == ALL_ACCOUNTS:
        return None
    return [] if scope == NO_ACCOUNT else [int(account) for account in scope.split(",")]


def is_within(scope: str, of: str) -> bool:
    """Whether a scope has no account that the other has not."""
    if of == ALL_ACCOUNTS or scope == NO_ACCOUNT:
        return True
    return scope != ALL_ACCOUNTS and set(scope.split(",")) <= set(of.split(","))


def common(one: str, other: str) -> str:
    """The accounts that both scopes have."""
    if ALL_ACCOUNTS in (one, other):
        return other if one == ALL_ACCOUNTS else one
    return ",".join(sorted(set(one.split(",")) & set(other.split(",")), key=int)) or NO_ACCOUNT
