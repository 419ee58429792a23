from __future__ import annotations

import inspect

import pytest
from pydantic_settings import BaseSettings

from adloom import settings
from adloom.errors import ConfigurationError
from adloom.settings import CoreSettings, DatabaseSettings, MetaSettings, StorageSettings, TokenRingSettings, load


class Example(CoreSettings, DatabaseSettings, TokenRingSettings, MetaSettings):
    """What a function's settings look like."""


@pytest.fixture
def environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ADLOOM_SECRETS_DIR", str(tmp_path))
    for name in ("PUBLIC_URL", "GATEWAY_URL"):
        monkeypatch.setenv(f"ADLOOM_{name}", "http://127.0.0.1:8080")
    monkeypatch.setenv("ADLOOM_META_APP_ID", "42")
    for name in ("database-url", "token-ring", "meta-app-secret"):
        (tmp_path / name).write_text(f"the {name}\n", encoding="utf-8")
    return tmp_path


def test_secrets_come_from_files_and_settings_from_the_environment(environment):
    read = load(Example, "sync-meta")
    assert read.database_url.get_secret_value() == "the database-url"
    assert read.public_url == "http://127.0.0.1:8080"


def test_a_secret_of_the_process_wins_over_a_common_one(environment):
    (environment / "sync-meta-database-url").write_text("its own", encoding="utf-8")
    assert load(Example, "sync-meta").database_url.get_secret_value() == "its own"
    assert load(Example, "auth").database_url.get_secret_value() == "the database-url"


def test_a_missing_secret_stops_the_start_and_says_what_to_set(environment):
    (environment / "token-ring").unlink()
    with pytest.raises(ConfigurationError, match=r"ADLOOM_TOKEN_RING or the secret sync-meta-token-ring") as refused:
        load(Example, "sync-meta")
    assert "Fernet keys" in refused.value.detail


def test_a_wrong_setting_is_named_without_its_value(environment, monkeypatch):
    monkeypatch.setenv("ADLOOM_DATABASE_POOL", "hunter2")
    with pytest.raises(ConfigurationError, match="database_pool is wrong") as refused:
        load(Example, "sync-meta")
    assert "hunter2" not in refused.value.detail


def test_settings_never_show_secrets(environment):
    assert "the database-url" not in repr(load(Example, "sync-meta"))


def test_the_platform_is_the_sandbox_where_there_is_one(environment, monkeypatch):
    assert load(Example, "x").graph_url == settings.GRAPH_URL
    monkeypatch.setenv("ADLOOM_SANDBOX_URL", "http://127.0.0.1:8090")
    assert load(Example, "x").graph_url == "http://127.0.0.1:8090"
    monkeypatch.setenv("ADLOOM_META_GRAPH_URL", "http://127.0.0.1:9")
    assert load(Example, "x").graph_url == "http://127.0.0.1:9"


def groups() -> list[type[BaseSettings]]:
    found = [item for _, item in inspect.getmembers(settings, inspect.isclass) if issubclass(item, BaseSettings)]
    return [item for item in found if item.__module__ == settings.__name__ and item.model_fields]


@pytest.mark.parametrize("group", groups(), ids=lambda group: group.__name__)
def test_every_setting_is_documented(group, project_root):
    text = (project_root / "docs" / "settings.md").read_text(encoding="utf-8")
    for name in group.model_fields:
        assert f"`ADLOOM_{name.upper()}`" in text, f"docs/settings.md does not explain {name}"


def test_loopback_http_is_recognised(environment):
    read = load(Example, "x")
    assert read.is_loopback_http
    assert not read.model_copy(update={"public_url": "https://ads.example.com"}).is_loopback_http


def test_storage_settings_have_no_working_default_for_secrets(environment):
    with pytest.raises(ConfigurationError, match="s3_access_key is missing"):
        load(StorageSettings, "build-report")
