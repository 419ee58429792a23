"""Exchange rates: fetched now and then by whichever sync function's tick comes first, and what is known of them.

A load that fails changes nothing and is tried again soon; rates that were stored stay. A file never takes a rate away:
what it says anew replaces what was said, which is kept for showing earlier days as they stood.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Connection, text

from adloom import clock, logs
from adloom.db import Database
from adloom.metrics import ecb, windows
from adloom.metrics.ecb import Rate, RatesError

# The bank publishes once a working day at about 16:00 of Frankfurt, and corrects at times.
EVERY = timedelta(hours=6)
AFTER_FAILURE = timedelta(minutes=15)
# Platforms tell of 37 months; before those a rate that holds over a holiday.
HISTORY_MONTHS = 38
# The file of the last 90 days fills shorter gaps.
_RECENT_DAYS = 80
_RECENT, _ALL = "eurofxref-hist-90d.xml", "eurofxref-hist.zip"
# A tick has a minute for all that it does.
_CONNECT_S, _READ_S, _WHOLE_S = 5.0, 10.0, 25.0
# The sandbox says with this header where its rates come from.
SOURCE_HEADER = "X-Sandbox-Rates"
ECB = "ecb"

log = logs.get(__name__)


@dataclass(frozen=True)
class Known:
    """What rates there are; days None where there are none. Instants are business time.

    `sources` is `ecb`, or for the sandbox `sandbox: facts` or `sandbox: invented`. `error` is why the last load failed.
    """

    first: date | None
    last: date | None
    currencies: tuple[str, ...]
    sources: tuple[str, ...]
    loaded_at: datetime | None
    tried_at: datetime | None
    error: str | None


def known(connection: Connection) -> Known:
    """What rates there are at present."""
    row = connection.execute(text("select * from rates_known()")).mappings().one()
    return Known(**{**row, "currencies": tuple(row["currencies"]), "sources": tuple(row["sources"])})


def tick(database: Database, url: str | None) -> bool:
    """Load rates if that is due; whether it was tried. A source that fails is noted and logged, and raises nothing.

    `url` is a folder with the bank's files, or one file of any of its formats; None loads nothing.
    """
    if url is None:
        return False
    with database.system() as connection:
        values = {"now": clock.now(), "again": AFTER_FAILURE}
        if not connection.execute(text("select claim_rates(:now, :again)"), values).scalar_one():
            return False
        present = known(connection)
    try:
        found, source = fetch(address(url, present, clock.now().date()))
    except RatesError as error:
        log.warning("rates_not_loaded", reason=error.detail)
        with database.system() as connection:
            _conclude(connection, AFTER_FAILURE, error.detail)
        return True
    with database.system() as connection:
        changed = store(connection, found, source)
        _conclude(connection, EVERY, None)
    log.info("rates_loaded", rates=len(found), changed=changed, source=source)
    return True


def address(url: str, present: Known, today: date) -> str:
    """Which file to ask for: the recent days, or all while those would leave a gap."""
    if PurePosixPath(urlsplit(url).path).suffix:
        return url
    reaches_back = present.first is not None and present.first <= windows.months_before(today, HISTORY_MONTHS - 1)
    is_recent = present.last is not None and present.last >= today - timedelta(days=_RECENT_DAYS)
    return f"{url.rstrip('/')}/{_RECENT if reaches_back and is_recent else _ALL}"


def fetch(url: str) -> tuple[list[Rate], str]:
    """The rates of a file of the days that we need, and their source; RatesError when it does not come, or is none."""
    until, content, named = time.monotonic() + _WHOLE_S, bytearray(), _named(url)
    timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
    # A proxy is for the outside; what is near has no certificate.
    is_outside = urlsplit(url).scheme == "https"
    try:
        with (
            httpx.Client(timeout=timeout, follow_redirects=True, trust_env=is_outside) as client,
            client.stream("GET", url) as answer,
        ):
            if is_outside and any(hop.url.scheme != "https" for hop in (*answer.history, answer)):
                raise RatesError(f"{named} leads to an address without https")
            if answer.status_code != httpx.codes.OK:
                raise RatesError(f"{named} answered {answer.status_code}")
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > ecb.MOST_BYTES or time.monotonic() > until:
                    raise RatesError(f"{named} is larger or slower than any file of exchange rates")
            said = answer.headers.get(SOURCE_HEADER)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RatesError(f"{named} could not be read ({type(error).__name__})") from error
    return ecb.read(bytes(content), _first_needed()), f"sandbox: {said}" if said in ("facts", "invented") else ECB


def _named(url: str) -> str:
    """An address as people may see it: without a name and password of its own, and without a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def store(connection: Connection, found: list[Rate], source: str) -> int:
    """Take in what a source says of days up to today; how many rates were new or other ones."""
    now = clock.now()
    taken = [rate for rate in found if _first_needed() <= rate.day <= now.date()]
    stored = connection.execute(
        text(
            "select store_rates(cast(:days as date[]), cast(:currencies as text[]), cast(:rates as numeric[]),"
            " :source, :now)"
        ),
        {
            "days": [rate.day for rate in taken],
            "currencies": [rate.currency for rate in taken],
            "rates": [rate.per_eur for rate in taken],
            "source": source,
            "now": now,
        },
    )
    return int(stored.scalar_one())


def _first_needed() -> date:
    return windows.months_before(clock.now().date(), HISTORY_MONTHS)


def _conclude(connection: Connection, again_after: timedelta, error: str | None) -> None:
    values = {"now": clock.now(), "again": again_after, "error": error}
    connection.execute(text("select rates_loaded(:now, :again, :error)"), values)
