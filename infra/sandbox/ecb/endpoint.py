"""`/stats/eurofxref/`: the bank's files under its own names, out each working day at 16:00 of Frankfurt.

Without rates in the facts folder they are invented, and every answer says so: by its sender, and by a header.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from starlette.requests import Request
from starlette.routing import Route

from infra.sandbox import scripted
from infra.sandbox.ecb import formats, rates
from infra.sandbox.ecb.rates import Days
from infra.sandbox.faults import Script, Seen
from infra.sandbox.requestlog import RequestLog
from infra.sandbox.wire import Reply
from infra.sandbox.world import World

PATH = "stats/eurofxref"
SOURCE_HEADER = "X-Sandbox-Rates"
_RECENT_DAYS = 90
_EVER = date(1999, 1, 4)
# Of invented ones as many as anybody has numbers for: all of them would be a second's work.
_INVENTED_YEARS = 5
_XML, _ZIP = "text/xml", "application/zip"


class Endpoint:
    """The bank over the world's facts; `seed` decides what is invented."""

    def __init__(self, world: World, seed: int, *, script: Script, requests: RequestLog) -> None:
        self._world = world
        self._seed = seed
        self._script = script
        self._requests = requests

    def routes(self) -> list[Route]:
        return [Route(f"/{PATH}/{{file}}", self.serve, methods=["GET"])]

    async def serve(self, request: Request) -> Reply:
        """One file, unless the script says otherwise."""
        path = f"{PATH}/{request.path_params['file']}"
        entry = self._requests.open("GET", path, {})
        fault = self._script.take(Seen(path, "GET"))
        return await scripted.answer(fault, entry, lambda: self._file(request.path_params["file"]))

    async def _file(self, name: str) -> Reply:
        if name not in _FILES:
            return Reply(404, b"<html><body>Page not found</body></html>", content_type="text/html")
        content_type, write = _FILES[name]
        until = rates.published(await self._world.catch_up())
        given = self._world.folder.rates
        if given:
            days, source, sender = rates.given(given, until), "facts", "Sandbox (rates of the facts folder)"
        else:
            since = max(_EVER, date(until.year - _INVENTED_YEARS, 1, 1))
            days, source, sender = rates.invented(self._seed, since, until), "invented", "Sandbox (invented rates)"
        return Reply(200, write(days, sender), {SOURCE_HEADER: source}, content_type)


def _daily(days: Days, sender: str) -> bytes:
    return formats.xml(dict(list(days.items())[:1]), sender)


def _recent(days: Days, sender: str) -> bytes:
    return formats.xml(rates.newest(days, _RECENT_DAYS), sender)


_FILES: dict[str, tuple[str, Callable[[Days, str], bytes]]] = {
    "eurofxref-daily.xml": (_XML, _daily),
    "eurofxref-hist-90d.xml": (_XML, _recent),
    "eurofxref-hist.xml": (_XML, formats.xml),
    "eurofxref.zip": (_ZIP, lambda days, _: formats.daily_zip(days)),
    "eurofxref-hist.zip": (_ZIP, lambda days, _: formats.history_zip(days)),
}
