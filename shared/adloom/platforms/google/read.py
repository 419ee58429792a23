"""Reading Google: accounts, entities and daily facts, removed objects included, by the way that works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from adloom import logs
from adloom.errors import AccountInaccessible, PlatformProtocolError
from adloom.platforms.google import errors, queries, rows
from adloom.platforms.google.client import GoogleClient, Rows
from adloom.platforms.model import Account, Days, Entity, Fact, HourFact, HourLevel, Level

log = logs.get(__name__)
# A person may have been added to hundreds of accounts; past these no other way to one account is looked for.
MOST_WAYS = 10


class GoogleReader:
    """One connection's view of Google. Raises the PlatformError tree and OutOfTimeError.

    `logins` are the login-customer-ids that work, by account: what is found out is worth keeping between two readers.
    """

    def __init__(self, client: GoogleClient, logins: Mapping[str, str] | None = None) -> None:
        self._client = client
        self._roots: list[str] | None = None
        self.logins = dict(logins or {})
        self.api_version = client.api_version

    @property
    def requests(self) -> int:
        return self._client.requests

    def resume(self, state: dict[str, str]) -> None:
        """Nothing is ever under way here."""

    def close(self) -> None:
        self._client.close()

    # Accounts and objects

    def accounts(self) -> list[Account]:
        """Every account below the person's own ones, managers left out; one that cannot be read keeps no other out."""
        found: dict[str, Account] = {}
        for root in self._accessible():
            try:
                for account in self._below(root):
                    found.setdefault(account.external_id, account)
            except AccountInaccessible as error:
                log.warning("account_left_out", external_id=root, reason=error.detail)
        return list(found.values())

    def _below(self, root: str) -> Iterator[Account]:
        for batch in self._client.stream(root, queries.CLIENTS, login=root):
            for row in batch:
                node = row.customer_client
                if node.manager:
                    continue
                try:
                    account = rows.account(node)
                except PlatformProtocolError as error:
                    log.warning("account_left_out", external_id=str(node.id), reason=error.detail)
                    continue
                self.logins.setdefault(account.external_id, root)
                yield account

    def account(self, external_id: str) -> Account:
        found = [row.customer for batch in self._stream(external_id, queries.CUSTOMER) for row in batch]
        if found:
            return rows.account(found[0])
        raise AccountInaccessible(f"Google tells nothing of account {external_id}", platform_code="empty")

    def entities(self, account: Account) -> Iterator[Entity]:
        """Campaigns, ad groups, ads, in this order. An object may come twice."""
        for level, query in queries.ENTITIES.items():
            for batch in self._stream(account.external_id, query):
                yield from rows.entities(batch, level, account.external_id)

    # Facts

    def query(self, level: Level) -> dict[str, object]:
        return {"level": level, "metrics": queries.METRICS}

    def attribution(self, account: Account) -> str:
        return queries.ATTRIBUTION

    def hours(self, account: Account, level: HourLevel, days: Days) -> Iterator[Iterable[HourFact]]:
        return iter(())

    def facts(self, account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
        """Batches of rows. TooMuchData asks for fewer days. A stream that breaks begins anew: rows come twice then."""
        account_id = account.external_id
        # No loop variable here and below, which would hold one batch while the next is read.
        read = partial(rows.facts, level=level, account_id=account_id)
        return map(read, self._stream(account_id, queries.facts(level, days)))

    # The way to an account

    def _stream(self, account_id: str, query: str) -> Iterator[Rows]:
        """By the way that is known to work, or else by each that might; a refusal comes before any row."""
        refusal: AccountInaccessible | None = None
        for login in self._ways(account_id):
            try:
                batches = self._client.stream(account_id, query, login=login)
                batch = next(batches, None)
                self.logins[account_id] = login
                if batch is not None:
                    yield batch
                    del batch
                yield from batches
            except AccountInaccessible as error:
                if not errors.may_go_another_way(error):
                    raise
                refusal = refusal or error
            else:
                return
        self.logins.pop(account_id, None)
        raise refusal or AccountInaccessible(f"There is no way to account {account_id}", platform_code="empty")

    def _ways(self, account_id: str) -> Iterator[str]:
        first = self.logins.get(account_id, account_id)
        yield first
        others = [account_id, *self._accessible()]
        yield from [one for one in dict.fromkeys(others) if one != first][:MOST_WAYS]

    def _accessible(self) -> list[str]:
        if self._roots is None:
            self._roots = self._client.accessible()
        return self._roots
