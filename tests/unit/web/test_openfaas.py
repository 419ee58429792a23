"""The handler in OpenFaaS's own python3-http templates: the same answers as by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, request

from adloom.web import create_function, openfaas
from adloom.web.body import MAX_BODY_BYTES
from tests.unit.web.probe import ProbeSettings, probe

METHODS = ["GET", "PUT", "POST", "PATCH", "DELETE"]


def template(handle: Any) -> Flask:
    """Does what those templates do: one catch-all route, an event of the request, the result returned as it is."""
    outer = Flask("template")

    def call(path: str) -> Any:
        event = SimpleNamespace(
            body=request.get_data(),
            headers=request.headers,
            method=request.method,
            query=request.args,
            path=request.path,
        )
        result = handle(event, SimpleNamespace(hostname="localhost"))
        assert not isinstance(result, dict | str | bytes | list | None)
        return result

    outer.add_url_rule("/", "root", call, methods=METHODS, defaults={"path": ""})
    outer.add_url_rule("/<path:path>", "rest", call, methods=METHODS)
    return outer


RUN = "6b6ad65c-9b9a-4a30-a8a0-38c0bb3b4b6d"


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("POST", "/windows", {"json": {"since": "2026-03-01"}}),
        ("POST", "/windows", {"json": {"since": "grüße \N{SNOWMAN}"}}),
        ("POST", "/windows", {"json": {}}),
        ("POST", "/windows", {"data": "{", "content_type": "application/json"}),
        ("POST", "/windows", {"data": "since=1"}),
        ("POST", "/windows", {"data": b" " * (MAX_BODY_BYTES + 1), "content_type": "application/json"}),
        ("GET", "/search?text=gr%C3%BC%C3%9Fe&account=1&account=2&limit=3", {}),
        ("GET", "/search?text=a%26b%3Dc+d", {}),
        ("GET", f"/accounts/7/runs/{RUN}", {}),
        ("GET", "/gr%C3%BC%C3%9Fe", {}),
        ("DELETE", "/windows", {}),
        ("PATCH", "/windows", {}),
        ("GET", "/limited", {"headers": {"X-Forwarded-For": "203.0.113.1"}}),
        ("GET", "/private", {}),
        ("GET", "/", {}),
    ],
)
def test_the_same_answer_as_by_itself(method: str, path: str, more: dict[str, Any]) -> None:
    more = {**more, "headers": {"X-Request-Id": "one-and-the-same", **more.get("headers", {})}}

    itself = probe().test_client().open(path, method=method, **more)
    behind = template(openfaas(probe())).test_client().open(path, method=method, **more)

    assert behind.status_code == itself.status_code
    assert behind.data == itself.data
    assert dict(behind.headers) == dict(itself.headers)


def test_one_request_never_sees_the_request_id_of_another() -> None:
    client = template(openfaas(probe())).test_client()
    client.get("/search", headers={"X-Request-Id": "the-first-request"})

    assert client.get("/search").headers["X-Request-Id"] != "the-first-request"


def test_without_its_settings_every_answer_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADLOOM_PUBLIC_URL", "ADLOOM_GATEWAY_URL", "ADLOOM_EVENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    client = template(openfaas(create_function("probe", ProbeSettings))).test_client()

    for _ in range(2):
        assert client.get("/openapi.json").get_json()["code"] == "configuration"


def test_the_first_request_prepares_the_process() -> None:
    app = probe()
    started: list[str] = []
    app.on_start(lambda: started.append("started"))
    client = template(openfaas(app)).test_client()

    for _ in range(2):
        client.get("/search")

    assert started == ["started"]
