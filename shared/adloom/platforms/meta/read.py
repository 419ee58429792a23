"""Reading Meta: accounts, entities and facts by the day and hour, deleted and archived objects included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from adloom import logs
from adloom.errors import PlatformProtocolError, TooMuchData
from adloom.platforms import smaller
from adloom.platforms.meta import entities, insights, ladder, statuses
from adloom.platforms.meta.client import GraphClient
from adloom.platforms.meta.conversions import Counted
from adloom.platforms.meta.insights import Row
from adloom.platforms.meta.pages import Page, Walker
from adloom.platforms.meta.reports import Reports
from adloom.platforms.model import Account, Days, Entity, Fact, HourFact, HourLevel, Level

log = logs.get(__name__)


class _Id(msgspec.Struct):
    campaign_id: str


_ids_decoder: msgspec.json.Decoder[Page[_Id]] = msgspec.json.Decoder(Page[_Id])


class MetaReader:
    """One connection's view of Meta. Raises the PlatformError tree, OutOfTimeError and NotReadyError."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client
        self._walker = Walker(client)
        self._reports = Reports(client, self._walker)
        self._too_large: set[Level] = set()
        self.api_version = client.api_version

    @property
    def requests(self) -> int:
        return self._client.requests

    def resume(self, state: dict[str, str]) -> None:
        """Go on with what a NotReadyError told."""
        self._reports.open.update(state)

    def close(self) -> None:
        self._client.close()

    def accounts(self) -> list[Account]:
        """Every ad account that the person granted."""
        asked = {"fields": entities.ACCOUNT_FIELDS}
        pages = self._walker.walk("me/adaccounts", asked, entities.accounts_decoder, kind="accounts")
        found: dict[str, Account] = {}
        for node in chain.from_iterable(pages):
            try:
                found[node.account_id] = node.account()
            except PlatformProtocolError as error:
                # It keeps no other account from being read; it is looked at again with the connection, once a day.
                log.warning("account_left_out", external_id=node.account_id, reason=error.detail)
        return list(found.values())

    def account(self, external_id: str) -> Account:
        node = self._client.get(f"act_{external_id}", {"fields": entities.ACCOUNT_FIELDS}, entities.account_decoder)
        return node.account()

    def entities(self, account: Account) -> Iterator[Entity]:
        """Campaigns, ad groups, ads, in this order. An object may come twice."""
        for level, (edge, fields) in entities.EDGES.items():
            asked: dict[str, Any] = {"fields": fields, "filtering": [statuses.every_status(level)]}
            path = f"act_{account.external_id}/{edge}"
            for page in self._walker.walk(path, asked, entities.objects_decoder, kind=edge):
                for node in page:
                    yield node.entity(level, account)

    def query(self, level: Level) -> dict[str, object]:
        return insights.query(level)

    def attribution(self, account: Account) -> str:
        return insights.attribution(Counted(account.conversion))

    def hours(self, account: Account, level: HourLevel, days: Days) -> Iterator[Iterable[HourFact]]:
        """Pages of rows by the hour. TooMuchData asks for fewer days."""
        counted = Counted(account.conversion)
        asked = insights.hour_params(level, days, window=counted.window)
        path = f"act_{account.external_id}/insights"
        for rows in self._walker.walk(path, asked, insights.hour_decoder, kind=f"{level} by hour"):
            yield insights.hours(rows, level, counted)

    def facts(self, account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
        """Pages of rows. TooMuchData asks for fewer days; for a single one every other way is tried first."""
        counted = Counted(account.conversion)
        for rows in self._rows(account, level, days, counted.window):
            yield insights.facts(rows, level, counted)

    def _rows(self, account: Account, level: Level, days: Days, window: str | None) -> Iterator[list[Row]]:
        path = f"act_{account.external_id}/insights"
        asked = insights.params(level, days, window=window)
        # A report that was asked for with another window has other numbers.
        question = f"{level} {days.since}" if window is None else f"{level} {days.since} {window}"
        if len(days) > 1 or (level not in self._too_large and question not in self._reports.open):
            try:
                yield from self._walker.walk(path, asked, insights.decoder, kind=level)
            except TooMuchData:
                if len(days) > 1:
                    raise
                # The other days of this account will be no smaller.
                self._too_large.add(level)
            else:
                return
        try:
            yield from self._reports.rows(account.external_id, question, asked, kind=f"{level} report")
        except TooMuchData:
            if level in ("account", "campaign"):
                raise
            yield from self._by_campaign(path, level, days, window)

    def _by_campaign(self, path: str, level: Level, days: Days, window: str | None) -> Iterator[list[Row]]:
        """The same rows, a few campaigns at a time."""
        asked = {**insights.params("campaign", days), "fields": "campaign_id"}
        pages = self._walker.walk(path, asked, _ids_decoder, kind="campaign ids")
        ids = dict.fromkeys(row.campaign_id for page in pages for row in page)
        for some in smaller.chunks(ids, ladder.CAMPAIGNS_PER_QUESTION):
            of_some = insights.params(level, days, some, window=window)
            yield from self._walker.walk(path, of_some, insights.decoder, kind=f"{level} by campaign")
