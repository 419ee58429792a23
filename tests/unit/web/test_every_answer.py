"""What every answer of every function has: headers, a request id, a line in the log; and the probes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from adloom.db import Database
from adloom.errors import ConfigurationError, Unavailable
from adloom.settings import CoreSettings, DatabaseSettings
from adloom.web import create_function
from tests.unit.web.probe import ProbeSettings, probe, settings

if TYPE_CHECKING:
    from flask.testing import FlaskClient

LogLines = Callable[[], list[dict[str, Any]]]

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
}


@pytest.mark.parametrize("path", ["/search", "/nowhere", "/private", "/_/health", "/openapi.json"])
def test_headers_that_keep_browsers_and_caches_away(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "Strict-Transport-Security" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_a_public_address_of_https_is_kept_to() -> None:
    app = probe()
    app.use(settings(public_url="https://ads.example.com"))

    assert (
        "max-age=31536000; includeSubDomains" in app.test_client().get("/search").headers["Strict-Transport-Security"]
    )


def test_a_sane_request_id_is_taken_over(client: FlaskClient) -> None:
    answer = client.get("/nowhere", headers={"X-Request-Id": "the-callers.own_id-1"})

    assert answer.headers["X-Request-Id"] == answer.get_json()["request_id"] == "the-callers.own_id-1"


@pytest.mark.parametrize("sent", [None, "short", "x" * 65, "with space", "semi;colon", "ünïcödé-id"])
def test_any_other_is_replaced(client: FlaskClient, sent: str | None) -> None:
    headers = {} if sent is None else {"X-Request-Id": sent.encode().decode("latin-1")}

    answers = [client.get("/nowhere", headers=headers) for _ in range(2)]

    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == 2
    assert sent not in ids


def test_the_log_line_names_the_route_and_no_secret(client: FlaskClient, log_lines: LogLines) -> None:
    headers = {"Authorization": "Bearer adl_s_tell-nobody", "X-Request-Id": "r" * 8}

    client.get("/search?text=tell-nobody", headers=headers)

    [line] = log_lines()
    assert (line["event"], line["method"], line["route"], line["status"]) == ("request", "GET", "/search", 200)
    assert line["request_id"] == "r" * 8
    assert line["ms"] >= 0
    assert "tell-nobody" not in json.dumps(line)


def test_probes_do_not_fill_the_log(client: FlaskClient, log_lines: LogLines) -> None:
    client.get("/_/health")

    assert log_lines() == []


def test_health_says_that_the_process_lives(client: FlaskClient) -> None:
    assert client.get("/_/health").get_json() == {"function": "probe", "status": "ok"}


def test_ready_says_so_without_a_database_to_ask(client: FlaskClient) -> None:
    assert client.get("/_/ready").status_code == 200


def test_not_ready_while_the_database_is_away() -> None:
    class Settings(CoreSettings, DatabaseSettings):
        pass

    app = create_function("stored", Settings)
    url = "postgresql://adloom_auth:x@127.0.0.1:1/adloom"
    app.use(Settings(public_url="http://a", gateway_url="http://a", database_url=url), Database(url, pool_size=1))

    answer = app.test_client().get("/_/ready")

    assert (answer.status_code, answer.get_json()["retryable"]) == (503, True)
    assert app.test_client().get("/_/health").status_code == 200


def test_a_missing_setting_stops_the_start_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADLOOM_PUBLIC_URL", raising=False)
    monkeypatch.setenv("ADLOOM_GATEWAY_URL", "http://127.0.0.1:8080")

    with pytest.raises(ConfigurationError, match="ADLOOM_PUBLIC_URL") as caught:
        create_function("probe", ProbeSettings).prepare()

    assert "ADLOOM_EVENT_SECRET" in caught.value.detail


def test_a_wrong_list_of_proxies_stops_the_start() -> None:
    app = probe()
    app.use(settings(trusted_proxies="127.0.0.1, the proxy"))

    with pytest.raises(ConfigurationError, match="trusted_proxies"):
        app.prepare()


def test_defining_a_function_reads_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADLOOM_PUBLIC_URL", "ADLOOM_GATEWAY_URL", "ADLOOM_EVENT_SECRET"):
        monkeypatch.delenv(name, raising=False)

    app = create_function("probe", ProbeSettings)

    with pytest.raises(ConfigurationError):
        app.settings()


def test_a_step_of_the_start_is_tried_until_it_succeeds() -> None:
    app = probe()
    outcomes: list[Exception | None] = [Unavailable("not yet"), Unavailable("not yet"), None]
    tried = 0

    @app.on_start
    def step() -> None:
        nonlocal tried
        tried += 1
        if error := outcomes.pop(0):
            raise error

    app.prepare()
    statuses = [app.test_client().get("/_/ready").status_code for _ in range(3)]

    assert statuses == [503, 200, 200]
    assert tried == 3


def test_a_function_without_settings_answers_with_a_problem_that_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """In OpenFaaS's own templates nothing stops the start."""
    for name in ("ADLOOM_PUBLIC_URL", "ADLOOM_GATEWAY_URL", "ADLOOM_EVENT_SECRET"):
        monkeypatch.delenv(name, raising=False)

    answer = create_function("probe", ProbeSettings).test_client().get("/openapi.json")

    assert (answer.status_code, answer.get_json()["code"]) == (500, "configuration")
    assert "ADLOOM" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
