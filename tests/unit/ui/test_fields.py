"""Fields of forms: what browsers make of them."""

from __future__ import annotations

import pytest

from ui import login
from ui.doors.shell import new_password


@pytest.mark.parametrize(
    "field", [login.field("password", "Password", "current-password", kind="password"), new_password()]
)
def test_a_password_is_hidden_and_open_to_password_managers(field: str) -> None:
    assert 'type="password"' in field
    assert 'autocomplete="current-password"' in field or 'autocomplete="new-password"' in field
    for obstacle in ("onpaste", "readonly", "maxlength", 'autocomplete="off"'):
        assert obstacle not in field
