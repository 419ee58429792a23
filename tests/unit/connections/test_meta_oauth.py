"""What Meta may answer to a log-in, beyond what the sandbox does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adloom import clock
from adloom.errors import ConnectionBroken, PlatformError, PlatformProtocolError, PlatformTransient
from adloom.platforms.meta.oauth import VERSION, MetaOAuth

SECRET = "the app's secret"
TOKEN = "EAABshort"
LONG = "EAABlong"


class Graph:
    """Answers as Graph does; `changes` replaces an answer by its path."""

    def __init__(self, **changes: Any) -> None:
        self.requests: list[httpx.Request] = []
        inspected = {
            "app_id": "77",
            "is_valid": True,
            "user_id": "900",
            "scopes": ["ads_read"],
            "expires_at": 1790000000,
        }
        self.answers: dict[str, Any] = {
            "code": {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600},
            "swap": {"access_token": LONG, "token_type": "bearer", "expires_in": 5183944},
            "debug": {"data": inspected | changes.pop("inspected", {})},
            "me": {"id": "900", "name": "Mara Marketer"},
            **changes,
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        params = request.url.params
        kind = {"oauth/access_token": "code", "debug_token": "debug", "me": "me"}[
            request.url.path.removeprefix(f"/{VERSION}/")
        ]
        if "fb_exchange_token" in params:
            kind = "swap"
        answer = self.answers[kind]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def oauth(graph: Graph) -> MetaOAuth:
    return MetaOAuth(
        app_id="77",
        app_secret=SECRET,
        graph_url="https://graph.facebook.com/",
        dialog_url="https://www.facebook.com",
        transport=httpx.MockTransport(graph),
    )


def exchange(graph: Graph) -> Any:
    return oauth(graph).exchange(code="the code", redirect_uri="https://ads.example.com/callback")


def test_the_dialog_is_asked_for_what_reading_needs() -> None:
    url = oauth(Graph()).authorize_url(state="s&=", redirect_uri="https://ads.example.com/callback?x=1")

    assert url.startswith(f"https://www.facebook.com/{VERSION}/dialog/oauth?")
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["77"],
        "redirect_uri": ["https://ads.example.com/callback?x=1"],
        "state": ["s&="],
        "response_type": ["code"],
        "scope": ["ads_read,business_management"],
    }


def test_the_code_becomes_a_long_lived_grant() -> None:
    graph = Graph()

    grant = exchange(graph)

    assert (grant.token, grant.external_user_id, grant.name, grant.scopes) == (
        LONG,
        "900",
        "Mara Marketer",
        ("ads_read",),
    )
    assert abs(grant.expires_at - clock.now() - timedelta(seconds=5183944)) < timedelta(seconds=30)
    assert LONG not in repr(grant)
    first, second, third, _ = (dict(request.url.params) for request in graph.requests)
    assert (first["code"], first["redirect_uri"]) == ("the code", "https://ads.example.com/callback")
    assert second["fb_exchange_token"] == TOKEN
    assert (third["input_token"], third["access_token"]) == (LONG, f"77|{SECRET}")


def test_without_expires_in_the_inspected_token_says_when_it_ends() -> None:
    grant = exchange(Graph(swap={"access_token": LONG}))

    assert grant.expires_at == datetime.fromtimestamp(1790000000, UTC)


def test_a_token_without_an_end_has_none() -> None:
    assert exchange(Graph(swap={"access_token": LONG}, inspected={"expires_at": 0})).expires_at is None


def test_a_person_without_a_name_is_called_by_id() -> None:
    assert exchange(Graph(me={"id": "900"})).name == "900"


def test_a_token_of_another_app_is_not_taken() -> None:
    with pytest.raises(PlatformError) as caught:
        exchange(Graph(inspected={"app_id": "78"}))

    assert (caught.value.code, caught.value.retryable) == ("foreign_token", False)


def test_a_token_that_is_already_dead_is_not_taken() -> None:
    with pytest.raises(ConnectionBroken):
        exchange(Graph(inspected={"is_valid": False}))


@pytest.mark.parametrize("scopes", [[], ["business_management"], ["ads_reading"]])
def test_without_the_right_to_read_nothing_is_connected(scopes: list[str]) -> None:
    with pytest.raises(ConnectionBroken) as caught:
        exchange(Graph(inspected={"scopes": scopes}))

    assert caught.value.code == "scopes_missing"


def test_the_right_to_manage_includes_reading() -> None:
    assert exchange(Graph(inspected={"scopes": ["ads_management"]})).scopes == ("ads_management",)


@pytest.mark.parametrize("step", ["code", "swap", "debug", "me"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ConnectError("refused"), PlatformTransient),
        (httpx.ReadTimeout("slow"), PlatformTransient),
        (httpx.Response(502, html="<h1>Bad gateway</h1>"), PlatformTransient),
        (httpx.Response(200, html="<h1>Hello</h1>"), PlatformProtocolError),
        (httpx.Response(200, content=b""), PlatformProtocolError),
        (httpx.Response(200, json={}), PlatformProtocolError),
        (httpx.Response(200, json=None), PlatformProtocolError),
        (httpx.Response(200, json={"error": "a string"}), PlatformProtocolError),
        (httpx.Response(400, json={"error": {"code": 190, "error_subcode": 463}}), ConnectionBroken),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example"}), PlatformProtocolError),
    ],
)
def test_every_step_may_fail_in_every_way(step: str, answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        exchange(Graph(**{step: answer}))

    told = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.detail}"  # type: ignore[attr-defined]
    assert SECRET not in told
    assert TOKEN not in told
    assert LONG not in told
