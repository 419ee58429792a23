from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest

from adloom.errors import Unauthenticated, ValidationFailed
from adloom.events import CATALOGUE, ConnectionBroken, SyncMetaRequested, envelope, parse, sign, verify

ORG = uuid.uuid4()
EVENT = SyncMetaRequested(org_id=ORG, account_id=7, reason="tick")


def body(**changes: object) -> bytes:
    return json.dumps(envelope(EVENT, uuid.uuid4(), datetime(2026, 1, 1, tzinfo=UTC), "request-1") | changes).encode()


def test_an_event_survives_its_envelope():
    read, event = parse(body())
    assert event == EVENT
    assert (read.subject, read.requestid, read.type) == ("7", "request-1", "adloom.sync_meta.requested.v1")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "adloom.unknown.event.v1"},
        {"type": "adloom.sync_meta.requested.v2"},
        {"type": "adloom.sync_meta.requested"},
        {"specversion": "0.3"},
        {"data": {"org_id": str(ORG)}},
        {"data": {"org_id": "nobody", "account_id": 7, "reason": "tick"}},
        {"data": {"org_id": str(ORG), "account_id": -5, "reason": "tick"}},
        {"data": {"org_id": str(ORG), "account_id": 2**63, "reason": "tick"}},
        {"id": "not-a-uuid"},
    ],
)
def test_what_is_not_in_the_catalogue_is_refused(changes):
    with pytest.raises(ValidationFailed):
        parse(body(**changes))


def test_a_body_that_is_no_json_is_refused():
    with pytest.raises(ValidationFailed):
        parse(b"\xff\x00")


def test_every_subject_names_area_and_event_and_every_event_its_organisation():
    for subject, model in CATALOGUE.items():
        assert subject.split(".")[0] == "adloom"
        assert len(subject.split(".")) == 3
        assert {"org_id", "account_id"} <= model.model_fields.keys()


def test_no_event_has_a_field_for_a_secret():
    for model in CATALOGUE.values():
        assert not [name for name in model.model_fields if "token" in name or "secret" in name]
    assert ConnectionBroken.model_fields.keys() == {"org_id", "account_id", "connection_id", "platform", "code"}


def test_a_signed_body_is_accepted_and_a_changed_one_is_not():
    header = sign(b"body", "secret", 1000)
    verify(header, b"body", "secret", 1000)
    for wrong in ((header, b"other", "secret"), (header, b"body", "another")):
        with pytest.raises(Unauthenticated, match="wrong"):
            verify(*wrong, 1000)


@pytest.mark.parametrize("now", [699, 1301])
def test_a_signature_is_good_for_300_seconds_either_way(now):
    with pytest.raises(Unauthenticated, match="too old"):
        verify(sign(b"body", "secret", 1000), b"body", "secret", now)


@pytest.mark.parametrize("header", [None, "", "t=1,v1=zz", "v1=" + "0" * 64, "t=1000,v1=" + "0" * 63])
def test_what_is_no_signature_is_refused(header):
    with pytest.raises(Unauthenticated, match="not signed"):
        verify(header, b"body", "secret", 1000)
