"""Whose new people are let in, and which providers there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from adloom.accounts import sso
from adloom.errors import ConfigurationError, Forbidden
from adloom.settings import load
from adloom.sso.claims import Claims
from adloom.sso.domains import Domains, address, domain_of
from adloom.sso.provider import GOOGLE_ISSUER
from adloom.sso.settings import SsoSettings

ORGANISATION = UUID("3f0c9a52-8f4e-4f7b-9d3e-2b1f0a6c7d11")
GOOGLE = {"google_client_id": "id", "google_client_secret": "secret"}
OIDC = {"oidc_issuer": "https://id.example.com", "oidc_client_id": "id", "oidc_client_secret": "secret"}
SANDBOX = {"sandbox_url": "http://127.0.0.1:8090", "sandbox_client_secret": "secret"}


def test_domains_go_to_the_organisation_that_is_named_or_to_the_only_one() -> None:
    read = Domains.read(f" Example.com , agency.example={ORGANISATION},xn--bcher-kva.example")
    assert read.allowed == {"example.com": None, "agency.example": ORGANISATION, "xn--bcher-kva.example": None}
    assert Domains.read("").allowed == {}


@pytest.mark.parametrize(
    "written",
    [
        *("*", "*.example.com", ".example.com", "example", "example.com.", "ex ample.com", "b\u00fccher.example"),
        *("a@b.de", "example.com=acme", "example.com\n.evil.example", "-a.example", "a..example"),
    ],
)
def test_a_domain_that_is_none_stops_the_start(written: str) -> None:
    with pytest.raises(ConfigurationError, match="ADLOOM_SSO_DOMAINS"):
        Domains.read(written)


@pytest.mark.parametrize(
    "domain",
    [
        "sub.example.com",
        "example.com.evil.com",
        "evilexample.com",
        "example.co",
        "com",
        "",
        "examp\u217ee.com",
        "EXAMPLE.COM",
    ],
)
def test_only_the_whole_domain_is_let_in(domain: str) -> None:
    assert "example.com" in Domains.read("example.com")
    assert domain not in Domains.read("example.com")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("Ana@Example.COM", "ana@example.com"),
        ("ana@example.com\n", None),
        ("ana@evil.com@example.com", None),
        ("ana", None),
        ("@example.com", None),
        ("ana@", None),
        ("an\u0430@example.com", None),
        ("ana @example.com", None),
        ("a" * 65 + "@example.com", None),
        (None, None),
        (["ana@example.com"], None),
    ],
)
def test_an_address_is_plain_or_none(given: object, read: str | None) -> None:
    assert address(given) == read


def test_the_domain_is_what_stands_behind_the_at() -> None:
    assert domain_of("ana@example.com") == "example.com"


def settings(**values: Any) -> SsoSettings:
    return SsoSettings(**values)


def test_without_settings_there_is_no_provider_and_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOM_SECRETS_DIR", "/nonexistent")
    read = load(SsoSettings, "auth")
    assert (read.providers, read.domains.allowed) == ({}, {})


def test_secrets_without_an_id_are_no_provider() -> None:
    """As in every deployment: they were made up."""
    assert settings(google_client_secret="x", oidc_client_secret="y", sandbox_client_secret="z").providers == {}


def test_google_is_google_and_another_provider_is_what_was_named() -> None:
    found = settings(**GOOGLE, **OIDC, oidc_name="Acme ID").providers
    assert list(found) == ["google", "oidc"]
    assert (found["google"].issuer, found["google"].hosted_domains) == (GOOGLE_ISSUER, True)
    assert (found["oidc"].name, found["oidc"].issuer, found["oidc"].hosted_domains) == (
        "Acme ID",
        "https://id.example.com",
        False,
    )
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_issuer": "http://id.example.com"},
        {"oidc_issuer": "http://127.0.0.1:9"},
        {"oidc_issuer": "id.example.com"},
        {"oidc_issuer": "https://id.example.com?x"},
        {"oidc_issuer": "https://id.example.com#x"},
        {"oidc_issuer": "https://user@id.example.com"},
        {"oidc_issuer": "https://id.example.com:port"},
        {"oidc_issuer": "http://id.example.com", **SANDBOX},
        {"oidc_client_id": None},
        {"oidc_issuer": None},
        {"oidc_client_secret": None},
        {**GOOGLE, "google_client_secret": None},
    ],
)
def test_a_provider_that_is_set_up_wrongly_stops_the_start(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        _ = settings(**(OIDC | changes)).providers


def test_http_will_do_on_loopback_beside_a_sandbox_only() -> None:
    found = settings(**(OIDC | {"oidc_issuer": "http://localhost:9400"} | SANDBOX)).providers
    assert list(found) == ["oidc", "sandbox"]
    assert found["oidc"].may_call("http://localhost:9400/token")
    assert not found["oidc"].may_call("http://example.com/token")
    assert not found["sandbox"].may_call("http://example.com/token")
    assert not settings(**OIDC).providers["oidc"].may_call("http://127.0.0.1/token")


@pytest.mark.parametrize(("hosted", "let_in"), [("example.com", True), (None, False), ("evil.example", False)])
def test_google_vouches_for_the_domains_that_it_hosts_only(
    hosted: str | None, let_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may have an account at Google with an address of a domain that Google does not host."""
    told = settings(**GOOGLE, sso_domains=f"example.com={ORGANISATION}")
    monkeypatch.setattr(sso.sessions, "every_organisation", lambda _database: [ORGANISATION, uuid4()])
    claims = Claims(GOOGLE_ISSUER, "1", "ana@example.com", email_verified=True, name="", hosted_domain=hosted)

    class App:
        settings = staticmethod(lambda: told)
        database = staticmethod(lambda: None)

    if let_in:
        assert sso._organisation(App(), told.providers["google"], claims, "example.com") == ORGANISATION
    else:
        with pytest.raises(Forbidden):
            sso._organisation(App(), told.providers["google"], claims, "example.com")


def test_every_setting_is_documented(project_root: Path) -> None:
    text = (project_root / "docs" / "settings.md").read_text(encoding="utf-8")
    for name in SsoSettings.model_fields:
        assert f"`ADLOOM_{name.upper()}`" in text, f"docs/settings.md does not explain {name}"
