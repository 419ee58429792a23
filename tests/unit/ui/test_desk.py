"""The desk by itself: it answers in JSON, whatever becomes of the form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from starlette.requests import Request

from adloom.errors import Unavailable
from ui import forms
from ui.deeds import desk
from ui.gateway import Answer
from ui.services import Services, open_services
from ui.sessions import Viewer
from ui.settings import DashboardSettings

VIEWER = Viewer(uuid4(), "Mira", "m@example.com", uuid4(), "Acme", "owner", "*", "adl_s_x")


class Away:
    """A gateway whose functions do not answer."""

    async def call(self, *_asked: Any) -> Answer:
        raise Unavailable("auth does not answer")


def services() -> Services:
    settings = DashboardSettings(
        public_url="http://127.0.0.1:8080",
        gateway_url="http://127.0.0.1:1",
        database_url="postgresql://nobody@127.0.0.1/nothing",
        nats_url="nats://127.0.0.1:1",
        storage_secret="a secret of no use anywhere",
    )
    return replace(open_services(settings), gateway=Away())  # type: ignore[arg-type]


async def sent(deed: desk.Deed) -> tuple[int, dict[str, Any]]:
    """What the desk answers to an empty form of ours."""
    known = services()
    form = urlencode({"form_token": forms.form_token(known.form_secret, desk.PURPOSE, VIEWER.token)}).encode()
    headers = [
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", str(len(form)).encode()),
    ]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b"", "client": None}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": form, "more_body": False}

    request = Request(scope | {"state": {"viewer": VIEWER, "https": False}}, receive)
    response = await desk._take(known, request, deed)
    return response.status_code, json.loads(bytes(response.body))


async def test_a_function_that_is_away_is_said_in_json():
    async def deed(asking: desk.Asking) -> desk.Done:
        await asking.auth("POST", "/keys")
        return desk.Done()

    status, said = await sent(deed)
    assert status == 503
    assert said["problem"].startswith("That did not work")


async def test_it_is_said_too_when_the_function_goes_away_after_it_asked_for_a_proof():
    async def deed(_asking: desk.Asking) -> desk.Done:
        raise desk.RefusedError(Answer(403, {"code": "step_up_needed"}))

    status, said = await sent(deed)
    assert status == 503
    assert said["problem"].startswith("That did not work")
