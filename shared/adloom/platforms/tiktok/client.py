"""Calls to the Marketing API: signed, limited in time, tried again, and silent about token and secret.

https://business-api.tiktok.com/portal/docs?id=1739584855420929
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from adloom import logs
from adloom.errors import (
    AccountInaccessible,
    ConnectionBroken,
    PlatformError,
    PlatformProtocolError,
    PlatformThrottled,
    PlatformTransient,
)
from adloom.platforms.retry import Attempts, Deadline, OutOfTimeError, RetryPolicy
from adloom.platforms.tiktok import errors
from adloom.platforms.tiktok.errors import Head

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 30.0
VERSION = "v1.3"
# A quota of a second is there again after one; a second refusal is about a minute's or a day's.
WAIT_AFTER_BURST_S = 2.0
# Faults that may be ours as well as theirs.
BRIEF_TRIES = 3
HTTP_OK = 200
# Set when a report was made of the newest ads only; the envelope says that all is well.
TRUNCATED_HEADER = "X-Tt-Ads-Throttle"
# The path that tells whether a token works at all.
ADVERTISERS = "oauth2/advertiser/get/"

log = logs.get(__name__)
T = TypeVar("T")


class Envelope(msgspec.Struct, Generic[T]):
    """What every endpoint answers."""

    code: int
    data: T
    message: str = ""
    request_id: str = ""


class _AnyData(msgspec.Struct):
    """Any JSON object."""


_head_decoder = msgspec.json.Decoder(Head)
_any_decoder = msgspec.json.Decoder(Envelope[_AnyData])


@dataclass(frozen=True)
class App:
    """Our app at TikTok, and where the API is."""

    id: str
    secret: str = field(repr=False)
    url: str
    version: str = VERSION


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A good answer. `is_truncated`: it is not all that there is."""

    data: T
    request_id: str
    is_truncated: bool


@dataclass(frozen=True)
class _Received:
    status: int
    body: bytes
    is_truncated: bool


