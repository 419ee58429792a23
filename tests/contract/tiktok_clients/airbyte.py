"""Reads TikTok with Airbyte's connector, which is none of ours. Runs in a venv of its own.

Arguments: address, app id, secret, token, first and last day, a folder to work in. Of a copy of the connector one line
is changed, the address of the API, which it has hard-wired. Prints the records by stream as JSON.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGE = "source_tiktok_marketing"
STREAMS = (
    "advertisers", "campaigns", "ad_groups", "ads", "advertisers_reports_daily", "campaigns_reports_daily",
    "ad_groups_reports_daily", "ads_reports_daily",
)  # fmt: skip
TIMEOUT_S = 300


def copied(address: str, folder: Path) -> Path:
    """A copy of the connector that asks `address`."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{PACKAGE} is not installed")
    copy = folder / PACKAGE
    shutil.copytree(Path(spec.origin).parent, copy, dirs_exist_ok=True)
    manifest = copy / "manifest.yaml"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.strip().startswith("url_base:")]
    indent = lines[at].partition("url_base:")[0]
    lines[at] = f'{indent}url_base: "{address}/open_api/v1.3/"'
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def run(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """What the connector says, message by message."""
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); from {PACKAGE}.run import run; run()"
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, check=False, timeout=TIMEOUT_S, cwd=folder,
    )  # fmt: skip
    messages = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    faults = [one for one in messages if one.get("type") == "TRACE" and one["trace"]["type"] == "ERROR"]
    if ended.returncode or faults:
        raise SystemExit(f"{arguments[0]} ended with {ended.returncode}: {faults[:1]} {ended.stderr[-2000:]}")
    return messages


def main() -> None:
    """Check, discover and read."""
    address, app_id, secret, token, first, last, work = sys.argv[1:]
    folder = copied(address, Path(work))
    credentials = {"auth_type": "oauth2.0", "app_id": app_id, "secret": secret, "access_token": token}
    config = folder / "config.json"
    wanted = {"credentials": credentials, "start_date": first, "end_date": last, "include_deleted": True}
    config.write_text(json.dumps(wanted), encoding="utf-8")
    (checked,) = [one for one in run(folder, "check", "--config", str(config)) if one["type"] == "CONNECTION_STATUS"]
    (discovered,) = [one for one in run(folder, "discover", "--config", str(config)) if one["type"] == "CATALOG"]
    streams = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for stream in discovered["catalog"]["streams"]
        if stream["name"] in STREAMS
    ]
    catalog = folder / "catalog.json"
    catalog.write_text(json.dumps({"streams": streams}), encoding="utf-8")
    records: dict[str, list[Any]] = defaultdict(list)
    for one in run(folder, "read", "--config", str(config), "--catalog", str(catalog)):
        if one["type"] == "RECORD":
            records[one["record"]["stream"]].append(one["record"]["data"])
    json.dump({"status": checked["connectionStatus"]["status"], "streams": records}, sys.stdout)


if __name__ == "__main__":
    main()
