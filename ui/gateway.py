"""Functions, called over HTTP: the only way in which the dashboard changes anything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from adloom import gateway, logs
from adloom.errors import Unavailable
from adloom.logs import REQUEST_ID_HEADER, new_request_id

log = logs.get(__name__)

# Longer than a function's slowest answer under load, shorter than a person's patience.
TIMEOUT_S = 15.0
# As long as a request may run, and a little more.
DOWNLOAD_S = 70.0
# A function is away for a second or two while it is deployed, and its places are taken for no longer.
AWAY_S = 5.0


@dataclass(frozen=True)
class Caller:
    """For whom a function is called: the session's token, the way the request came, its id; what the browser says it
    is, its token at `auth` and what binds log-ins at platforms to it.
    """

    token: str | None = None
    forwarded_for: str = ""
    request_id: str = field(default_factory=new_request_id)
    user_agent: str = ""
    device: str | None = None
    browser: str | None = None

    def headers(self) -> dict[str, str]:
        headers = {REQUEST_ID_HEADER: self.request_id}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.forwarded_for:
            headers["X-Forwarded-For"] = self.forwarded_for
        if self.user_agent:
            headers["User-Agent"] = self.user_agent
        return headers


@dataclass(frozen=True)
class Answer:
    """A function's answer. `code` is the problem document's stable code, empty on success."""

    status: int
    body: dict[str, Any]
    retry_after: int | None = None

    @property
    def ok(self) -> bool:
        return self.status < httpx.codes.BAD_REQUEST

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))

    @property
    def detail(self) -> str:
        return str(self.body.get("detail", ""))


class Gateway:
    """Calls `<gateway>/function/<name><path>`. Unavailable when nobody answers in time or with anything but JSON."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url.rstrip("/"), timeout=TIMEOUT_S, follow_redirects=False)

    async def call(
        self, method: str, function: str, path: str, caller: Caller, body: dict[str, Any] | None = None
    ) -> Answer:
        """For a moment that a person waits a reading call is made again while its function is away, and any call while
        all places of its function are taken: it has not begun with it then.
        """
        began, reads = time.monotonic(), method == "GET"
        for pause in gateway.pauses():
            is_over = time.monotonic() - began + pause > AWAY_S
            try:
                response = await self._client.request(
                    method, f"/function/{function}{path}", headers=caller.headers(), json=body
                )
            except httpx.HTTPError as error:
                if is_over or not reads or isinstance(error, httpx.ConnectError):
                    log.warning("function_unreachable", function=function, path=path, error=type(error).__name__)
                    raise Unavailable(f"The function {function} does not answer") from error
            else:
                may_come = _is_busy(response) or (reads and gateway.is_away(response))
                if is_over or not may_come:
                    return _answer(response, function)
            await asyncio.sleep(pause)
        raise AssertionError  # the pauses never end

    @asynccontextmanager
    async def download(self, function: str, path: str, caller: Caller) -> AsyncIterator[httpx.Response]:
        """A file that a function streams. Unavailable when it does not begin to."""
        address = f"/function/{function}{path}"
        request = self._client.build_request("GET", address, headers=caller.headers(), timeout=DOWNLOAD_S)
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            short = path.partition("?")[0]
            log.warning("function_unreachable", function=function, path=short, error=type(error).__name__)
            raise Unavailable(f"The function {function} does not answer") from error
        try:
            yield response
        finally:
            await response.aclose()

    async def close(self) -> None:
        await self._client.aclose()


def _is_busy(response: httpx.Response) -> bool:
    """Whether the function took no more requests at that moment; a limit that is used up is another matter."""
    if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return False
    written_by_a_function = response.headers.get("Content-Type", "").startswith(gateway.PROBLEM_TYPE)
    return written_by_a_function and _answer(response, "").code == "busy"


def _answer(response: httpx.Response, function: str) -> Answer:
    if gateway.is_away(response):
        raise Unavailable(f"The function {function} is not there ({response.status_code})")
    retry_after = response.headers.get("Retry-After", "")
    seconds = int(retry_after) if retry_after.isdigit() else None
    if not response.content:
        return Answer(response.status_code, {}, seconds)
    try:
        body = response.json()
    except ValueError as error:
        raise Unavailable(f"The function {function} is not there ({response.status_code})") from error
    return Answer(response.status_code, body if isinstance(body, dict) else {"items": body}, seconds)
