"""Objects in a real S3 server."""

from __future__ import annotations

import uuid

import httpx
import pytest

from adloom.errors import NotFound, Unavailable
from adloom.settings import StorageSettings
from adloom.storage import Storage
from infra.local.stack import Stack


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("s3") / "home", parts=["s3"]) as stack:
        yield StorageSettings(
            s3_endpoint=f"http://127.0.0.1:{stack.port('s3')}",
            s3_access_key=stack.secret("cli", "s3-access-key"),
            s3_secret_key=stack.secret("cli", "s3-secret-key"),
        )


@pytest.fixture(scope="module")
def storage(settings):
    return Storage(settings)


def test_an_object_is_read_back_as_it_was_stored(storage):
    key, body = f"reports/{uuid.uuid4()}.pdf", b"\x00\xff" * 100_000
    storage.put(key, body)
    assert storage.get(key) == body


def test_an_object_that_is_not_there_is_not_found(storage):
    with pytest.raises(NotFound, match="reports/none"):
        storage.get("reports/none")


def test_a_link_opens_one_object_with_its_content_type(storage):
    key = f"reports/{uuid.uuid4()}.pdf"
    storage.put(key, b"%PDF")
    link = storage.link(key, seconds=60, content_type="application/pdf")
    answer = httpx.get(link, trust_env=False)
    assert (answer.content, answer.headers["content-type"]) == (b"%PDF", "application/pdf")
    assert httpx.get(link.replace(key, "reports/other"), trust_env=False).status_code in (403, 404)


@pytest.mark.parametrize("seconds", [0, -1, 8 * 24 * 3600])
def test_a_link_lives_at_most_a_week(storage, seconds):
    with pytest.raises(ValueError, match="week"):
        storage.link("x/y", seconds=seconds, content_type="text/plain")


def test_a_wrong_key_is_refused_and_a_dead_server_is_unavailable(settings):
    stranger = Storage(settings.model_copy(update={"s3_secret_key": settings.s3_access_key}))
    with pytest.raises(Unavailable, match="refused"):
        stranger.put("reports/x", b"x")
    nobody = Storage(settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"}))
    with pytest.raises(Unavailable, match="does not answer"):
        nobody.get("reports/x")
