"""Reads facts.csv and restated.csv: the rows themselves, and which object belongs to which."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from infra.sandbox.facts import cells as cell
from infra.sandbox.facts import columns
from infra.sandbox.facts.errors import CellError, Faults
from infra.sandbox.facts.model import Account, Catalogue, Day, Entity, Folder, Key, Numbers, Slot, Version
from infra.sandbox.facts.reader import Cells

# The first ten columns say whose row it is; then come the date and the numbers.
_DATE = columns.FACTS.index("date")
_METRICS = columns.FACTS[_DATE + 1 :]


class _Lineage(NamedTuple):
    """The account and the objects of a row, checked; `texts` are shared by all rows of the lineage."""

    account: Account
    entities: tuple[Entity, ...]
    texts: tuple[str, str, str, str, str, str]
    key: Key


class DeliveryReader:
    """Fills a folder's accounts, days and objects row by row; faults go to `faults` and their row is left out."""

    def __init__(self, folder: Folder, faults: Faults) -> None:
        self.folder = folder
        self.faults = faults
        self._accounts: dict[Cells, Account] = {}
        self._lineages: dict[Cells, _Lineage] = {}
        self._versions: set[tuple[int, datetime]] = set()

    def take(self, line: int, cells: Cells) -> None:
        """One row of facts.csv."""
        try:
            day, key, slot = self._slot(cells)
        except CellError as exc:
            self.faults.add(columns.FACTS_FILE, line, str(exc))
            return
        if key in day.slots:
            what = f"ad {key}" if isinstance(key, str) else f"delivery without an ad of campaign {key[0]}"
            self.faults.add(columns.FACTS_FILE, line, f"{what} on {day.date} is there twice")
            return
        day.slots[key] = slot

    def take_version(self, line: int, cells: Cells) -> None:
        """One row of restated.csv."""
        try:
            day, key, earlier = self._slot(cells[:-1])
            until = cell.instant(cells[-1])
        except CellError as exc:
            self.faults.add(columns.RESTATED_FILE, line, str(exc))
            return
        if until is None:
            self.faults.add(columns.RESTATED_FILE, line, "visible_until is empty")
            return
        numbers = earlier.final or Numbers()
        slot = day.slots.get(key)
        if slot is None:
            # A row that the platform said once and took back: it ends with its last version.
            earlier.final = None
            slot = day.slots[key] = earlier
        if slot.versions is None:
            slot.versions = []
        if (id(slot), until) in self._versions:
            self.faults.add(columns.RESTATED_FILE, line, f"a version until {cells[-1]} is there twice")
            return
        self._versions.add((id(slot), until))
        slot.versions.append(Version(until, numbers))

    def order_versions(self) -> None:
        """Sort the versions of each row; the first whose end is still to come is the one served."""
        self._versions.clear()
        for account in self.folder.accounts.values():
            for day in account.days.values():
                ends: set[datetime] = set()
                for slot in day.slots.values():
                    if slot.versions:
                        slot.versions.sort(key=_end)
                        ends.update(version.until for version in slot.versions)
                day.instants = sorted(ends)

    def _slot(self, cells: Cells) -> tuple[Day, Key, Slot]:
        lineage = self._lineages.get(cells[:_DATE]) or self._lineage(cells[:_DATE])
        on = _day(cells[_DATE])
        for entity in lineage.entities:
            if entity.first_day is None or on < entity.first_day:
                entity.first_day = on
        day = lineage.account.days.get(on)
        if day is None:
            day = lineage.account.days[on] = Day(on)
        return day, lineage.key, Slot(*lineage.texts, numbers(cells[_DATE + 1 :], _METRICS))

    def _lineage(self, cells: Cells) -> _Lineage:
        """Check a row's account and objects once for all rows that name them alike."""
        account = self._accounts.get(cells[:4]) or self._account(cells[:4])
        campaign_id, campaign_name, adgroup_id, adgroup_name, ad_id, ad_name = cells[4:]
        entities = [self._campaign(account, campaign_id, campaign_name)]
        if adgroup_id:
            entities.append(self._adgroup(account, entities[0], adgroup_id, adgroup_name))
        if ad_id:
            if not adgroup_id:
                raise CellError(f"ad {ad_id} has no adgroup_id")
            entities.append(self._ad(account, entities[1], ad_id, ad_name))
        texts = (campaign_id, adgroup_id, ad_id, campaign_name, adgroup_name, ad_name)
        found = _Lineage(account, tuple(entities), texts, ad_id or (campaign_id, adgroup_id))
        self._lineages[cells] = found
        return found

    def _account(self, cells: Cells) -> Account:
        platform, account_id, currency, zone = cells
        named("platform", cell.one_of, platform, columns.PLATFORMS)
        named("account_id", cell.identifier, account_id)
        named("currency", cell.currency, currency)
        named("timezone", cell.zone, zone)
        known = self.folder.accounts.get((platform, account_id))
        if known is not None:
            raise CellError(
                f"account {account_id} has {currency} and {zone} here, {known.currency} and {known.zone.key} before"
            )
        account = Account(platform, account_id, currency, cell.zone(zone))
        self.folder.accounts[platform, account_id] = self._accounts[cells] = account
        self.folder.catalogues.setdefault(platform, Catalogue())
        return account

    def _campaign(self, account: Account, campaign_id: str, name: str) -> Entity:
        known = account.campaigns.get(campaign_id)
        if known is None:
            named("campaign_id", cell.identifier, campaign_id)
            known = Entity("campaign", campaign_id, account.id, campaign_id, name=name)
            self._register(account, known)
        return _called(known, name)

    def _adgroup(self, account: Account, campaign: Entity, adgroup_id: str, name: str) -> Entity:
        known = account.adgroups.get(adgroup_id)
        if known is None:
            named("adgroup_id", cell.identifier, adgroup_id)
            known = Entity("ad_group", adgroup_id, account.id, campaign.id, adgroup_id, name=name)
            self._register(account, known)
        if known.campaign_id != campaign.id:
            raise CellError(f"ad group {adgroup_id} is in campaign {campaign.id} here, in {known.campaign_id} before")
        return _called(known, name)

    def _ad(self, account: Account, adgroup: Entity, ad_id: str, name: str) -> Entity:
        known = account.ads.get(ad_id)
        if known is None:
            named("ad_id", cell.identifier, ad_id)
            known = Entity("ad", ad_id, account.id, adgroup.campaign_id, adgroup.id, name=name)
            self._register(account, known)
        if known.adgroup_id != adgroup.id:
            raise CellError(f"ad {ad_id} is in ad group {adgroup.id} here, in {known.adgroup_id} before")
        return _called(known, name)

    def _register(self, account: Account, entity: Entity) -> None:
        register(self.folder.catalogues[account.platform], account, entity)


