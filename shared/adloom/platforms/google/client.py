"""Calls to Google Ads: limited in time, tried again, never left half-read, and silent about tokens and secrets.

https://developers.google.com/google-ads/api/docs/client-libs/python
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from adloom import clock
from adloom.errors import PlatformError, PlatformProtocolError, PlatformTransient, TooMuchData
from adloom.platforms.google import errors
from adloom.platforms.google.failures import heard
from adloom.platforms.retry import Attempts, Deadline, OutOfTimeError, RetryPolicy

# The SDK's default moves with each of its releases; a version lives for about a year.
# https://developers.google.com/google-ads/api/docs/sunset-dates
VERSION = "v26"
ENDPOINT = "googleads.googleapis.com"
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
# The SDK itself knows no limit at all.
TIMEOUT_S = 60.0
TOKEN_TIMEOUT_S = 15.0
# A token that ends sooner is renewed before a call: within one, its end looks like a passing fault.
FRESH_FOR = timedelta(minutes=5)
# A stream that was cut by our own deadline is asked for in parts if it had at least so long.
LEAST_WINDOW_S = 10.0

Rows = Sequence[Any]


@dataclass(frozen=True)
class App:
    """Our OAuth client at Google, and where the API is. The developer token is optional: Google ignores it."""

    id: str
    secret: str = field(repr=False)
    endpoint: str = ENDPOINT
    token_url: str = TOKEN_URL
    developer_token: str = field(default="", repr=False)
    version: str = VERSION


@dataclass
class _Progress:
    """How far a stream has come: what tells one that is large from one that hangs."""

    timeout_s: float
    began: float = field(default_factory=time.monotonic)
    heard_at: float = field(default_factory=time.monotonic)
    rows: int = 0

    def took(self, rows: int) -> None:
        self.rows += rows
        self.heard_at = time.monotonic()

    @property
    def is_large(self) -> bool:
        """Whether rows were still coming when the time was up."""
        return self.rows > 0 and time.monotonic() - self.heard_at < self.timeout_s / 2


class GoogleClient:
    """One grant's calls. Not for several threads at once.

    Raises the PlatformError tree; no error's text has a token or a secret. `requests` counts calls, retries included:
    each is one operation of the quota, whatever its rows. Calls and waits end with the deadline. `admit` is asked
    before each call and may raise: it is where a budget that many processes share is kept.
    """

    def __init__(
        self,
        app: App,
        refresh_token: str,
        *,
        deadline: Deadline,
        timeout_s: float = TIMEOUT_S,
        retry: RetryPolicy | None = None,
        admit: Callable[[], None] = lambda: None,
    ) -> None:
        from google.auth.transport.requests import Request
        from google.oauth2.credentials import Credentials

        self._app = app
        # Built by hand: the SDK's own way ignores the address, and asks for a token at once.
        self._credentials = Credentials(  # type: ignore[no-untyped-call]
            None, refresh_token=refresh_token, client_id=app.id, client_secret=app.secret, token_uri=app.token_url
        )
        self._http = Request()
        # A service object owns its connection, and a stream ends with it: they are kept, by login-customer-id.
        self._services: dict[tuple[str, str], Any] = {}
        self.api_version = app.version
        self.deadline = deadline
        self.requests = 0
        self._timeout_s = timeout_s
        self._retry = retry or RetryPolicy()
        self._admit = admit

    def stream(self, customer_id: str, query: str, *, login: str) -> Iterator[Rows]:
        """Batches of up to 10,000 rows, as protobuf messages. A stream that breaks begins anew: rows may come twice."""
        yield from self._tried(lambda: self._streamed(customer_id, query, login))

    def accessible(self) -> list[str]:
        """The ids of the accounts to which the person was added."""
        return next(iter(self._tried(self._accessible)))

    def close(self) -> None:
        """Close the connections."""
        for service in self._services.values():
            service.transport.close()
        self._services.clear()

    # What is tried again

    def _tried(self, once: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        attempts = Attempts(self._retry, self.deadline)
        has_renewed = False
        while True:
            try:
                yield from once()
            except OutOfTimeError:
                attempts.out_of_time()
            except _StaleTokenError as stale:
                if has_renewed:
                    raise stale.meaning from None
                has_renewed = True
                self._credentials.token = None
            except (PlatformTransient, PlatformProtocolError) as error:
                attempts.again(error)
            else:
                return

    def _streamed(self, customer_id: str, query: str, login: str) -> Iterator[Rows]:
        service = self._ready("GoogleAdsService", login)
        progress = _Progress(self._left_s())
        stream = None
        try:
            stream = service.search_stream(customer_id=customer_id, query=query, timeout=progress.timeout_s)
            # A batch takes 60 MB: each is let go of before the next is read.
            while (batch := next(stream, None)) is not None:
                _forget_first(stream, type(batch)())
                rows = batch.results
                progress.took(len(rows))
                del batch
                yield rows
                del rows
        except _faults() as fault:
            raise self._explained(fault, progress) from None
        finally:
            # A stream that is dropped half-read locks the whole process sooner or later.
            if stream is not None:
                stream.cancel()

    def _accessible(self) -> Iterator[list[str]]:
        service = self._ready("CustomerService", "")
        progress = _Progress(self._left_s())
        try:
            names = service.list_accessible_customers(timeout=progress.timeout_s).resource_names
        except _faults() as fault:
            raise self._explained(fault, progress) from None
        yield [str(name).partition("/")[2] for name in names]

    def _explained(self, fault: Exception, progress: _Progress) -> Exception:
        """What a fault means; one that our own limit made is told apart from Google's."""
        said = heard(fault, self._app.version)
        if said.is_stale_token:
            return _StaleTokenError(errors.classify(said))
        if said.status != "DEADLINE_EXCEEDED" or said.code:
            return errors.classify(said)
        is_over = self.deadline.left_s() <= 0
        if progress.is_large and (not is_over or progress.timeout_s >= LEAST_WINDOW_S):
            told = f"The answer did not end within {progress.timeout_s:.0f} s; {progress.rows} rows had come"
            return TooMuchData(told, platform_code="deadline")
        return OutOfTimeError() if is_over else errors.classify(said)

    # What a call needs

    def _ready(self, name: str, login: str) -> Any:
        """The service, with a token that outlives the call."""
        self._admit()
        self._left_s()
        self._renew()
        self.requests += 1
        service = self._services.get((name, login))
        if service is None:
            service = self._services[name, login] = self._client(login).get_service(name)
        return service

    def _left_s(self) -> float:
        left = min(self._timeout_s, self.deadline.left_s())
        if left <= 0:
            raise OutOfTimeError
        return left

    def _client(self, login: str) -> Any:
        # Half a second of importing, paid by those alone who call Google.
        from google.ads.googleads.client import GoogleAdsClient

        # It writes a line for each fault, with the customer's number; ours say what is to be done.
        logging.getLogger("google.ads.googleads.client").setLevel(logging.CRITICAL)
        return GoogleAdsClient(
            self._credentials,
            developer_token=self._app.developer_token or None,
            login_customer_id=login or None,
            endpoint=self._app.endpoint,
            version=self._app.version,
            # Plain messages: a proto-plus object around each row takes ten times as long to read.
            use_proto_plus=False,
        )

    def _renew(self) -> None:
        """A fresh access token where the present one is about to end."""
        from google.auth.exceptions import RefreshError, TransportError

        expiry = self._credentials.expiry
        if self._credentials.token and expiry and expiry - clock.real_now().replace(tzinfo=None) > FRESH_FOR:
            return
        try:
            timed = partial(self._http, timeout=min(TOKEN_TIMEOUT_S, self._left_s()))
            self._credentials.refresh(timed)  # type: ignore[no-untyped-call]
        except RefreshError as fault:
            raise _refused(fault) from None
        except TransportError as fault:
            self._left_s()
            raise errors.network_fault(type(fault).__name__) from None


