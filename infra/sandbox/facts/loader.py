"""Loads and validates a facts folder, whole, before anything of it is served."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.sandbox.facts import columns, names, reader
from infra.sandbox.facts.delivery import DeliveryReader
from infra.sandbox.facts.entities import EntityReader
from infra.sandbox.facts.errors import FactsError, Faults
from infra.sandbox.facts.model import Folder
from infra.sandbox.facts.sums import SumsReader


def load(path: Path) -> Folder:
    """Read the folder; FactsError with every fault (up to fifty) when it is not as it must be."""
    faults = Faults()
    if not (path / columns.FACTS_FILE).is_file():
        faults.add(columns.FACTS_FILE, 0, f"is not there (folder {path})")
        faults.check()
    folder = Folder()
    with _without_cycles_collected():
        _read_all(path, folder, faults)
        faults.check()
        names.settle(folder)
        for account in folder.accounts.values():
            account.dates = sorted(account.days)
    return folder


def _read_all(path: Path, folder: Folder, faults: Faults) -> None:
    delivery = DeliveryReader(folder, faults)
    for line, cells in reader.rows(path, columns.FACTS_FILE, columns.FACTS, (), faults):
        delivery.take(line, cells)
    for line, cells in reader.rows(path, columns.RESTATED_FILE, columns.RESTATED, (), faults):
        delivery.take_version(line, cells)
    delivery.order_versions()
    entities = EntityReader(folder, faults)
    for line, cells in reader.rows(path, columns.ENTITIES_FILE, columns.ENTITIES, columns.ENTITIES_OPTIONAL, faults):
        entities.take(line, cells)
    entities.join()
    sums = SumsReader(folder, faults)
    for line, cells in reader.rows(path, columns.HOURLY_FILE, columns.HOURLY, (), faults):
        sums.take_hour(line, cells)
    for line, cells in reader.rows(path, columns.TOTALS_FILE, columns.TOTALS, (), faults):
        sums.take_total(line, cells)
    for line, cells in reader.rows(path, columns.RATES_FILE, columns.RATES, (), faults):
        sums.take_rate(line, cells)


@contextmanager
def _without_cycles_collected() -> Iterator[None]:
    """Loading makes millions of objects and no garbage cycles: collecting would only slow it down."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


__all__ = ["FactsError", "load"]
