"""The walk through a consent page, when the page is not as it should be."""

from __future__ import annotations

import httpx
import pytest

from adloom.cli.connect_sandbox import Walked, walk
from adloom.errors import PlatformProtocolError, Unavailable

FORM = """<form method="post" action="/agree?step=2"><input type="hidden" name="state" value="a&amp;b">
<input type="checkbox" name="granted" value="ads_read" checked><input type="checkbox" name="granted" value="other">
<input type="checkbox" name="granted" value="ads_management" checked="">
<input><button name="decision" value="allow">Allow</button></form><input name="outside" value="1">"""
AUTHORIZE = "http://sandbox.test/dialog?state=secret"


class Browser:
    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def walk(self) -> Walked:
        with httpx.Client(transport=httpx.MockTransport(self)) as client:
            return walk(AUTHORIZE, client)


MADE = {"connection_id": "7", "name": "Sandbox Person"}
PAGE = httpx.Response(200, html=FORM)
BACK = httpx.Response(302, headers={"Location": "http://adloom.test/callback?state=secret&code=secret"})


def test_it_sends_the_form_as_it_is_ticked_and_goes_back() -> None:
    browser = Browser(PAGE, BACK, httpx.Response(200, json=MADE))

    assert browser.walk() == Walked("7", "Sandbox Person")
    _, form, callback = browser.requests
    assert (form.method, str(form.url)) == ("POST", "http://sandbox.test/agree?step=2")
    assert form.content == b"state=a%26b&granted=ads_read&granted=ads_management&decision=allow"
    assert (callback.url.host, callback.headers["Accept"]) == ("adloom.test", "application/json")


def test_inside_the_platforms_network_it_takes_the_inner_addresses() -> None:
    browser = Browser(PAGE, BACK, httpx.Response(200, json=MADE))
    ways = {"http://sandbox.test": "http://sandbox:8090", "http://adloom.test": "http://gateway:8081"}
    with httpx.Client(transport=httpx.MockTransport(browser)) as client:
        walk(AUTHORIZE, client, ways)
    assert [str(request.url) for request in browser.requests] == [
        "http://sandbox:8090/dialog?state=secret",
        "http://sandbox:8090/agree?step=2",
        "http://gateway:8081/callback?state=secret&code=secret",
    ]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ((httpx.Response(200, html="<p>Hello"),), "no page to agree on"),
        ((httpx.Response(400, html=FORM),), "HTTP 400"),
        ((PAGE, httpx.Response(200, html="<p>Thanks")), "sent nobody back"),
        ((PAGE, BACK, httpx.Response(409, json={"detail": "used already", "code": "state_unusable"})), "used already"),
        ((PAGE, BACK, httpx.Response(502, html="<h1>Bad gateway")), "HTTP 502"),
    ],
)
def test_a_page_that_is_not_as_it_should_be_ends_the_walk(answers: tuple[httpx.Response, ...], error: str) -> None:
    with pytest.raises(PlatformProtocolError, match=error):
        Browser(*answers).walk()


def test_whoever_does_not_answer_is_named_without_the_state() -> None:
    with pytest.raises(Unavailable) as caught:
        Browser(httpx.ConnectError("refused")).walk()

    assert "http://sandbox.test/dialog" in caught.value.detail
    assert "secret" not in caught.value.detail
