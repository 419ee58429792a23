"""Events at POST /events."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from adloom import logs
from adloom.errors import NotFound, Unavailable
from adloom.events import SIGNATURE_HEADER, AccountsConnected, Event, MetricsSynced, SyncMetaRequested, envelope, sign
from adloom.settings import CoreSettings
from adloom.web import Delivery, create_function
from adloom.web.delivery import ATTEMPT_HEADER
from tests.unit.web.probe import EVENT_SECRET, probe, settings

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

ORG = uuid4()
EVENT_ID = uuid4()
REQUESTED = SyncMetaRequested(org_id=ORG, account_id=7, reason="tick")


class Receiver:
    """A function that handles two subjects and remembers what it heard."""

    def __init__(self) -> None:
        self.app = probe()
        self.heard: list[tuple[Event, Delivery, str]] = []
        self.error: Exception | None = None

        @self.app.on_event(SyncMetaRequested)
        def requested(event: SyncMetaRequested, delivery: Delivery) -> None:
            self._hear(event, delivery)

        @self.app.on_event(AccountsConnected)
        def connected(event: AccountsConnected, delivery: Delivery) -> None:
            self._hear(event, delivery)

    def _hear(self, event: Event, delivery: Delivery) -> None:
        if self.error is not None:
            raise self.error
        self.heard.append((event, delivery, logs.request_id.get()))

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def wire(event: Event, **changes: Any) -> bytes:
    return json.dumps(envelope(event, EVENT_ID, datetime.now(UTC), "the-first-request") | changes).encode()


def send(
    receiver: Receiver,
    body: bytes,
    *,
    secret: str = EVENT_SECRET,
    at: float | None = None,
    attempt: str | None = None,
) -> TestResponse:
    headers = {} if attempt is None else {ATTEMPT_HEADER: attempt}
    signature = sign(body, secret, int(time.time() if at is None else at))
    return receiver.client.post("/events", data=body, headers={SIGNATURE_HEADER: signature, **headers})


def test_a_signed_event_reaches_its_handler(receiver: Receiver) -> None:
    answer = send(receiver, wire(REQUESTED), attempt="3")

    assert (answer.status_code, answer.get_json()) == (202, {})
    [(event, delivery, _)] = receiver.heard
    assert event == REQUESTED
    assert delivery == Delivery(EVENT_ID, 3)


def test_each_subject_has_its_handler(receiver: Receiver) -> None:
    connected = AccountsConnected(org_id=ORG, account_id=None, connection_id=uuid4(), platform="meta")

    send(receiver, wire(connected))

    assert receiver.heard[0][0] == connected


def test_the_request_that_caused_the_event_goes_on_in_the_logs(receiver: Receiver) -> None:
    answer = send(receiver, wire(REQUESTED))

    assert receiver.heard[0][2] == "the-first-request"
    assert answer.headers["X-Request-Id"] == "the-first-request"


@pytest.mark.parametrize(
    ("attempt", "read"), [(None, 1), ("1", 1), ("12", 12), ("many", 1), ("-1", 1), ("²", 1), ("9" * 5000, 1)]
)
def test_an_attempt_that_is_no_number_is_the_first(receiver: Receiver, attempt: str | None, read: int) -> None:
    send(receiver, wire(REQUESTED), attempt=attempt)

    assert receiver.heard[0][1].attempt == read


def test_an_unsigned_event_is_not_read(receiver: Receiver) -> None:
    answer = receiver.client.post("/events", data=wire(REQUESTED))

    assert (answer.status_code, answer.get_json()["code"]) == (401, "signature_missing")
    assert receiver.heard == []


@pytest.mark.parametrize(("seconds", "status"), [(-290, 202), (290, 202), (-310, 401), (310, 401)])
def test_a_signature_is_good_for_five_minutes_of_real_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, seconds: int, status: int
) -> None:
    monkeypatch.setenv("ADLOOM_CLOCK", "2001-01-01T00:00:00+00:00")

    assert send(receiver, wire(REQUESTED), at=time.time() + seconds).status_code == status


def test_anothers_secret_and_a_changed_body_are_refused(receiver: Receiver) -> None:
    body = wire(REQUESTED)
    signature = sign(body, EVENT_SECRET, int(time.time()))

    assert send(receiver, body, secret="another").get_json()["code"] == "signature_wrong"
    changed = receiver.client.post("/events", data=body + b" ", headers={SIGNATURE_HEADER: signature})
    assert changed.status_code == 401
    assert receiver.heard == []


@pytest.mark.parametrize(
    "body",
    [
        wire(MetricsSynced(
            org_id=ORG, account_id=7, platform="meta", run_id=1, since="2026-03-01", until="2026-03-02", rows_changed=3,
        )),  # of the catalogue, but not of this function
        wire(REQUESTED, type="adloom.nothing.happened.v1"),
        wire(REQUESTED, type="adloom.sync_meta.requested.v9"),
        wire(REQUESTED, data={"org_id": str(ORG)}),
        wire(REQUESTED, specversion="0.3"),
        b"{}",
        b"not json",
    ],
)  # fmt: skip
def test_what_no_handler_understands_is_not_worth_a_retry(receiver: Receiver, body: bytes) -> None:
    answer = send(receiver, body)

    assert answer.status_code == 422
    assert answer.get_json()["retryable"] is False


def test_a_passing_fault_asks_for_a_retry(receiver: Receiver) -> None:
    receiver.error = Unavailable("The database does not answer", retry_after=7)

    answer = send(receiver, wire(REQUESTED))

    assert (answer.status_code, answer.get_json()["retryable"]) == (503, True)
    assert answer.headers["Retry-After"] == "7"


def test_a_lasting_one_does_not(receiver: Receiver) -> None:
    receiver.error = NotFound("This account is gone")

    answer = send(receiver, wire(REQUESTED))

    assert (answer.status_code, answer.get_json()["retryable"]) == (404, False)


def test_a_function_without_handlers_has_no_such_route() -> None:
    assert probe().test_client().post("/events").status_code == 404


def test_without_a_secret_of_our_own_nothing_is_read() -> None:
    heard: list[UUID] = []
    app = create_function("careless", CoreSettings)
    app.use(CoreSettings(public_url=settings().public_url, gateway_url=settings().gateway_url))

    @app.on_event(SyncMetaRequested)
    def requested(event: SyncMetaRequested, _delivery: Delivery) -> None:
        heard.append(event.org_id)

    body = wire(REQUESTED)
    answer = app.test_client().post("/events", data=body, headers={SIGNATURE_HEADER: sign(body, "", int(time.time()))})

    assert answer.status_code == 500
    assert heard == []
