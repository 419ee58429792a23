import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
from werkzeug.serving import make_server

from adloom.errors import TooManyRequests, Unavailable
from adloom.web import problems
from adloom.web.inflight import InflightLimit
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


@contextmanager
def serving(app) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_call_for_which_there_is_no_place_is_made_again(method):
    entered, refused, may_end = threading.Event(), threading.Event(), threading.Event()

    def hold(_environ, start_response):
        entered.set()
        assert may_end.wait(60)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    limited = InflightLimit(hold, 1)

    def watched(environ, start_response):
        def tell(status, *more):
            if status.startswith("429"):
                refused.set()
            return start_response(status, *more)

        return limited(environ, tell)

    with serving(watched) as url:
        gateway = Gateway(url)
        first = asyncio.create_task(gateway.call("GET", "auth", "/session", Caller()))
        assert await asyncio.to_thread(entered.wait, 60)
        second = asyncio.create_task(gateway.call(method, "auth", "/sessions/1", Caller()))
        assert await asyncio.to_thread(refused.wait, 60)
        may_end.set()
        assert (await first).ok
        assert (await second).ok
        await gateway.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_limit_that_is_used_up_is_the_answer(method):
    asked = []

    def refuse(environ, start_response):
        asked.append(environ["REQUEST_METHOD"])
        return problems.from_error(TooManyRequests("Wait a moment.", retry_after=7))(environ, start_response)

    with serving(refuse) as url:
        gateway = Gateway(url)
        answer = await gateway.call(method, "auth", "/sessions", Caller())
        assert (answer.status, answer.code, answer.retry_after, asked) == (429, "too_many_requests", 7, [method])
        await gateway.close()
