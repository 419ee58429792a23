from __future__ import annotations

import json
import logging
import threading

import pytest

from adloom import logs

TOKEN = "EAA" + "x1Y2" * 10


@pytest.fixture
def lines(capsys):
    """Call it to start logging; what it returns gives the lines since."""

    def start():
        logs.configure("test")
        return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield start
    logging.getLogger().handlers.clear()


def test_a_line_is_json_with_process_time_level_and_request_id(lines):
    written = lines()
    token = logs.request_id.set("request-1234")
    logs.get("x").info("sync_finished", rows=3)
    logs.request_id.reset(token)
    (line,) = written()
    assert line["event"] == "sync_finished"
    assert line["rows"] == 3
    assert line["request_id"] == "request-1234"
    assert {"process", "timestamp", "level"} <= line.keys()


def test_a_line_of_another_thread_names_the_process_too(lines):
    written = lines()
    thread = threading.Thread(target=lambda: logs.get("x").info("from_a_thread"))
    thread.start()
    thread.join()
    (line,) = written()
    assert line["process"] == "test"


def test_foreign_libraries_write_the_same_json_without_secrets(lines):
    written = lines()
    logging.getLogger("some.library").warning("GET https://graph/x?access_token=%s&fields=a", TOKEN)
    (line,) = written()
    assert TOKEN not in json.dumps(line)
    assert "access_token=[redacted]&fields=a" in line["event"]


@pytest.mark.parametrize(
    "event",
    [
        {"access_token": "abc"},
        {"headers": {"Authorization": "Bearer abcdefgh12345678"}},
        {"nested": [{"password": "hunter2"}]},
        {"url": f"https://graph/v26.0/me?access_token={TOKEN}"},
        {"text": f"token was {TOKEN} yesterday"},
        {"dsn": "postgresql://adloom_auth:hunter2@127.0.0.1/adloom"},
        {"address": "postgresql://adloom_auth:hunter2@127.0.0.1/adloom"},
        {"header": "Bearer adl_s_abcdefghijklmnopqrstuvwxyz"},
        {"callback": "/callback?code=abc123secret&state=xyz"},
        {"error": RuntimeError(f"https://graph?appsecret_proof={'ab' * 32}")},
    ],
)
def test_secrets_never_reach_a_line(event):
    shown = json.dumps(logs.redact(event))
    for secret in ("abc123secret", "hunter2", TOKEN, "abcdefgh12345678", "adl_s_abc", "abab", '"abc"'):
        assert secret not in shown


def test_harmless_values_stay_readable():
    event = {"code": "connection_broken", "account_id": 7, "status_code": 200, "url": "https://x/y?fields=a,b"}
    assert logs.redact(event) == event


def test_an_exception_is_logged_with_its_trace_and_without_its_secret(lines):
    written = lines()
    try:
        int(TOKEN)
    except ValueError:
        logs.get("x").exception("it_failed")
    (line,) = written()
    assert "Traceback" in line["exception"]
    assert TOKEN not in json.dumps(line)


@pytest.mark.parametrize("header", [None, "", "short", "with space in it", "x" * 65, "new\nline-12345"])
def test_a_request_id_that_is_no_sane_one_is_replaced(header):
    assert logs.accept_request_id(header) != header


def test_a_sane_request_id_is_kept():
    assert logs.accept_request_id("abcd-1234") == "abcd-1234"
