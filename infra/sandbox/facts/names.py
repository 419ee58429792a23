"""What an object is called on a day: the last row, in file order, of its latest date."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

from infra.sandbox.facts.model import Account, Entity, Folder


def settle(folder: Folder) -> None:
    """Work out the history of every object whose rows name it differently."""
    for account in folder.accounts.values():
        renamed = [
            e for level in (account.campaigns, account.adgroups, account.ads) for e in level.values() if e.renamed
        ]
        if renamed:
            _settle(account, renamed)


def _settle(account: Account, renamed: list[Entity]) -> None:
    history: dict[tuple[str, str], dict[date, str]] = {(entity.level, entity.id): {} for entity in renamed}
    for day in account.days.values():
        for slot in day.slots.values():
            if slot.final is None:  # a row that vanished names nothing
                continue
            for key, name in (
                (("campaign", slot.campaign_id), slot.campaign_name),
                (("ad_group", slot.adgroup_id), slot.adgroup_name),
                (("ad", slot.ad_id), slot.ad_name),
            ):
                if key in history:
                    history[key][day.date] = name
    for entity in renamed:
        entity.names = sorted(history[entity.level, entity.id].items())


def name_of(entity: Entity, today: date) -> str:
    """The object's name as the account sees it on a day; empty where the platform says none."""
    if entity.row is not None and entity.row.name:
        return entity.row.name
    if not entity.names:
        return entity.name
    at = bisect_right(entity.names, today, key=lambda change: change[0])
    return entity.names[max(at - 1, 0)][1]
