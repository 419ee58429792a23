"""Calls to a provider: bounded in time and in size, by https, and never led on to another address.

A provider is somebody else's machine. It may be slow, dead or broken, and none of that may hold up this one.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from adloom.sso.errors import ProviderSilent
from adloom.sso.provider import Provider

# A connection, and each wait for some bytes.
_CONNECT_S, _READ_S = 3.0, 4.0
# All calls of one log-in together: below what the dashboard waits for us.
WHOLE_S = 9.0
# Documents of real providers have some kilobytes; Entra's keys, the longest, thirty.
MOST_BYTES = 256 * 1024
# So many wait for providers at once, in each process. More are told to try again: the others need their threads.
_AT_ONCE = 4
_OK = 200
# RFC 6749 5.1 and 5.2; some say 403.
_ANSWERS = frozenset({_OK, 400, 401, 403})

_places = threading.BoundedSemaphore(_AT_ONCE)


class Hurry:
    """The time that is left for all calls of one log-in."""

    def __init__(self) -> None:
        self._end = time.monotonic() + WHOLE_S

    @property
    def left(self) -> float:
        return self._end - time.monotonic()


def get(provider: Provider, url: str, hurry: Hurry) -> dict[str, Any]:
    """The JSON object at an address of the provider; ProviderSilent for anything else."""
    status, answer = _call(provider, hurry, "GET", url)
    if status != _OK:
        raise ProviderSilent(provider.name, f"{url} answered {status}")
    return answer


def post(
    provider: Provider, hurry: Hurry, url: str, headers: Mapping[str, str], body: str
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of the answer to a form: a yes or a no. ProviderSilent where it is neither."""
    form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    status, answer = _call(provider, hurry, "POST", url, headers=form, content=body)
    if status not in _ANSWERS:
        raise ProviderSilent(provider.name, f"{url} answered {status}")
    return status, answer


def _call(provider: Provider, hurry: Hurry, method: str, url: str, **more: Any) -> tuple[int, dict[str, Any]]:
    if not provider.may_call(url):
        raise ProviderSilent(provider.name, "an address of it is not https")
    with _place(provider, hurry):
        try:
            status, text = _exchange(hurry, httpx.Request(method, url, **more))
            answer = json.loads(text)
        except (httpx.HTTPError, httpx.InvalidURL, OverflowError) as error:
            raise ProviderSilent(provider.name, f"{method} {url}: {type(error).__name__}") from error
        except (ValueError, RecursionError) as error:
            raise ProviderSilent(provider.name, f"{method} {url} answered no JSON") from error
    if not isinstance(answer, dict):
        raise ProviderSilent(provider.name, f"{method} {url} answered no JSON object")
    return status, answer


@contextmanager
def _place(provider: Provider, hurry: Hurry) -> Iterator[None]:
    if not _places.acquire(timeout=max(0.0, min(1.0, hurry.left))):
        raise ProviderSilent(provider.name, "too many wait for it already")
    try:
        yield
    finally:
        _places.release()


def _exchange(hurry: Hurry, request: httpx.Request) -> tuple[int, bytes]:
    """An error of httpx when all of it took too long, OverflowError when it is too much."""
    wait = httpx.Timeout(max(0.1, min(_READ_S, hurry.left)), connect=max(0.1, min(_CONNECT_S, hurry.left)))
    # Nothing is unpacked here: what is small on the way may be large then.
    request.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
    text = bytearray()
    with httpx.Client(timeout=wait, follow_redirects=False) as client, _ending(hurry) as trace:
        request.extensions |= {"timeout": wait.as_dict(), "trace": trace}
        response = client.send(request, stream=True)
        try:
            for piece in response.iter_raw(8192):
                text += piece
                if len(text) > MOST_BYTES:
                    raise OverflowError
        finally:
            response.close()
    return response.status_code, bytes(text)


@contextmanager
def _ending(hurry: Hurry) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """Shut the connection when the time is over: a server that sends a byte now and then would keep it for ever, as
    the other time-outs begin anew with each. Yields what httpx tells of its connections.
    """
    sockets: list[socket.socket] = []

    def hear(event: str, told: dict[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            sockets.append(told["return_value"].get_extra_info("socket"))

    def shut() -> None:
        with suppress(OSError):  # it is shut already
            sockets[-1].shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, hurry.left), lambda: shut() if sockets else None)
    timer.daemon = True
    timer.start()
    try:
        yield hear
    finally:
        timer.cancel()
