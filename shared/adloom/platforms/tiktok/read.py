"""Reading TikTok: accounts, entities and daily facts, deleted objects included."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from adloom import logs
from adloom.errors import AccountInaccessible, PlatformProtocolError, PlatformRejected, TooMuchData
from adloom.platforms import smaller
from adloom.platforms.model import TRUNCATED, Account, Days, Entity, Fact, HourFact, HourLevel, Level
from adloom.platforms.tiktok import columns, conversions, entities, hourly, pages, report, smart, windows
from adloom.platforms.tiktok.client import ADVERTISERS, TikTokClient
from adloom.platforms.tiktok.creatives import Creatives
from adloom.platforms.tiktok.entities import ObjectNode
from adloom.platforms.tiktok.memory import Memory
from adloom.platforms.tiktok.refusals import Refusals
from adloom.platforms.tiktok.report import Row
from adloom.platforms.tiktok.tasks import Tasks

# Ids of one question. https://business-api.tiktok.com/portal/docs?id=1739593083610113
MAX_IDS = 100
# Ads of which details are looked up at once.
ADS_AT_ONCE = 1000
# TikTok asks for the id of a request when it is to explain an answer; of a window's many requests the first are kept.
MOST_REQUEST_IDS = 20
_LOOKBACK = "lookback"

log = logs.get(__name__)


class TikTokReader:
    """One connection's view of TikTok. Raises the PlatformError tree, OutOfTimeError and NotReadyError."""

    def __init__(self, client: TikTokClient, refusals: Refusals | None = None, memory: Memory | None = None) -> None:
        self._client = client
        self._refusals = refusals or Refusals()
        self._memory = memory or Memory()
        self._creatives = Creatives(client, self._memory)
        # Of the last window, by level; and what its account counts as a conversion.
        self._request_ids: dict[Level, list[str]] = {}
        self._definition = conversions.DEFAULT
        self._tasks = Tasks(client)
        # Levels of accounts with so many ads that a report without conditions holds only the newest.
        self._cut: set[tuple[str, Level]] = set()
        # Those of which a single day is too large a question.
        self._large: set[tuple[str, Level]] = set()
        # What such questions are divided by; good for as long as a reader lives, which is less than a minute.
        self._campaigns: dict[str, dict[str, None]] = {}
        self.api_version = client.api_version

    @property
    def requests(self) -> int:
        return self._client.requests

    def resume(self, state: dict[str, str]) -> None:
        """Go on with what a NotReadyError told."""
        self._tasks.open.update(state)

    def close(self) -> None:
        self._client.close()

    # Accounts and objects

    def accounts(self) -> list[Account]:
        """Every advertiser that the token covers now; one that cannot be read keeps no other from being read."""
        listed = self._client.get(ADVERTISERS, self._client.credentials(), entities.advertisers_decoder).data.rows
        ids = dict.fromkeys(node.advertiser_id for node in listed)
        found: dict[str, Account] = {}
        for some in smaller.chunks(ids, MAX_IDS):
            found.update((account.external_id, account) for account in self._some_accounts(some))
        return list(found.values())

    def account(self, external_id: str) -> Account:
        described = self._described([external_id])[0].account()
        known, unknown = self._memory.recall(_LOOKBACK, external_id, {_LOOKBACK: ""}, time.monotonic())
        if unknown:
            known = {_LOOKBACK: windows.lookback(self._windows(external_id))}
            self._memory.keep(_LOOKBACK, external_id, {_LOOKBACK: ("", known[_LOOKBACK])}, time.monotonic())
        return replace(described, lookback_days=known[_LOOKBACK])

    def _windows(self, account_id: str) -> Iterator[windows.AdGroupWindows]:
        path, _ = entities.LISTS["ad_group"]
        filtering = {"primary_status": entities.EVERY_STATUS}
        asked = {"advertiser_id": account_id, "fields": windows.FIELDS, "filtering": filtering}
        return pages.listed(self._client, path, asked, windows.decoder, keys=_ids_of_groups)

    def _some_accounts(self, ids: list[str]) -> Iterator[Account]:
        """The accounts of a chunk. One that is gone refuses the whole question, so it is looked for by halves."""
        try:
            nodes = self._described(ids)
        except (AccountInaccessible, PlatformRejected, TooMuchData) as error:
            if len(ids) == 1:
                log.warning("account_left_out", external_id=ids[0], reason=error.detail)
                return
            yield from self._some_accounts(ids[: len(ids) // 2])
            yield from self._some_accounts(ids[len(ids) // 2 :])
            return
        for node in nodes:
            try:
                yield node.account()
            except PlatformProtocolError as error:
                log.warning("account_left_out", external_id=node.advertiser_id, reason=error.detail)

    def _described(self, ids: list[str]) -> list[entities.AdvertiserNode]:
        asked = {"advertiser_ids": ids, "fields": entities.ACCOUNT_FIELDS}
        nodes = self._client.get("advertiser/info/", asked, entities.accounts_decoder).data.rows
        if not nodes:
            raise AccountInaccessible(f"TikTok tells nothing of account {', '.join(ids)}", platform_code="empty")
        return nodes

    def entities(self, account: Account) -> Iterator[Entity]:
        """Campaigns, ad groups, ads, in this order. An object may come twice."""
        has_top_view = True
        upgraded: list[str] = []
        for level in ("campaign", "ad_group"):
            found_top_view = False
            for node, is_top_view in self._objects(account.external_id, level, with_top_view=has_top_view):
                found_top_view = found_top_view or is_top_view
                if node.campaign_automation_type == smart.UPGRADED:
                    upgraded.append(node.campaign_id)
                yield node.entity(level, account, is_top_view=is_top_view and level == "campaign")
            # Without such a campaign nothing below can be of one.
            has_top_view = found_top_view
        yield from self._ads(account, upgraded, with_top_view=has_top_view)

    def _ads(self, account: Account, upgraded: list[str], *, with_top_view: bool) -> Iterator[Entity]:
        """The ads with what people see of them."""
        account_id = account.external_id
        told = smart.ads(self._client, account_id, dict.fromkeys(upgraded), entities.EVERY_STATUS) if upgraded else {}
        listed = self._objects(account_id, "ad", with_top_view=with_top_view)
        while ads := [node for node, _ in islice(listed, ADS_AT_ONCE)]:
            for node, shown in zip(ads, self._creatives.shown(account_id, ads, told), strict=True):
                yield node.entity("ad", account, shown=shown)

    def _objects(
        self, account_id: str, level: Level, of: dict[str, object] | None = None, *, with_top_view: bool = True
    ) -> Iterator[tuple[ObjectNode, bool]]:
        """Every object of a level, and whether it is TopView's: those are told of only when asked for alone."""
        for node in self._listed(account_id, level, of or {}):
            yield node, False
        if not with_top_view:
            return
        try:
            for node in self._listed(account_id, level, {**(of or {}), "buying_types": [entities.TOP_VIEW]}):
                yield node, True
        except PlatformRejected as error:
            log.info("tiktok_without_top_view", external_id=account_id, level=level, reason=error.detail)

    def _listed(self, account_id: str, level: Level, of: dict[str, object]) -> Iterator[ObjectNode]:
        """Every object of a level, begun again where objects came or went meanwhile."""
        path, fields = entities.LISTS[level]
        filtering: dict[str, object] = {"primary_status": entities.EVERY_STATUS, **of}
        asked: dict[str, object] = {"advertiser_id": account_id, "fields": fields, "filtering": filtering}
        size = pages.TOP_VIEW_PAGE_SIZE if "buying_types" in filtering else pages.PAGE_SIZE
        return pages.listed(self._client, path, asked, entities.objects_decoder, keys=_keys, page_size=size)

    # Facts

    def query(self, level: Level) -> dict[str, object]:
        return {**self._query(level), "request_ids": self._request_ids.get(level, [])}

    def _query(self, level: Level) -> dict[str, object]:
        return report.query(level, self._refusals.metrics(level, self._definition))

    def attribution(self, account: Account) -> str:
        return f"{windows.in_words(account.lookback_days)}; conversions on the day of the click or view"

    def hours(self, account: Account, level: HourLevel, days: Days) -> Iterator[Iterable[HourFact]]:
        """Pages of rows, the newest day first: TikTok takes one day at a time."""
        definition = account.conversion or conversions.DEFAULT
        keys = report.keys_of(level, "stat_time_hour")
        query = hourly.query(level, self._refusals.of(level, definition), definition)
        for day in reversed(list(days)):
            asked = report.params(account.external_id, Days(day, day), query)
            for answer in pages.walk(self._client, report.PATH, asked, report.decoder, keys=keys):
                if answer.is_truncated:
                    raise TooMuchData("TikTok's report holds the newest ads only", platform_code=TRUNCATED)
                yield hourly.facts(answer.data.rows, level, definition)

    def facts(self, account: Account, level: Level, days: Days) -> Iterator[Iterable[Fact]]:
        """Pages of rows. TooMuchData asks for fewer days; for a single one some objects at a time are tried first.

        PlatformProtocolError with the code TWICE when rows moved between two pages: the window is to be read again.
        """
        account_id = account.external_id
        self._definition = account.conversion or conversions.DEFAULT
        self._request_ids[level] = []
        for span in smaller.spans(days, report.MAX_DAYS):
            for rows in self._rows(account_id, level, span, is_part=len(span) < len(days)):
                yield columns.facts(rows, level, account_id, self._definition)

    def _rows(self, account_id: str, level: Level, days: Days, *, is_part: bool) -> Iterator[list[Row]]:
        question = (account_id, level)
        is_single = len(days) == 1 and not is_part
        if question not in self._cut and not (is_single and question in self._large):
            try:
                yield from self._walk(account_id, level, days, None)
            except TooMuchData as error:
                is_cut = error.platform_code == TRUNCATED
                if not is_cut and (level == "account" or not is_single):
                    raise
                # Fewer days would hold no fewer ads; other days of this account will be no smaller.
                (self._cut if is_cut else self._large).add(question)
            else:
                return
        if level == "account":
            # No condition divides an account's total, and sums of its parts are not what TikTok says of it.
            yield self._tasks.rows(account_id, days, self._query(level))
            return
        if account_id not in self._campaigns:
            self._campaigns[account_id] = self._ids(account_id, "campaign")
        yield from self._sliced(account_id, level, days, "campaign", self._campaigns[account_id])

    def _sliced(self, account_id: str, level: Level, days: Days, by: Level, ids: Iterable[str]) -> Iterator[list[Row]]:
        """The rows of some objects at a time, of fewer where that is still too much."""
        for some in smaller.chunks(ids, MAX_IDS):
            try:
                yield from self._walk(account_id, level, days, report.condition(_CONDITIONS[by], some))
            except TooMuchData:
                if len(some) > 1:
                    yield from self._sliced(account_id, level, days, by, some[: len(some) // 2])
                    yield from self._sliced(account_id, level, days, by, some[len(some) // 2 :])
                elif by == "campaign" and level != "campaign":
                    groups = self._ids(account_id, "ad_group", {"campaign_ids": some})
                    yield from self._sliced(account_id, level, days, "ad_group", groups)
                else:
                    raise

    def _ids(self, account_id: str, level: Level, of: dict[str, object] | None = None) -> dict[str, None]:
        """The ids of every object of a level, deleted ones too."""
        return dict.fromkeys(node.key for node, _ in self._objects(account_id, level, of))

    def _walk(self, account_id: str, level: Level, days: Days, of: dict[str, str] | None) -> Iterator[list[Row]]:
        """The pages of one question. TooMuchData when TikTok cuts the answer: what it sent then is never used."""
        keys, request_ids = report.keys_of(level), self._request_ids.setdefault(level, [])
        has_begun = False
        while True:
            asked = report.params(account_id, days, self._query(level), of)
            try:
                for answer in pages.walk(self._client, report.PATH, asked, report.decoder, keys=keys):
                    if answer.is_truncated:
                        if has_begun:
                            raise pages.moved(report.PATH, "the answer was cut from this page on")
                        raise TooMuchData("TikTok's report holds the newest ads only", platform_code=TRUNCATED)
                    has_begun = True
                    if len(request_ids) < MOST_REQUEST_IDS:
                        request_ids.append(answer.request_id)
                    yield answer.data.rows
            except PlatformRejected as refusal:
                if has_begun:
                    raise
                self._refusals.learn(
                    level, refusal, lambda some: self._probe(account_id, level, days, some), self._definition
                )
            else:
                return

    def _probe(self, account_id: str, level: Level, days: Days, metrics: list[str]) -> None:
        """Ask for one row of one day with some metrics."""
        asked = report.params(account_id, Days(days.until, days.until), report.query(level, metrics))
        self._client.get(report.PATH, {**asked, "page": 1, "page_size": 1}, report.decoder)


def _keys(nodes: list[ObjectNode]) -> list[str]:
    return [node.key for node in nodes]


def _ids_of_groups(nodes: list[windows.AdGroupWindows]) -> list[str]:
    return [node.adgroup_id for node in nodes]


_CONDITIONS: dict[Level, str] = {"campaign": "campaign_ids", "ad_group": "adgroup_ids"}
