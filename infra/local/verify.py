"""Proves a facts folder end to end: a throwaway stack, every account synced, the exports equal to the folder.

    python -m infra.local.verify FACTS [KEEP]

Prints `N cells compared, M differ`. Where the folder has a `planted.json`, what `adloom reconcile` names must be what
was planted there and nothing else: `N account-days reconciled, M differences planted, all named, no other`. Exit 1 when
anything differs or nothing was compared, 2 when the run itself could not be done.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from adloom.platforms.model import HOUR_LEVELS
from infra.local import planted
from infra.local.errors import RuntimeFault
from infra.local.home import ROOT
from infra.local.stack import Stack
from infra.sandbox.facts.expected import METRICS, Cells, Expected, expected
from infra.sandbox.generator.acceptance import PLANTED_FILE

# Of new accounts so many days are read by the hour, the last one included.
HOURLY_DAYS = 56
HOUR_METRICS = tuple(metric for metric in METRICS if metric != "video_views")
LEVELS = {"account": "account_id", "campaign": "campaign_id", "ad_group": "adgroup_id", "ad": "ad_id"}
SYNC_TIMEOUT_S = 1800
SHOWN = 20
INSTANTS = {"entities.csv": ("created_at", "updated_at", "deleted_at"), "restated.csv": ("visible_until",)}


@dataclass
class Comparison:
    """Counts cells against what they should be; shows the first differences."""

    should: Expected
    compared: int = 0
    differing: int = 0

    def cell(self, where: str, is_: object, should_be: object) -> None:
        self.compared += 1
        if is_ != should_be:
            self.differing += 1
            if self.differing <= SHOWN:
                print(f"  {where}: stored {is_}, the folder says {should_be}", file=sys.stderr)


def rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


@dataclass(frozen=True)
class Span:
    """The folder's first and last local day, and the last instant it speaks of."""

    first: date
    last: date
    instant: datetime

    @classmethod
    def of(cls, folder: Path) -> Span:
        days, instants = [], []
        for name in ("facts.csv", "restated.csv"):
            for row in rows(folder / name):
                day = date.fromisoformat(row["date"])
                days.append(day)
                midnight = datetime.combine(day + timedelta(days=1), time_of_day(), ZoneInfo(row["timezone"]))
                instants.append(midnight)
        days += [date.fromisoformat(row["date"]) for row in rows(folder / "account_totals.csv")]
        for name, columns in INSTANTS.items():
            instants += [datetime.fromisoformat(row[c]) for row in rows(folder / name) for c in columns if row.get(c)]
        if not days:
            raise RuntimeFault(f"{folder} has no facts to verify.")
        return cls(min(days), max(days), max(instants))

    @property
    def clock(self) -> datetime:
        """Noon of the day after the last instant: every account's last day has ended."""
        return datetime.combine(self.instant.astimezone(UTC).date() + timedelta(days=1), time_of_day(12), UTC)


def adloom(stack: Stack, *arguments: str) -> None:
    """Run the command line against the stack; its words go to ours."""
    done = _run(stack, *arguments)
    if done.returncode:
        raise RuntimeFault(f"`adloom {' '.join(arguments)}` ended with {done.returncode}")


def _run(stack: Stack, *arguments: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "adloom.cli", *arguments]
    environment = {**os.environ, **stack.env("cli")}
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=stdout, text=True, check=False)


def reconcile(stack: Stack, target: Path) -> None:
    """Keep what reconciliation says. It ends with 1 when it names anything, and when it breaks, without a word."""
    done = _run(stack, "--json", "reconcile", stdout=subprocess.PIPE)
    named = json.loads(done.stdout)["differences"] if done.stdout else None
    if named is None or done.returncode != bool(named):
        raise RuntimeFault(f"`adloom reconcile` ended with {done.returncode}")
    (target / planted.RECONCILED).write_text(done.stdout, encoding="utf-8")


def sync_and_export(stack: Stack, span: Span, target: Path) -> None:
    """Connect every account, sync all days, and write one file per level."""
    between = ("--since", span.first.isoformat(), "--until", span.last.isoformat())
    adloom(stack, "connect", "sandbox", "--wait")
    adloom(stack, "sync", "run", *between, "--wait", "--timeout", str(SYNC_TIMEOUT_S))
    for file, words in exports(span).items():
        adloom(stack, *words, "--output", str(target / file))


def exports(span: Span) -> dict[str, tuple[str, ...]]:
    """What is compared: the files, and the words of the command line that write them."""
    between = ("--since", span.first.isoformat(), "--until", span.last.isoformat(), "--format", "csv")
    found: dict[str, tuple[str, ...]] = {}
    for level in LEVELS:
        found[f"{level}.csv"] = ("export", "metrics", "--level", level, *between)
    for level in HOUR_LEVELS:
        found[f"{level}_hours.csv"] = ("export", "hours", "--level", level, *between)
    return found


def compare(target: Path, folder: Path, now: datetime) -> Comparison:
    """Every exported cell against the folder, both ways: what is missing and what is too much differ too."""
    should = expected(folder, now)
    comparison = Comparison(should)
    sums = {"account": should.accounts, "campaign": should.campaigns, "ad_group": should.adgroups, "ad": should.ads}
    for level, column in LEVELS.items():
        stored = {
            (row["platform"], row[column], date.fromisoformat(row["date"])): row
            for row in rows(target / f"{level}.csv")
        }
        for key in stored.keys() | sums[level].keys():
            _compare_row(comparison, level, key, stored.get(key), sums[level].get(key))
    _compare_reach(comparison, target, folder, now)
    _compare_hours(comparison, target, folder, now)
    return comparison


