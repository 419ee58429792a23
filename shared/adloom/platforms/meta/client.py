"""Calls to the Graph API through the official SDK's session, which signs them.

The SDK's own `call` decodes a body twice with the slow parser, judges success by the body alone, and has neither a
time limit nor retries; its cursors lose rows after an empty page. So its session sends, and we read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from adloom.errors import AccountInaccessible, ConnectionBroken, PlatformError, PlatformProtocolError, PlatformTransient
from adloom.platforms.meta import errors, usage
from adloom.platforms.meta.usage import Usage
from adloom.platforms.quota import Load
from adloom.platforms.retry import Attempts, Deadline, OutOfTimeError, RetryPolicy

TIMEOUT_S = 30.0
_CHUNK_BYTES = 1 << 20
_HTTP_OK = range(200, 300)

T = TypeVar("T")


class _WithError(msgspec.Struct):
    error: errors.GraphError


class _AnyObject(msgspec.Struct):
    """Any JSON object."""


class _Person(msgspec.Struct):
    id: str


_error_decoder = msgspec.json.Decoder(_WithError)
_object_decoder = msgspec.json.Decoder(_AnyObject)
_person_decoder = msgspec.json.Decoder(_Person)


@dataclass(frozen=True)
class App:
    """Our app at Meta, and where the Graph API is."""

    id: str
    secret: str
    graph_url: str


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    usage: Usage


class GraphClient:
    """One token's calls. Not for several threads at once.

    Raises the PlatformError tree; no error's text has the token or the address. `requests` counts calls, retries
    included. Calls and waits end with the deadline. `admit` is asked before each call and may raise, `heard` is
    told what the headers of an answer say: between them they keep a budget that many processes share.
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
        heard: Callable[[Load], None] = lambda _load: None,
    ) -> None:
        from facebook_business.api import FacebookAdsApi
        from facebook_business.session import FacebookSession

        # Never FacebookAdsApi.init(): it would make this token the whole process's default.
        self._session = FacebookSession(app.id, app.secret, token, timeout=timeout_s)
        self._session.GRAPH = app.graph_url
        self._headers = dict(FacebookAdsApi.HTTP_DEFAULT_HEADERS)
        self.api_version: str = FacebookAdsApi.API_VERSION
        self.deadline = deadline
        self.requests = 0
        self._timeout_s = timeout_s
        self._retry = retry or RetryPolicy()
        self._admit = admit
        self._heard = heard
        self._usage = Usage()

    def get(self, path: str, params: Mapping[str, object], decoder: msgspec.json.Decoder[T]) -> T:
        """Read an edge or a node into the decoder's type; PlatformProtocolError when it does not fit."""
        return self._call("GET", path, params, decoder)

    def post(self, path: str, params: Mapping[str, object], decoder: msgspec.json.Decoder[T]) -> T:
        """Create something that may be created twice without harm, such as a report."""
        return self._call("POST", path, params, decoder)

    def close(self) -> None:
        """Close the connections."""
        self._session.requests.close()

    def _call(self, method: str, path: str, params: Mapping[str, object], decoder: msgspec.json.Decoder[T]) -> T:
        attempts = Attempts(self._retry, self.deadline)
        while True:
            try:
                self._pace()
                return self._once(method, path, params, decoder)
            except OutOfTimeError:
                attempts.out_of_time()
            except (PlatformTransient, PlatformProtocolError) as error:
                attempts.again(error)

    def _once(self, method: str, path: str, params: Mapping[str, object], decoder: msgspec.json.Decoder[T]) -> T:
        answer = self._send(method, path, params)
        self._usage = answer.usage
        for load in answer.usage.loads:
            self._heard(load)
        try:
            if answer.status in _HTTP_OK:
                return decoder.decode(answer.body)
        except msgspec.MsgspecError as fault:
            raise self._explain(answer, path, str(fault)) from None
        raise self._explain(answer, path, "")

    def _explain(self, answer: _Answer, path: str, fault: str) -> PlatformError:
        """Why an answer is no good: Meta's own error, or a body that is not what Meta documents."""
        try:
            said = _error_decoder.decode(answer.body).error
        except msgspec.MsgspecError:
            return self._undocumented(answer, fault)
        known = errors.classify(said, answer.status, answer.usage)
        if said.leaves_token_in_doubt and path != "me" and self._token_works():
            return AccountInaccessible(known.detail, platform_code=said.platform_code)
        return known

    def _undocumented(self, answer: _Answer, fault: str) -> PlatformError:
        try:
            _object_decoder.decode(answer.body)
        except msgspec.MsgspecError:
            return errors.http_fault(answer.status, answer.usage)
        return PlatformProtocolError(f"Meta's answer is not what it documents: {fault}", platform_code="shape")

    def _token_works(self) -> bool:
        """Whether Meta still knows the person behind the token."""
        try:
            self._call("GET", "me", {"fields": "id"}, _person_decoder)
        except ConnectionBroken:
            return False
        return True

    def _pace(self) -> None:
        """Slow down before a quota is used up, and stay away from one that is."""
        if self._usage.regain_s > 0:
            raise errors.quota_is_closed(self._usage)
        pause = self._usage.pause_s
        if pause > 0 and not self.deadline.sleep(pause):
            raise OutOfTimeError

    def _send(self, method: str, path: str, params: Mapping[str, object]) -> _Answer:
        import requests

        self._admit()
        timeout = min(self._timeout_s, self.deadline.left_s())
        if timeout <= 0:
            raise OutOfTimeError
        self.requests += 1
        where = "data" if method == "POST" else "params"
        until = time.monotonic() + timeout
        try:
            with self._session.requests.request(
                method,
                f"{self._session.GRAPH}/{self.api_version}/{path}",
                headers=self._headers,
                timeout=timeout,
                stream=True,
                allow_redirects=False,
                **{where: _encoded(params)},
            ) as response:
                body = _read(response, until)
                return _Answer(response.status_code, body, usage.read(response.headers))
        except requests.RequestException as fault:
            if timeout < self._timeout_s and isinstance(fault, requests.Timeout):
                raise OutOfTimeError from None
            raise errors.network_fault(type(fault).__name__) from None


def _read(response: Any, until: float) -> bytes:
    """The whole body; a server that drips is given up at the time limit, not after its last drop."""
    import requests
    from urllib3.exceptions import HTTPError

    parts: list[bytes] = []
    try:
        while part := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            parts.append(part)
            if time.monotonic() > until:
                raise requests.ReadTimeout
    except HTTPError as fault:
        raise requests.ConnectionError(type(fault).__name__) from None
    return b"".join(parts)


def _encoded(params: Mapping[str, object]) -> dict[str, str]:
    """Parameters as the SDK writes them: lists, objects and booleans in compact JSON with sorted keys."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
        for name, value in params.items()
    }
