"""Events at `POST /events`: signed, in the catalogue, for a handler of this function."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request

from adloom import audit, logs
from adloom.errors import ConfigurationError, ValidationFailed
from adloom.events.catalogue import Event
from adloom.events.envelope import parse
from adloom.events.signature import SIGNATURE_HEADER, verify
from adloom.settings import EventSettings
from adloom.web.body import read
from adloom.web.models import Accepted
from adloom.web.public import EVENTS

if TYPE_CHECKING:
    from adloom.web.function import Function

ATTEMPT_HEADER = "X-Adloom-Attempt"
_ATTEMPT = re.compile(r"^[0-9]{1,9}$")

Handler = Callable[[Any, "Delivery"], None]


@dataclass(frozen=True)
class Delivery:
    """One delivery of an event. The same id comes again until it is accepted; `attempt` counts from 1."""

    id: UUID
    attempt: int


class Deliveries:
    """The handlers of one function by subject."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def add(self, app: Function[Any], model: type[Event], handler: Handler) -> None:
        """Handle a subject; the first one adds the route."""
        if not self._handlers:
            self._add_route(app)
        self._handlers[model.subject] = handler

    @property
    def subjects(self) -> list[str]:
        return sorted(self._handlers)

    def _add_route(self, app: Function[Any]) -> None:
        @app.public(EVENTS, summary="Deliver a signed event (CloudEvents 1.0)", status=202)
        def deliver() -> Accepted:
            """Fails closed: without a secret of our own or with a wrong signature nothing is read."""
            settings = app.settings()
            if not isinstance(settings, EventSettings):
                raise ConfigurationError(f"{app.name} has no event secret among its settings.")
            body = read(request)
            secret = settings.event_secret.get_secret_value()
            verify(request.headers.get(SIGNATURE_HEADER), body, secret, int(time.time()))
            self._handle(body)
            return Accepted()

    def _handle(self, body: bytes) -> None:
        envelope, event = parse(body)
        if envelope.requestid:
            # The request that caused the event goes on in the logs of its effects.
            logs.request_id.set(logs.accept_request_id(envelope.requestid))
        handler = self._handlers.get(event.subject)
        if handler is None:
            raise ValidationFailed(f"This function does not handle {event.subject}.")
        attempt = request.headers.get(ATTEMPT_HEADER, "1")
        audit.set_actor(audit.SYSTEM)  # whoever called only brought it
        handler(event, Delivery(envelope.id, int(attempt) if _ATTEMPT.match(attempt) else 1))
