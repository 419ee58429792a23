import pytest

from adloom.errors import Unavailable
from ui.gateway import Caller, Gateway


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
