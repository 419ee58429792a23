"""Lets clients that we did not write read the sandbox's TikTok, and compares what they read with the facts folder.

Each has a venv of its own below `.adloom/contract/`, made once: their dependencies are none of ours. TikTok's official
SDK reads accounts, objects and reports of every level and a report task; Airbyte's connector checks, discovers and
reads its streams. Exit code 1 when a number or an object differs.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.sandbox.facts.expected import Cells, expected
from tests import venvs
from tests.contract.tiktok_world import ADS, NOW, SINCE, UNTIL, folder_in, hours_by, owners
from tests.unit.sandbox.support import ROOT
from tests.unit.sandbox.tiktok import APP_ID, APP_SECRET, TikTok, tiktok

HERE = Path(__file__).parent
VENVS = ROOT / ".adloom" / "contract"
# What each level is called, and the id of its rows.
LEVELS = {"account": "advertiser_id", "campaign": "campaign_id", "ad_group": "adgroup_id", "ad": "ad_id"}
SDK_LEVELS = {"account": "ADVERTISER", "campaign": "CAMPAIGN", "ad_group": "ADGROUP", "ad": "AD"}
AIRBYTE_STREAMS = {"account": "advertisers", "campaign": "campaigns", "ad_group": "ad_groups", "ad": "ads"}
METRICS = {
    "impressions": "impressions",
    "clicks": "clicks",
    "spend": "spend",
    "conversion": "conversions",
    "total_complete_payment_rate": "conversion_value",
}


@dataclass(frozen=True)
class Client:
    """Somebody else's client: its package, and the script that reads with it."""

    name: str
    package: str
    check: Callable[[Client, TikTok, Report], None]

    def run(self, *arguments: str) -> dict[str, Any]:
        """Run the script in its venv; what it read."""
        python = self.venv()
        script = HERE / f"{self.name}.py"
        ended = subprocess.run([python, script, *arguments], capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(f"{self.name}: {ended.stderr[-4000:]}")
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def venv(self) -> Path:
        """The venv's Python."""
        return venvs.python_with(self.package, VENVS / self.name)


@dataclass
class Report:
    """What was compared, and what differs."""

    cells: int = 0
    differences: list[str] = field(default_factory=list)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Note a difference."""
        if found != wanted:
            self.differences.append(f"{what}: {str(found)[:300]} instead of {str(wanted)[:300]}")

    def compare(self, what: str, rows: Iterable[tuple[str, str, dict[str, Any]]], wanted: dict[Any, Cells]) -> None:
        """Rows as `(id, day, metrics)` against the folder, number by number, of the metrics that were asked for."""
        found = {(object_id, day[:10]): metrics for object_id, day, metrics in rows}
        found = {key: metrics for key, metrics in found.items() if any(map(_number, _known(metrics)))}
        self.expect(f"{what}: rows", sorted(found), sorted((one, day.isoformat()) for one, day in wanted))
        for (one, day), cells in wanted.items():
            metrics = found.get((one, day.isoformat()), {})
            for name, cell in METRICS.items():
                if name in metrics:
                    self.cells += 1
                    self.expect(f"{what} {one} {day} {name}", _number(metrics[name]), getattr(cells, cell))


def _known(metrics: dict[str, Any]) -> list[Any]:
    return [metrics.get(name) for name in METRICS]


def _number(value: Any) -> Decimal:
    return Decimal(0) if value in (None, "-") else Decimal(str(value))


def wanted(folder: Path, level: str, ids: set[str]) -> dict[Any, Cells]:
    """What the folder says of some objects, by id and day."""
    judged = expected(folder, NOW)
    of_level = {
        "account": judged.accounts, "campaign": judged.campaigns, "ad_group": judged.adgroups, "ad": judged.ads,
    }  # fmt: skip
    return {(one, day): cells for (_, one, day), cells in of_level[level].items() if one in ids}


def official_sdk(client: Client, platform: TikTok, report: Report) -> None:
    """TikTok's own SDK, from the code to the last row."""
    folder = Path(platform.sandbox.environment["ADLOOM_SANDBOX_FACTS"])
    days = (SINCE.isoformat(), UNTIL.isoformat())
    found = client.run(platform.sandbox.url, APP_ID, APP_SECRET, platform.code(), *days)
    report.expect("granted", found["granted"], sorted(owners()))
    report.expect("accounts", [one["advertiser_id"] for one in found["accounts"]], sorted(owners()))
    report.expect("task", found["task"], "SUCCESS")
    report.expect("refusal", "40105" in found["refused"], True)
    _hours(found["hours"], report)
    for account_id, ids in owners().items():
        for level, name in LEVELS.items():
            rows = found["reports"][account_id][f"AUCTION_{SDK_LEVELS[level]}"]
            table = ((one["dimensions"][name], one["dimensions"]["stat_time_day"], one["metrics"]) for one in rows)
            report.compare(f"{level} rows", table, wanted(folder, level, ids))
            if level != "account":
                listed = {one[name] for one in found["objects"][account_id][name.removesuffix("_id")]}
                report.expect(f"{level} objects that were not listed", listed - ids, set())


def _hours(found: dict[str, dict[str, list[Any]]], report: Report) -> None:
    """The campaigns' hours against the folder."""
    rows = {
        ("campaign", one["dimensions"]["campaign_id"], *_moment(one["dimensions"]["stat_time_hour"])): one["metrics"]
        for days in found.values()
        for listed in days.values()
        for one in listed
    }
    judged = {key: numbers for key, numbers in hours_by(NOW).items() if key[0] == "campaign"}
    report.expect("hours", sorted(rows), sorted(judged))
    for key, numbers in judged.items():
        for name, cell in METRICS.items():
            if cell in numbers and name in rows.get(key, {}):
                report.cells += 1
                report.expect(f"{key} {name}", _number(rows[key][name]), numbers[cell])


def _moment(text: str) -> tuple[str, int]:
    return text[:10], int(text[11:13])


def airbyte(client: Client, platform: TikTok, report: Report) -> None:
    """Airbyte's connector: its streams of accounts, objects and daily reports."""
    folder = Path(platform.sandbox.environment["ADLOOM_SANDBOX_FACTS"])
    with tempfile.TemporaryDirectory() as work:
        days = (SINCE.isoformat(), UNTIL.isoformat())
        found = client.run(platform.sandbox.url, APP_ID, APP_SECRET, platform.login(), *days, work)
    report.expect("check", found["status"], "SUCCEEDED")
    ids = set().union(*owners().values())
    for level, name in LEVELS.items():
        stream = AIRBYTE_STREAMS[level]
        # It turns ids into numbers.
        listed = {str(one[name]) for one in found["streams"][stream]}
        report.expect(f"{stream} that nobody has", listed - ids, set())
        rows = found["streams"][f"{stream}_reports_daily"]
        table = ((str(one[name]), one["stat_time_day"], one["metrics"]) for one in rows)
        report.compare(f"{stream}_reports_daily", table, wanted(folder, level, ids))
    # It does not ask for TopView, so those thirty ads are not on its list; nor are the ads of Tokyo and Kuwait, which
    # were made on the first local day, before that day began in UTC. Their rows are there all the same.
    report.expect("ads", len(found["streams"]["ads"]), ADS - ADS // 3 + len(owners()) - 3)


CLIENTS = (
    Client("official_sdk", "tiktok-business-api-sdk-official==1.1.3", official_sdk),
    Client("airbyte", "airbyte-source-tiktok-marketing==4.7.0", airbyte),
)


def main() -> int:
    """Run every client; 1 when anything differs."""
    failed = False
    for client in CLIENTS:
        with tempfile.TemporaryDirectory() as home:
            # The connector ends with an error at Smart+ ads, which TikTok sends without a time of change.
            folder = folder_in(Path(home) / "facts", with_smart=client.name != "airbyte")
            client.venv()
            with tiktok(Path(home) / "home", folder, NOW.isoformat()) as platform:
                report = Report()
                client.check(client, platform, report)
                requests = len(platform.asked())
        print(f"{client.package}: {report.cells} numbers in {requests} requests, {len(report.differences)} differ")
        print("\n".join(report.differences[:20]))
        failed = failed or bool(report.differences) or not report.cells
    return int(failed)
