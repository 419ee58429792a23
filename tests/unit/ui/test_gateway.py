from collections.abc import AsyncIterator

import httpx
import pytest

from adloom.errors import Unavailable
from ui.gateway import Caller, Gateway, _answer


async def test_a_gateway_that_is_not_there_is_unavailable():
    gateway = Gateway("http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="auth does not answer"):
        await gateway.call("GET", "auth", "/session", Caller())
    await gateway.close()


def test_a_call_carries_the_session_the_way_it_came_and_its_id():
    headers = Caller("adl_s_x", "203.0.113.9, 127.0.0.1", "0123456789abcdef").headers()
    assert headers == {
        "Authorization": "Bearer adl_s_x",
        "X-Forwarded-For": "203.0.113.9, 127.0.0.1",
        "X-Request-Id": "0123456789abcdef",
    }


def test_without_a_session_no_credential_is_sent():
    assert "Authorization" not in Caller().headers()


@pytest.mark.parametrize(("status", "kind"), [(500, "text/plain"), (503, "text/html"), (404, "text/plain")])
def test_the_gateways_own_word_is_unavailable_even_without_a_body(status, kind):
    with pytest.raises(Unavailable, match="auth is not there"):
        _answer(httpx.Response(status, headers={"Content-Type": kind}), "auth")


def test_a_problem_of_the_function_is_its_answer():
    problem = httpx.Response(503, json={"code": "later"}, headers={"Content-Type": "application/problem+json"})
    assert _answer(problem, "auth").code == "later"


def answering(handler) -> Gateway:
    gateway = Gateway("http://gateway")
    gateway._client = httpx.AsyncClient(base_url="http://gateway", transport=httpx.MockTransport(handler))
    return gateway


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
async def test_a_file_that_does_not_begin_is_unavailable(error):
    def broken(_request):
        raise error("gone")

    gateway = answering(broken)
    with pytest.raises(Unavailable, match="auth does not answer"):
        async with gateway.download("auth", "/audit/export", Caller()):
            pass
    await gateway.close()


async def test_a_file_that_breaks_off_stays_broken_and_is_closed():
    class Cut(httpx.AsyncByteStream):
        closed = False

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"half"
            raise httpx.ReadError("gone")

        async def aclose(self) -> None:
            self.closed = True

    cut = Cut()
    gateway = answering(lambda _request: httpx.Response(200, stream=cut))
    with pytest.raises(httpx.ReadError):
        async with gateway.download("auth", "/audit/export", Caller()) as answer:
            await answer.aread()
    assert cut.closed
    await gateway.close()
