"""Reads entities.csv and joins it with the objects that facts.csv knows."""

from __future__ import annotations

from infra.sandbox.facts import cells as cell
from infra.sandbox.facts import columns
from infra.sandbox.facts.delivery import named, register
from infra.sandbox.facts.errors import CellError, Faults
from infra.sandbox.facts.model import Account, Entity, EntityRow, Folder, Level
from infra.sandbox.facts.reader import Cells

_LEVELS: dict[str, Level] = {"account": "account", "campaign": "campaign", "ad_group": "ad_group", "ad": "ad"}
_DEPTH: dict[Level, int] = {"account": 0, "campaign": 1, "ad_group": 2, "ad": 3}
_PARENT: dict[Level, Level] = {"campaign": "account", "ad_group": "campaign", "ad": "ad_group"}


class EntityReader:
    """Keeps the rows until all are read, since a parent may stand below its children."""

    def __init__(self, folder: Folder, faults: Faults) -> None:
        self.folder = folder
        self.faults = faults
        self._rows: list[tuple[int, Level, Cells, EntityRow]] = []
        self._seen: set[tuple[str, str, str]] = set()

    def take(self, line: int, cells: Cells) -> None:
        """One row of entities.csv."""
        try:
            level = _LEVELS[str(named("level", cell.one_of, cells[2], frozenset(_LEVELS)))]
            named("platform", cell.one_of, cells[0], columns.PLATFORMS)
            named("account_id", cell.identifier, cells[1])
            named("id", cell.identifier, cells[3])
            row = _row(cells)
        except CellError as exc:
            self.faults.add(columns.ENTITIES_FILE, line, str(exc))
            return
        key = (cells[0], level, cells[3])
        if key in self._seen:
            self.faults.add(columns.ENTITIES_FILE, line, f"{_words(level)} {cells[3]} is there twice")
            return
        self._seen.add(key)
        self._rows.append((line, level, cells, row))

    def join(self) -> None:
        """Give every object its row, parents first; an object without facts is made from its row."""
        for line, level, cells, row in sorted(self._rows, key=lambda entry: _DEPTH[entry[1]]):
            account = self.folder.accounts.get((cells[0], cells[1]))
            if account is None:
                # An account lives from its first fact on: without one it is not there yet, nor is what it holds.
                continue
            try:
                self._join(account, level, cells, row)
            except CellError as exc:
                self.faults.add(columns.ENTITIES_FILE, line, str(exc))

    def _join(self, account: Account, level: Level, cells: Cells, row: EntityRow) -> None:
        object_id, parent_id = cells[3], cells[4]
        if level == "account":
            if object_id != account.id:
                raise CellError(f"account {object_id} stands under account {account.id}")
            account.row = row
            return
        known = account.objects(level).get(object_id)
        if known is None:
            known = self._made(account, level, object_id, parent_id)
        elif parent_id and parent_id != _parent_of(known):
            raise CellError(f"{_words(level)} {object_id} has parent {parent_id}, in facts.csv {_parent_of(known)}")
        known.row = row

    def _made(self, account: Account, level: Level, object_id: str, parent_id: str) -> Entity:
        if level == "campaign":
            if parent_id not in ("", account.id):
                raise CellError(f"campaign {object_id} has parent {parent_id}, its account is {account.id}")
            made = Entity(level, object_id, account.id, object_id)
        else:
            parent = account.objects(_PARENT[level]).get(parent_id)
            if parent is None:
                wanted = f"{_words(_PARENT[level])} of account {account.id}"
                raise CellError(f"{_words(level)} {object_id} has parent {parent_id or '(empty)'}, no {wanted}")
            made = Entity(level, object_id, account.id, parent.campaign_id, parent.adgroup_id or object_id)
        register(self.folder.catalogues[account.platform], account, made)
        return made


def _parent_of(entity: Entity) -> str:
    return {"campaign": entity.account_id, "ad_group": entity.campaign_id, "ad": entity.adgroup_id}[entity.level]


def _words(level: Level) -> str:
    return level.replace("_", " ")


def _row(cells: Cells) -> EntityRow:
    (
        name, status, kind, daily, lifetime, objective, final_url, image_url, texts, labels,
        review_status, review_reason, window, created, updated, deleted,
    ) = cells[5:]  # fmt: skip
    named("status", cell.one_of, status or "active", columns.STATUSES)
    read = {
        "daily_budget": (cell.amount, daily),
        "lifetime_budget": (cell.amount, lifetime),
        "texts": (cell.texts, texts),
        "labels": (cell.labels, labels),
        "conversion_window_days": (cell.count, window),
        "created_at": (cell.instant, created),
        "updated_at": (cell.instant, updated),
        "deleted_at": (cell.instant, deleted),
    }
    values: dict[str, object] = {column: named(column, how, text) for column, (how, text) in read.items()}
    return EntityRow(
        name=name,
        status=status or "active",
        kind=kind,
        objective=objective,
        final_url=final_url,
        image_url=image_url,
        review_status=review_status,
        review_reason=review_reason,
        **values,  # type: ignore[arg-type]
    )
