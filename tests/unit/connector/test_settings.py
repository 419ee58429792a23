"""The connector's settings are documented and have working defaults, except for what only the operator knows."""

from __future__ import annotations

import pytest

from adloom.errors import ConfigurationError
from adloom.settings import load
from infra.connector.settings import ConnectorSettings, event_secret


@pytest.fixture
def environment(monkeypatch, tmp_path):
    for name in ("PUBLIC_URL", "GATEWAY_URL", "DATABASE_URL", "NATS_URL"):
        monkeypatch.setenv(f"ADLOOM_{name}", "http://127.0.0.1:1")
    monkeypatch.setenv("ADLOOM_SECRETS_DIR", str(tmp_path))
    return tmp_path


def test_every_setting_is_documented(project_root):
    text = (project_root / "docs" / "settings.md").read_text(encoding="utf-8")
    missing = [name for name in ConnectorSettings.model_fields if f"`ADLOOM_{name.upper()}`" not in text]
    assert missing == []


def test_what_is_not_set_has_its_default(environment):
    settings = load(ConnectorSettings, "connector")
    assert (settings.cron, settings.connector_attempts, settings.connector_duplicate_window) == ("on", 12, 120.0)


@pytest.mark.parametrize(("name", "value"), [("CRON", "maybe"), ("CONNECTOR_PORT", "0"), ("CONNECTOR_ATTEMPTS", "0")])
def test_a_wrong_setting_is_named(environment, monkeypatch, name, value):
    monkeypatch.setenv(f"ADLOOM_{name}", value)
    with pytest.raises(ConfigurationError, match=f"the setting {name.lower()} is wrong"):
        load(ConnectorSettings, "connector")


def test_an_event_secret_is_read_by_its_functions_name(environment):
    (environment / "auth-event-secret").write_text("s3cret\n")
    assert event_secret("auth") == "s3cret"


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_a_missing_or_empty_event_secret_is_named(environment, content):
    if content is not None:
        (environment / "auth-event-secret").write_text(content)
    with pytest.raises(ConfigurationError, match="auth-event-secret is missing"):
        event_secret("auth")