class TikTokClient:
    """One token's calls. Not for several threads at once.

    Raises the PlatformError tree; no error's text has the token, the secret or the address. `requests` counts calls,
    retries included. Calls and waits end with the deadline. `admit` is asked before each call and may raise: it is
    where a budget that many processes share is kept.
    """

    def __init__(
        self,
        app: App,
        token: str,
        *,
        deadline: Deadline,
        timeout_s: float = TIMEOUT_S,
        retry: RetryPolicy | None = None,
        admit: Callable[[], None] = lambda: None,
    ) -> None:
        import httpx

        self._app = app
        self._http = httpx.Client(
            base_url=f"{app.url.rstrip('/')}/open_api/{app.version}/",
            headers={"Access-Token": token} if token else {},
            follow_redirects=False,
            verify=_tls(),
        )
        self._files = httpx.Client(follow_redirects=False, verify=_tls())
        self.api_version = app.version
        self.deadline = deadline
        self.requests = 0
        self._timeout_s = timeout_s
        self._retry = retry or RetryPolicy()
        self._admit = admit

    def get(self, path: str, params: Mapping[str, object], decoder: msgspec.json.Decoder[Envelope[T]]) -> Answer[T]:
        """Read; lists and objects among the parameters travel as JSON text."""
        return self._call("GET", path, params, decoder)

    def post(self, path: str, body: Mapping[str, object], decoder: msgspec.json.Decoder[Envelope[T]]) -> Answer[T]:
        """Ask for something that may be asked for twice without harm, such as a report."""
        return self._call("POST", path, body, decoder)

    def download(self, url: str) -> bytes:
        """A file that TikTok has made ready. The token does not go there: the address itself lets in, and it may be
        on another host.
        """
        attempts = Attempts(self._retry, self.deadline)
        while True:
            try:
                received = self._receive(self._files.build_request("GET", url))
                if received.status == HTTP_OK:
                    return received.body
                raise errors.http_fault(received.status)
            except OutOfTimeError:
                attempts.out_of_time()
            except (PlatformTransient, PlatformProtocolError) as error:
                attempts.again(error)

    def credentials(self) -> dict[str, object]:
        """The app's own, which some endpoints want beside the token."""
        return {"app_id": self._app.id, "secret": self._app.secret}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._files.close()

    def _call(
        self, method: str, path: str, params: Mapping[str, object], decoder: msgspec.json.Decoder[Envelope[T]]
    ) -> Answer[T]:
        attempts = Attempts(self._retry, self.deadline)
        bursts = 0
        while True:
            try:
                self._admit()
                return self._once(method, path, params, decoder)
            except OutOfTimeError:
                attempts.out_of_time()
            except PlatformThrottled as error:
                attempts.fault, bursts = error, bursts + 1
                if bursts > 1 or not _is_burst(error) or not self.deadline.sleep(WAIT_AFTER_BURST_S):
                    raise error from None
            except (PlatformTransient, PlatformProtocolError) as error:
                attempts.again(error, tries=self._tries(error))

    def _tries(self, error: PlatformError) -> int:
        is_brief = error.platform_code.isdigit() and Head(int(error.platform_code)).is_passing_briefly
        return min(BRIEF_TRIES, self._retry.tries) if is_brief else self._retry.tries

    def _once(
        self, method: str, path: str, params: Mapping[str, object], decoder: msgspec.json.Decoder[Envelope[T]]
    ) -> Answer[T]:
        received = self._send(method, path, params)
        try:
            envelope = decoder.decode(received.body)
        except msgspec.MsgspecError as fault:
            raise self._explain(received, path, str(fault)) from None
        if envelope.code == errors.PARTIAL:
            log.warning("tiktok_partial_success", path=path, said=envelope.message, request_id=envelope.request_id)
        elif envelope.code != errors.OK or received.status >= errors.SERVER_FAULT:
            raise self._explain(received, path, "")
        return Answer(envelope.data, envelope.request_id, received.is_truncated)

    def _explain(self, received: _Received, path: str, fault: str) -> PlatformError:
        """Why an answer is no good: TikTok's own code, or a body that is not what TikTok documents."""
        try:
            head = _head_decoder.decode(received.body)
        except msgspec.MsgspecError:
            return errors.http_fault(received.status)
        if head.code in {errors.OK, errors.PARTIAL} and received.status < errors.SERVER_FAULT:
            said = f"TikTok's answer is not what it documents: {fault} (request {head.request_id[:64] or '?'})"
            return PlatformProtocolError(said, platform_code="shape")
        known = errors.classify(head, received.status)
        if head.leaves_token_in_doubt and path != ADVERTISERS and self._token_works():
            return AccountInaccessible(known.detail, platform_code=head.platform_code)
        return known

    def _token_works(self) -> bool:
        """Whether TikTok still knows the token."""
        try:
            self._call("GET", ADVERTISERS, self.credentials(), _any_decoder)
        except ConnectionBroken:
            return False
        return True

    def _send(self, method: str, path: str, params: Mapping[str, object]) -> _Received:
        if method != "GET":
            return self._receive(self._http.build_request(method, path, json=dict(params)))
        # httpx would look at each character of a query that is in order already.
        query = urlencode(_encoded(params)).encode()
        request = self._http.build_request(method, path)
        request.extensions["target"] = request.url.raw_path + b"?" + query
        return self._receive(request)

    def _receive(self, request: httpx.Request) -> _Received:
        import httpx

        timeout = min(self._timeout_s, self.deadline.left_s())
        if timeout <= 0:
            raise OutOfTimeError
        self.requests += 1
        until = time.monotonic() + timeout
        request.extensions["timeout"] = httpx.Timeout(timeout).as_dict()
        try:
            response = self._http.send(request, stream=True)
            try:
                body = _read(response, until)
            finally:
                response.close()
        except (httpx.HTTPError, httpx.StreamError) as fault:
            if timeout < self._timeout_s and isinstance(fault, httpx.TimeoutException):
                raise OutOfTimeError from None
            raise errors.network_fault(type(fault).__name__) from None
        return _Received(response.status_code, body, TRUNCATED_HEADER in response.headers)


@cache
def _tls() -> ssl.SSLContext:
    """What every connection trusts; reading the certificates anew for each client would take longer than a call."""
    import httpx

    return httpx.create_ssl_context()


def _read(response: httpx.Response, until: float) -> bytes:
    """The whole body; a server that drips is given up at the time limit, not after its last drop."""
    import httpx

    parts: list[bytes] = []
    for part in response.iter_bytes():
        parts.append(part)
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the body does not end")
    return b"".join(parts)


def _encoded(params: Mapping[str, object]) -> dict[str, str]:
    """Text as it is, everything else as JSON."""
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in params.items()
        if value is not None
    }


def _is_burst(error: PlatformError) -> bool:
    return error.platform_code.isdigit() and int(error.platform_code) in errors.BURSTS