def _forget_first(stream: Any, empty: Any) -> None:
    """The SDK keeps the first batch for a line of its log until the stream ends; an empty one does as well."""
    wrapper = getattr(stream, "_wrapped", None)
    if wrapper is not None and hasattr(wrapper, "get_cache"):
        wrapper.get_cache().initial_response_object = empty


class _StaleTokenError(Exception):
    """The access token was not taken; `meaning` is what that is if a fresh one is not taken either."""

    def __init__(self, meaning: PlatformError) -> None:
        super().__init__()
        self.meaning = meaning


def _refused(fault: Any) -> PlatformError:
    """What the token endpoint's refusal means. Its answer is JSON, except where a proxy gave it."""
    answer = fault.args[1] if len(fault.args) > 1 else None
    if not isinstance(answer, dict) or "error" not in answer:
        if fault.retryable:
            return errors.network_fault("the token endpoint has a passing fault")
        return errors.unreadable("the token endpoint sent neither a token nor an error")
    said = str(answer.get("error_description", ""))
    return errors.token_refused(str(answer["error"]), said, is_passing=bool(fault.retryable))


def _faults() -> tuple[type[Exception], ...]:
    """The families of exceptions that a call can end with."""
    import grpc
    from google.ads.googleads.errors import GoogleAdsException
    from google.api_core.exceptions import GoogleAPIError

    return GoogleAdsException, GoogleAPIError, grpc.RpcError
