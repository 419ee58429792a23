"""`adloom connect sandbox`: walk the sandbox's OAuth as a person would, so that its accounts are connected."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import click
import httpx
from sqlalchemy import text

from adloom.cli.connect_sandbox import walk
from adloom.cli.context import Session
from adloom.cli.sync import PLATFORMS, POLL_S
from adloom.errors import Forbidden, Unavailable

_NOT_LOOKED_UP = """
select platform from connections
 where connection_id = any (cast(:ids as uuid[])) and status = 'active' and discovered_at is null order by platform
"""


@click.group()
def connect() -> None:
    """Connect ad platforms."""


@connect.command("sandbox")
@click.option("--platform", type=click.Choice(PLATFORMS), help="Only this platform.")
@click.option("--wait", is_flag=True, help="Return when the ad accounts of every connection were looked up.")
@click.option("--timeout", type=click.FloatRange(min=1), default=300, show_default=True, help="Seconds for --wait.")
@click.pass_obj
def sandbox(session: Session, platform: str | None, wait: bool, timeout: float) -> None:
    """Connect the sandbox's ad accounts, of every platform that has some."""
    url = session.settings.sandbox_url
    if url is None:
        raise Forbidden("There is no sandbox in this stack: real platforms are connected in the dashboard")
    connected = []
    for each in [platform] if platform else _with_accounts(url):
        started = session.call("oauth-callback", "POST", "/connections", {"platform": each})
        with httpx.Client(timeout=60, trust_env=False) as client:
            walked = walk(started["authorize_url"], client, _ways(session, started["authorize_url"]))
        result = {"platform": each, "result": f"connected {walked.name}", "connection_id": walked.connection_id}
        connected.append(result)
    if wait:
        _wait(session, [one["connection_id"] for one in connected], timeout)
    lines = [f"{one['platform']}: {one['result']}" for one in connected]
    session.show(connected, lines or ["The sandbox has no ad accounts."])


def _with_accounts(sandbox: str) -> list[str]:
    """The platforms of which the sandbox has accounts."""
    try:
        answer = httpx.get(f"{sandbox.rstrip('/')}/_/health", timeout=60, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"The sandbox does not answer ({type(error).__name__}).") from error
    return [platform for platform in PLATFORMS if platform in answer.json()["platforms"]]


def _wait(session: Session, connections: Sequence[str], timeout: float) -> None:
    """Wait until the sync functions have looked up the accounts of these connections."""
    deadline = time.monotonic() + timeout
    while True:
        with session.reading() as connection:
            left = connection.execute(text(_NOT_LOOKED_UP), {"ids": list(connections)}).scalars().all()
        if not left:
            return
        if time.monotonic() > deadline:
            raise Unavailable(f"After {timeout:g} s the ad accounts of {', '.join(left)} are not looked up yet.")
        time.sleep(POLL_S)


def _ways(session: Session, dialog: str) -> dict[str, str]:
    """How the addresses that a browser is sent to are reached from here, which may be inside the platform's network."""
    settings = session.settings
    to = {dialog: settings.sandbox_url or dialog, settings.public_url: settings.gateway_url}
    return {_origin(browser): _origin(ours) for browser, ours in to.items()}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
