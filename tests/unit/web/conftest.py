from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.web.probe import ProbeSettings, probe

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from adloom.web import Function


@pytest.fixture
def app() -> Function[ProbeSettings]:
    return probe()


@pytest.fixture
def client(app: Function[ProbeSettings]) -> FlaskClient:
    return app.test_client()
