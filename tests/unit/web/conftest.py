from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from adloom import logs
from tests.unit.web.probe import ProbeSettings, probe, settings

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from adloom.web import Function


@pytest.fixture(autouse=True)
def unconfigured_logging() -> Iterator[None]:
    """Whatever a test does to logging ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    logs.request_id.set("")


@pytest.fixture
def log_lines() -> Callable[[], list[dict[str, Any]]]:
    """`log_lines()` is what has been logged so far."""
    logs.configure("probe", settings())
    [handler] = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    handler.setStream(stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def app() -> Function[ProbeSettings]:
    return probe()


@pytest.fixture
def client(app: Function[ProbeSettings]) -> FlaskClient:
    return app.test_client()
