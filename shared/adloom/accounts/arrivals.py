"""From where a person comes: the browser in words, and the place of its address when there is a GeoIP file."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import request

from adloom import logs
from adloom.accounts.settings import Auth
from adloom.identity.sessions import Arrival

if TYPE_CHECKING:
    from geoip2.database import Reader

# Longer than any browser's, and a bound for the patterns that read it.
_LONGEST_AGENT = 400
_LONGEST_NAME = 200
_UNKNOWN = "Unknown device"

_opening = threading.Lock()

log = logs.get(__name__)


def of_request(app: Auth) -> Arrival:
    """The arrival of the request at hand."""
    address = app.client_address()
    agent = request.headers.get("User-Agent", "")
    return Arrival(address=address, device=device_name(agent), place=place(app.settings().geoip_file, address))


def device_name(agent: str) -> str:
    """`Firefox on Windows` of a browser's User-Agent; what names itself otherwise keeps its name's first word."""
    from ua_parser import parse  # its patterns take a third of a second, which only a log-in needs

    found = parse(agent[:_LONGEST_AGENT])
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    if browser and system:
        return f"{browser} on {system}"[:_LONGEST_NAME]
    return (browser or system or _UNKNOWN)[:_LONGEST_NAME]


def place(file: Path | None, address: str) -> str:
    """`Berlin, Germany`; empty without a file, and for an address that it does not know."""
    if file is None:
        return ""
    from geoip2.errors import AddressNotFoundError
    from maxminddb import InvalidDatabaseError

    try:
        with _opening:
            reader = _reader(file)
        found = reader.city(address)
    except (AddressNotFoundError, ValueError):
        return ""
    except (OSError, InvalidDatabaseError) as error:
        # A log-in does not fail because its place is unknown.
        log.warning("geoip_unreadable", error=type(error).__name__)
        return ""
    return ", ".join(name for name in (found.city.name, found.country.name) if name)[:_LONGEST_NAME]


@cache
def _reader(file: Path) -> Reader:
    from geoip2.database import Reader

    return Reader(file)
