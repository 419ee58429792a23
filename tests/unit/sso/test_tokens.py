"""ID tokens that no provider of the tests gives: Google's short issuer, odd headers, tokens of other kinds."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from joserfc.jwk import KeySet
from pydantic import SecretStr

from adloom.sso import tokens
from adloom.sso.claims import Claims
from adloom.sso.errors import NotProven
from adloom.sso.provider import GOOGLE_ISSUER, GOOGLE_ISSUER_SHORT, Provider
from infra.sandbox.oidc.signing import Keys

KEYS = Keys()
GOOGLE = Provider(
    "google", "Google", GOOGLE_ISSUER, "id", SecretStr("x"), frozenset({GOOGLE_ISSUER_SHORT}), hosted_domains=True
)
OTHER = Provider("oidc", "Other", "https://id.example.com", "id", SecretStr("x"))


def claims(issuer: str, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": issuer, "aud": "id", "sub": "1", "iat": now, "exp": now + 300, "nonce": "n", **changes}


def read(provider: Provider, token: object) -> Claims:
    published = {key.kid: key for key in KeySet.import_key_set(KEYS.jwks())}
    return tokens.read(token, provider, None, lambda header: published.get(header.get("kid")), "n")


@pytest.mark.parametrize("issuer", [GOOGLE_ISSUER, GOOGLE_ISSUER_SHORT])
def test_google_may_write_its_issuer_short_and_is_one_issuer_all_the_same(issuer: str) -> None:
    assert read(GOOGLE, KEYS.token(claims(issuer))).issuer == GOOGLE_ISSUER


@pytest.mark.parametrize("issuer", ["http://accounts.google.com", "https://accounts.google.com/", "id.example.com"])
def test_no_other_spelling_of_an_issuer_will_do(issuer: str) -> None:
    for provider in (GOOGLE, OTHER):
        with pytest.raises(NotProven):
            read(provider, KEYS.token(claims(issuer)))


@pytest.mark.parametrize(("header", "fine"), [({}, True), ({"crit": ["exp"]}, False), ({"alg": "RS512"}, False)])
def test_a_header_that_says_something_else_is_refused(header: dict[str, Any], fine: bool) -> None:
    head, rest = KEYS.token(claims(OTHER.issuer)).split(".", 1)
    told = json.loads(base64.urlsafe_b64decode(head + "==")) | header
    changed = base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).rstrip(b"=").decode()
    if fine:
        assert read(OTHER, f"{changed}.{rest}").subject == "1"
        return
    with pytest.raises(NotProven):
        read(OTHER, f"{changed}.{rest}")


@pytest.mark.parametrize(
    "token", [None, 7, "", "a", "a.b.c", "a.b.c.d.e", "." * 9, "e30.e30.", "\ud800.\u00e4.x", "W10.e30.x", "x" * 20_000]
)
def test_what_is_no_token_is_refused(token: object) -> None:
    with pytest.raises(NotProven):
        read(OTHER, token)


def test_a_name_is_one_line_that_can_be_shown() -> None:
    named = {"name": "  Ana   Example ", "email": "Ana@Example.com", "email_verified": True, "hd": "Example.com"}
    read_back = read(OTHER, KEYS.token(claims(OTHER.issuer, **named)))
    assert (read_back.name, read_back.email, read_back.hosted_domain) == (
        "Ana Example",
        "ana@example.com",
        "example.com",
    )
    for odd in ("\u202eeve", "a\nb", 7, None):
        assert read(OTHER, KEYS.token(claims(OTHER.issuer, name=odd))).name == ""