def register(catalogue: Catalogue, account: Account, entity: Entity) -> None:
    """Enter a new object in its account and in its platform, where its id must be the only one of its level."""
    of_platform = {"campaign": catalogue.campaigns, "ad_group": catalogue.adgroups, "ad": catalogue.ads}[entity.level]
    other = of_platform.setdefault(entity.id, entity)
    if other is not entity:
        what = f"{entity.level.replace('_', ' ')} {entity.id}"
        raise CellError(f"{what} is in account {account.id} here, in {other.account_id} before")
    account.objects(entity.level)[entity.id] = entity


def _called(entity: Entity, name: str) -> Entity:
    if entity.name != name:
        entity.renamed = True
    return entity


def numbers(cells: Cells, names: tuple[str, ...]) -> Numbers:
    """Impressions, clicks, spend, conversions, conversion value and what follows them, in this order."""
    at = 0
    try:
        found = Numbers(cell.count(cells[0]))
        at = 1
        found.clicks = cell.count(cells[1])
        at = 2
        found.spend = cell.amount(cells[2])
        at = 3
        found.conversions = cell.amount(cells[3])
        at = 4
        found.conversion_value = cell.amount(cells[4])
        if len(cells) > 5:  # noqa: PLR2004 - facts.csv goes on with video views and reach, the sums do not
            at = 5
            found.video_views = cell.count(cells[5])
            at = 6
            found.reach = cell.count(cells[6])
    except CellError as exc:
        raise CellError(f"{names[at]} {exc}") from None
    return found


def named(column: str, read: object, *arguments: object) -> object:
    """Read a cell, with the column's name before what is wrong with it."""
    try:
        return read(*arguments)  # type: ignore[operator]
    except CellError as exc:
        raise CellError(f"{column} {exc}") from None


def _day(text: str) -> date:
    try:
        return cell.day(text)
    except CellError as exc:
        raise CellError(f"date {exc}") from None


def _end(version: Version) -> datetime:
    return version.until
