"""CloudEvents 1.0 in JSON: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from adloom.errors import ValidationFailed
from adloom.events.catalogue import CATALOGUE, Event

CONTENT_TYPE = "application/cloudevents+json"
_SOURCE = "/adloom"


class Envelope(BaseModel):
    """What is delivered. `type` is the subject with its version, `subject` the account or empty."""

    model_config = ConfigDict(extra="ignore")

    specversion: Literal["1.0"]
    id: UUID
    source: str
    type: str
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    subject: str = ""
    requestid: str = ""
    data: dict[str, Any]


def envelope(event: Event, event_id: UUID, time: datetime, request_id: str = "") -> dict[str, Any]:
    """The event as a CloudEvents dictionary of JSON values; `time` is business time, aware."""
    return {
        "specversion": "1.0",
        "id": str(event_id),
        "source": _SOURCE,
        "type": f"{event.subject}.v{event.version}",
        "time": time.isoformat(),
        "datacontenttype": "application/json",
        "subject": "" if event.account_id is None else str(event.account_id),
        "requestid": request_id,
        "data": event.model_dump(mode="json"),
    }


def parse(body: bytes) -> tuple[Envelope, Event]:
    """Read a delivered body; ValidationFailed when it is not one of the catalogue's events."""
    try:
        read = Envelope.model_validate_json(body)
    except ValidationError as error:
        raise ValidationFailed(f"The body is not a CloudEvents 1.0 event ({error.error_count()} faults)") from None
    subject, _, version = read.type.rpartition(".v")
    model = CATALOGUE.get(subject)
    if model is None or version != str(model.version):
        raise ValidationFailed(f"There is no event {read.type!r} in the catalogue")
    try:
        return read, model.model_validate(read.data)
    except ValidationError as error:
        raise ValidationFailed(f"The data of {read.type} is wrong ({error.error_count()} faults)") from None
