"""The request log: what was asked, without any token, so that tests and people can see it."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Mapping

import msgspec

# Enough for a long acceptance run; older requests fall out.
_KEPT = 200_000
_LONGEST_VALUE = 4000
SECRET_PARAMETERS = frozenset(
    {
        "access_token",
        "appsecret_proof",
        "client_secret",
        "code",
        "code_verifier",
        "fb_exchange_token",
        "input_token",
        "revoke_token",
        "signed_request",
    }
)
_SECRET_IN_URL = re.compile(r"\b(" + "|".join(sorted(SECRET_PARAMETERS)) + r")=[^&\"\\]*")


class Request(msgspec.Struct):
    """One request. `at` is a real monotonic instant in seconds; `fault` the kind of the fault it met."""

    seq: int
    at: float
    method: str
    path: str
    params: dict[str, str]
    status: int | None = None
    fault: str | None = None
    batch: int | None = None


class RequestLog:
    """Requests in the order they came; `seq` goes on over a clearing."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque(maxlen=_KEPT)
        self._seq = 0

    def open(self, method: str, path: str, params: Mapping[str, str], batch: int | None = None) -> Request:
        """Enter a request before it is answered; the status is filled in later."""
        self._seq += 1
        request = Request(self._seq, time.monotonic(), method, path, without_secrets(params), batch=batch)
        self._requests.append(request)
        return request

    def after(self, seq: int) -> list[Request]:
        """The requests with a higher number."""
        return [request for request in self._requests if request.seq > seq]

    def clear(self) -> None:
        """Forget all of them."""
        self._requests.clear()


def without_secrets(params: Mapping[str, str]) -> dict[str, str]:
    """Parameters with every secret left out, also inside the URLs of a batch."""
    return {
        name: _SECRET_IN_URL.sub(r"\1=", value)[:_LONGEST_VALUE]
        for name, value in params.items()
        if name not in SECRET_PARAMETERS
    }
