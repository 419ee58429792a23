"""Reading Google: accounts, entities and facts by day and hour, removed objects included, by the way that works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain

from adloom import logs
from adloom.errors import AccountInaccessible, PlatformProtocolError, TooMuchData
from adloom.platforms.google import conversions, entities, errors, queries, rows
from adloom.platforms.google.client import GoogleClient, Rows
from adloom.platforms.google.creatives import Assets, Lookup
from adloom.platforms.google.entities import Maker
from adloom.platforms.model import Account, Days, Entity, Fact, HourFact, HourLevel, Level
from adloom.platforms.retry import OutOfTimeError

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
        self._has_max: dict[tuple[str, Days], bool] = {}
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
                    account = entities.account(node, login=root)
                except PlatformProtocolError as error:
                    log.warning("account_left_out", external_id=str(node.id), reason=error.detail)
                    continue
                self.logins.setdefault(account.external_id, root)
                yield account

    def account(self, external_id: str) -> Account:
        """With the days after which its conversions are complete: the longest window of an action that still counts."""
        found = [row for batch in self._stream(external_id, queries.WINDOWS) for row in batch]
        described = found or [row for batch in self._stream(external_id, queries.CUSTOMER) for row in batch]
        if not described:
            raise AccountInaccessible(f"Google tells nothing of account {external_id}", platform_code="empty")
        login, lookback_days = self.logins.get(external_id), entities.longest_window(found)
        return entities.account(described[0].customer, login=login, lookback_days=lookback_days)

    def entities(self, account: Account) -> Iterator[Entity]:
        """Campaigns, ad groups and asset groups, ads, in this order. An object may come twice.

        A list cannot be cut into parts: OutOfTimeError where it is too long for one, after what came of it.
        """
        try:
            yield from self._entities(account)
        except TooMuchData as error:
            log.warning("list_cut_short", external_id=account.external_id, reason=error.detail)
            raise OutOfTimeError from None

    def _entities(self, account: Account) -> Iterator[Entity]:
        account_id, has_max = account.external_id, False
        make = Maker(account_id, labels=self._named(account_id), images=self._pictured(account_id))
        for batch in self._stream(account_id, queries.CAMPAIGNS):
            has_max = has_max or any(map(entities.is_max, batch))
            yield from make.campaigns(batch)
            del batch
        # Of a batch of 10,000 nothing is kept while the next is read.
        yield from chain.from_iterable(map(make.ad_groups, self._stream(account_id, queries.AD_GROUPS)))
        if has_max:
            yield from self._asset_groups(account_id)
        yield from chain.from_iterable(map(make.ads, self._stream(account_id, queries.ADS)))

    def _asset_groups(self, account_id: str) -> Iterator[Entity]:
        assets: dict[int, Assets] = {}
        for batch in self._stream(account_id, queries.ASSETS_OF_GROUPS):
            for row in batch:
                assets.setdefault(row.asset_group.id, Assets()).add(row)
        for batch in self._stream(account_id, queries.ASSET_GROUPS):
            yield from entities.asset_groups(batch, assets)

    def _named(self, account_id: str) -> Lookup:
        def ask() -> Iterator[tuple[str, str]]:
            for batch in self._stream(account_id, queries.LABELS):
                yield from ((row.label.resource_name, row.label.name) for row in batch)

        return Lookup(ask)

    def _pictured(self, account_id: str) -> Lookup:
        def ask() -> Iterator[tuple[str, str]]:
            for batch in self._stream(account_id, queries.IMAGE_ASSETS):
                yield from ((row.asset.resource_name, row.asset.image_asset.full_size.url) for row in batch)

        return Lookup(ask)

    # Facts

    def query(self, level: Level) -> dict[str, object]:
        return {"level": level, "from": list(queries.SOURCES[level]), "metrics": queries.METRICS}

    def attribution(self, account: Account) -> str:
        return conversions.attribution(account)

    def hours(self, account: Account, level: HourLevel, days: Days) -> Iterator[Iterable[HourFact]]:
        """Batches of rows by the hour. A stream that breaks begins anew: rows come twice then."""
        (source,) = queries.SOURCES[level]
        read = partial(rows.hours, source=source, account=account)
        return map(read, self._stream(account.external_id, queries.hours(level, days)))

    def facts(self, account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
        """Batches of rows. TooMuchData asks for fewer days. A stream that breaks begins anew: rows come twice then."""
        return chain.from_iterable(self._facts(account, source, days) for source in queries.SOURCES[level])

    def _facts(self, account: Account, source: str, days: Days) -> Iterator[Iterable[Fact]]:
        window = (account.external_id, days)
        if source == "asset_group" and not self._has_max.get(window, True):
            return iter(())
        batches = self._stream(account.external_id, queries.facts(source, days))
        if source == "campaign":
            self._has_max[window] = False
            batches = map(partial(self._looked_at, window), batches)
        # No loop variable here and below, which would hold one batch while the next is read.
        return map(partial(rows.facts, source=source, account=account, known={}), batches)

    def _looked_at(self, window: tuple[str, Days], batch: Rows) -> Rows:
        """Note whether Performance Max delivered in these days: asset groups need not be asked for otherwise."""
        if any(map(entities.is_max, batch)):
            self._has_max[window] = True
        return batch

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