def _compare_row(
    comparison: Comparison, level: str, key: tuple[str, str, date], row: dict[str, str] | None, cells: Cells | None
) -> None:
    where = f"{level} {key[0]} {key[1]} {key[2]}"
    for metric in METRICS:
        is_ = Decimal((row or {}).get(metric) or 0)
        comparison.cell(f"{where} {metric}", is_, getattr(cells, metric) if cells else Decimal(0))
    if row is None or cells is None:
        return
    should = comparison.should
    comparison.cell(f"{where} currency", row["currency"], should.currencies.get((row["platform"], row["account_id"])))
    for part, prefix in (("campaign", "campaign"), ("ad_group", "adgroup"), ("ad", "ad")):
        if identity := row[f"{prefix}_id"]:
            name = should.names.get((row["platform"], part, identity))
            comparison.cell(f"{where} {part} name", row[f"{prefix}_name"], name)


def _compare_reach(comparison: Comparison, target: Path, folder: Path, now: datetime) -> None:
    """Reach is not additive, so only ad rows are compared, and only those that were never restated."""
    restated = {(row["platform"], row["ad_id"], row["date"]) for row in rows(folder / "restated.csv")}
    stored = {(row["platform"], row["ad_id"], row["date"]): row["reach"] for row in rows(target / "ad.csv")}
    for row in rows(folder / "facts.csv"):
        key = (row["platform"], row["ad_id"], row["date"])
        if not row.get("reach") or not row["ad_id"] or key in restated:
            continue
        if date.fromisoformat(row["date"]) <= now.astimezone(ZoneInfo(row["timezone"])).date():
            comparison.cell(f"ad {' '.join(key)} reach", Decimal(stored.get(key) or 0), Decimal(row["reach"]))


def _compare_hours(comparison: Comparison, target: Path, folder: Path, now: datetime) -> None:
    """Hours are read of the last weeks only; an empty cell equals 0, and an hour of zeros equals none."""
    zones = {(row["platform"], row["account_id"]): ZoneInfo(row["timezone"]) for row in rows(folder / "facts.csv")}
    oldest = {key: now.astimezone(zone).date() - timedelta(HOURLY_DAYS - 1) for key, zone in zones.items()}
    owner = {(row["platform"], row["campaign_id"]): row["account_id"] for row in rows(folder / "facts.csv")}
    owner |= {(platform, account): account for platform, account in zones}
    should = comparison.should
    for level, sums in (("account", should.account_hours), ("campaign", should.campaign_hours)):
        wanted = {key: cells for key, cells in sums.items() if key[2] >= oldest[key[0], owner[key[:2]]]}
        stored = {
            (row["platform"], row[f"{level}_id"], date.fromisoformat(row["date"]), int(row["hour"])): row
            for row in rows(target / f"{level}_hours.csv")
        }
        for key in stored.keys() | wanted.keys():
            for metric in HOUR_METRICS:
                is_ = Decimal(stored.get(key, {}).get(metric) or 0)
                should_be = getattr(wanted[key], metric) if key in wanted else Decimal(0)
                comparison.cell(f"{level} {' '.join(map(str, key))} {metric}", is_, should_be)


def verify(folder: Path, keep: Path | None) -> int:
    began = time.monotonic()
    span = Span.of(folder)
    with tempfile.TemporaryDirectory(prefix="adloom-verify-") as scratch:
        target = keep or Path(scratch) / "exports"
        target.mkdir(parents=True, exist_ok=True)
        with Stack(Path(scratch) / "home", facts=folder, clock=span.clock, rate=0) as stack:
            try:
                sync_and_export(stack, span, target)
                if (folder / PLANTED_FILE).exists():
                    reconcile(stack, target)
            except RuntimeFault:
                if keep:
                    shutil.copytree(stack.home.logs, keep / "logs", dirs_exist_ok=True)
                raise
        is_right = judge(target, folder, span.clock)
    print(f"took {time.monotonic() - began:.1f} s", file=sys.stderr)
    return 0 if is_right else 1


def judge(target: Path, folder: Path, now: datetime) -> bool:
    """Say how what was exported compares with the folder; whether all of it is right."""
    comparison = compare(target, folder, now)
    print(f"{comparison.compared} cells compared, {comparison.differing} differ")
    is_right = comparison.compared > 0 and not comparison.differing
    if (folder / PLANTED_FILE).exists():
        reconciled = planted.compare(target, folder, len(comparison.should.accounts))
        reconciled.show()
        print(reconciled)
        is_right &= reconciled.is_right
    return is_right


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2) or not arguments[0]:
        print("usage: make verify FACTS=<folder> [KEEP=<folder>]", file=sys.stderr)
        return 2
    folder = Path(arguments[0]).expanduser().absolute()
    if not (folder / "facts.csv").is_file():
        print(f"There is no facts.csv in {folder}.", file=sys.stderr)
        return 2
    keep = Path(arguments[1]).expanduser().absolute() if len(arguments) > 1 and arguments[1] else None
    try:
        return verify(folder, keep)
    except RuntimeFault as fault:
        print(f"verify: {fault}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
