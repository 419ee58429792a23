"""The main job against a deployment of any kind: log in, sync a facts folder by event and by cron tick, read it back.

Nothing here knows how the deployment was made: it has addresses, a command line and an owner.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.local.verify import Comparison, Span, compare, exports
from tests.forms import hidden

SYNC_TIMEOUT_S = 600
# An account is due every 15 minutes of the business clock, and a cron-connector ticks once a real minute.
TICK_TIMEOUT_S = 240
POLL_S = 0.5


@dataclass(frozen=True)
class Deployment:
    """A deployment as its users see it. Addresses are without a slash at the end.

    `gateway` has the functions below /function/<name>; `front` is the front door with the dashboard; `adloom` runs the
    command line and returns what it printed, or raises; `owner` is the e-mail and password of the first person.
    """

    gateway: str
    front: str
    adloom: Callable[..., str]
    sandbox: str
    sandbox_key: str
    owner: tuple[str, str]


def run(deployment: Deployment, facts: Path, span: Span) -> Comparison:
    """The whole job; what was read back against the folder. The business clock must run, from `span.clock` on."""
    log_in(deployment)
    connect(deployment)
    sync_by_event(deployment, span)
    sync_by_tick(deployment)
    return read_back(deployment, facts, span)


def log_in(deployment: Deployment) -> str:
    """Log in as the owner, at the function and with the dashboard's form; the session's token."""
    email, password = deployment.owner
    with httpx.Client(base_url=deployment.front, trust_env=False, timeout=30) as client:
        answer = client.post("/function/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        token = str(answer.json()["token"])
        who = client.get("/function/auth/session", headers={"Authorization": f"Bearer {token}"}).json()
        assert who["user"]["email"] == email
        form = hidden(client.get("/login").text, "/login")
        headers = {"Origin": deployment.front}  # as a browser says it with every form
        entered = client.post("/login", data={**form, "email": email, "password": password}, headers=headers)
        assert entered.status_code == 303, entered.text
        page = client.get(entered.headers["location"])
        assert page.status_code == 200, page.text
    return token


def connect(deployment: Deployment) -> None:
    """Connect the sandbox's accounts. Their first days are asked for by an event of this."""
    deployment.adloom("connect", "sandbox", "--wait")


def accounts(deployment: Deployment) -> list[dict[str, Any]]:
    """`adloom sync status`: one entry per account."""
    found: list[dict[str, Any]] = json.loads(deployment.adloom("--json", "sync", "status"))
    return found


def sync_by_event(deployment: Deployment, span: Span) -> None:
    """Ask for all days; the answer is only an event, and its delivery does the work."""
    between = ("--since", span.first.isoformat(), "--until", span.last.isoformat())
    deployment.adloom("sync", "run", *between, "--wait", "--timeout", str(SYNC_TIMEOUT_S))
    broken = {one["account"]: one["error"] for one in accounts(deployment) if one["error_code"]}
    assert not broken, broken


def sync_by_tick(deployment: Deployment) -> None:
    """See every account synced again though nobody asks: only a tick finds out that it is due."""
    settled(deployment)
    before = {one["account"]: run_of(one) for one in accounts(deployment)}
    seen = max((int(one["seq"]) for one in requests(deployment)), default=0)
    until(
        lambda: all(run_of(one) > before[one["account"]] for one in accounts(deployment)),
        "a sync of every account by a tick",
        TICK_TIMEOUT_S,
    )
    assert requests(deployment, after=seen), "the platform was asked again"


def settled(deployment: Deployment) -> None:
    """Wait until no account has days left that somebody asked for."""
    until(
        lambda: not any(one["pending_windows"] for one in accounts(deployment)),
        "the end of what is under way",
        SYNC_TIMEOUT_S,
    )


def run_of(account: dict[str, Any]) -> int:
    """The number of the account's last run."""
    return int((account["last_run"] or {"run_id": 0})["run_id"])


def requests(deployment: Deployment, after: int = 0) -> list[dict[str, Any]]:
    """What the sandbox was asked after a request's number."""
    answer = httpx.get(
        f"{deployment.sandbox}/_sandbox/requests",
        params={"after": after},
        headers={"X-Sandbox-Key": deployment.sandbox_key},
        trust_env=False,
        timeout=30,
    )
    listed: list[dict[str, Any]] = answer.raise_for_status().json()["requests"]
    return listed


def read_back(deployment: Deployment, facts: Path, span: Span) -> Comparison:
    """Export every level and compare it cell by cell with the folder."""
    with tempfile.TemporaryDirectory(prefix="adloom-export-") as scratch:
        for file, words in exports(span).items():
            (Path(scratch) / file).write_text(deployment.adloom(*words), encoding="utf-8", newline="")
        return compare(Path(scratch), facts, span.clock)


def until(reached: Callable[[], object], what: str, patience: float) -> None:
    """Wait until `reached` says yes; AssertionError names what did not come in `patience` seconds."""
    deadline = time.monotonic() + patience
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come in {patience:g} s")
        time.sleep(POLL_S)
