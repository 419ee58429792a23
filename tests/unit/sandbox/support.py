"""What the sandbox's tests share: small facts folders, and the real server in a process of its own."""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.sandbox.facts import columns

ROOT = Path(__file__).parents[3]
META_90_DAYS = ROOT / "tests" / "data" / "meta_90_days"
APP_ID, APP_SECRET, KEY, MAIL_KEY = "123456789012345", "app-secret", "control-key", "re_mail-key"
CLIENT_SECRET = "client-secret"
REDIRECT = "http://127.0.0.1:9/callback?next=%2F"
HEADERS = {
    columns.FACTS_FILE: columns.FACTS,
    columns.RESTATED_FILE: columns.RESTATED,
    columns.ENTITIES_FILE: columns.ENTITIES + columns.ENTITIES_OPTIONAL,
    columns.HOURLY_FILE: columns.HOURLY,
    columns.TOTALS_FILE: columns.TOTALS,
    columns.RATES_FILE: columns.RATES,
}
_USUAL = {
    "platform": "meta",
    "account_id": "11",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "campaign_id": "21",
    "campaign_name": "Coats",
    "adgroup_id": "31",
    "adgroup_name": "Broad",
    "ad_id": "41",
    "ad_name": "Parka",
    "date": "2026-03-01",
    "impressions": "1000",
    "clicks": "10",
    "spend": "12.50",
    "conversions": "2",
    "conversion_value": "80.00",
}


def fact(**cells: str) -> dict[str, str]:
    """A row of facts.csv: a usual one with some cells of its own."""
    return {**_USUAL, **cells}


def entity(level: str, object_id: str, parent_id: str, **cells: str) -> dict[str, str]:
    """A row of entities.csv."""
    usual = {"platform": "meta", "account_id": "11", "name": f"{level} {object_id}"}
    return {**usual, "level": level, "id": object_id, "parent_id": parent_id, **cells}


def write(folder: Path, name: str, rows: list[dict[str, str]]) -> None:
    """Write one file of a facts folder; cells that are not given are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADERS[name], restval="")
        writer.writeheader()
        writer.writerows(rows)


def owners_of(rows: Iterable[dict[str, str]]) -> dict[str, set[str]]:
    """The ids of each account's objects, its own among them."""
    found: dict[str, set[str]] = {}
    for one in rows:
        ids = {one["account_id"], one["campaign_id"], one["adgroup_id"], one["ad_id"]}
        found.setdefault(one["account_id"], set()).update(ids - {""})
    return found


def facts(folder: Path, *rows: dict[str, str]) -> Path:
    """A folder with a facts.csv."""
    write(folder, columns.FACTS_FILE, list(rows))
    return folder


@dataclass
class Sandbox:
    """A running sandbox."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    @property
    def graph(self) -> str:
        return f"{self.url}/v26.0"

    def control(self, method: str, path: str, json: Any = None) -> Any:
        """Call the control API."""
        reply = httpx.request(method, f"{self.url}/_sandbox/{path}", json=json, headers={"X-Sandbox-Key": KEY})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def mails(self) -> list[dict[str, Any]]:
        """What lies in the mailbox."""
        return list(self.control("GET", "mails")["mails"])

    def faults(self, *entries: dict[str, Any]) -> None:
        """Replace the fault script."""
        self.control("POST", "faults", list(entries))

    def get(self, path: str, token: str, **params: str) -> httpx.Response:
        """A read of the Graph API."""
        return httpx.get(f"{self.graph}/{path}", params={"access_token": token, **params}, timeout=30)

    def login(self, scope: str = "ads_read") -> str:
        """Go through the dialog and exchange the code; a short-lived token."""
        return str(self.exchange(self.code(scope)).json()["access_token"])

    def system_user_token(self, scope: str = "ads_read", **params: str) -> str:
        """What an administrator makes for a machine in the business's settings."""
        asked = {"access_token": self.login("ads_read,business_management"), "business_app": APP_ID, "scope": scope}
        reply = httpx.post(f"{self.graph}/10160000000000101/access_tokens", params={**asked, **params})
        return str(reply.json()["access_token"])

    def lasting(self) -> str:
        """A long-lived token: the clock may be moved by days."""
        asked = {"client_id": APP_ID, "client_secret": APP_SECRET, "grant_type": "fb_exchange_token"}
        url = f"{self.graph}/oauth/access_token"
        return str(httpx.get(url, params={**asked, "fb_exchange_token": self.login()}).json()["access_token"])

    def code(self, scope: str = "ads_read") -> str:
        """The code that the dialog sends back."""
        asked = {"client_id": APP_ID, "redirect_uri": REDIRECT, "state": "s", "scope": scope}
        reply = httpx.post(f"{self.graph}/dialog/oauth", params=asked, data={"decision": "allow"})
        return str(httpx.URL(reply.headers["location"]).params["code"])

    def exchange(self, code: str, **params: str) -> httpx.Response:
        """Exchange a code."""
        asked = {"client_id": APP_ID, "client_secret": APP_SECRET, "redirect_uri": REDIRECT, "code": code, **params}
        return httpx.get(f"{self.graph}/oauth/access_token", params=asked)

    def stop(self) -> float:
        """Ask the process to end; the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        return time.monotonic() - began


def environment(home: Path, port: int, **more: str) -> dict[str, str]:
    """The settings of a sandbox."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "shared"),
        "ADLOOM_SANDBOX_PORT": str(port),
        "ADLOOM_SANDBOX_HOME": str(home),
        "ADLOOM_SANDBOX_KEY": KEY,
        "ADLOOM_META_APP_ID": APP_ID,
        "ADLOOM_META_APP_SECRET": APP_SECRET,
        "ADLOOM_MAIL_KEY": MAIL_KEY,
        "ADLOOM_SANDBOX_CLIENT_SECRET": CLIENT_SECRET,
        **more,
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(home: Path, **more: str) -> Iterator[Sandbox]:
    """A sandbox from its first good health check on until the end of the block."""
    port = free_port()
    settings = environment(home, port, **more)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "log.jsonl").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.sandbox"], cwd=ROOT, env=settings, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            sandbox = Sandbox(f"http://127.0.0.1:{port}", home, process, settings)
            _wait(sandbox)
            yield sandbox
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose facts are one usual row."""
    folder = facts(tmp_path_factory.mktemp("facts"), fact())
    with running(tmp_path_factory.mktemp("home"), ADLOOM_SANDBOX_FACTS=str(folder)) as started:
        yield started


def _wait(sandbox: Sandbox) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if sandbox.process.poll() is not None:
            raise AssertionError((sandbox.home / "log.jsonl").read_text())
        try:
            if httpx.get(f"{sandbox.url}/_/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.03)
    raise AssertionError("the sandbox did not become healthy")
