"""What the button that syncs asks of which function."""

from __future__ import annotations

import json
from types import SimpleNamespace

import httpx
import pytest

from adloom.errors import Unavailable
from ui import actions
from ui.actions import sync_of
from ui.gateway import Caller, Gateway

EVERY = ["sync-google", "sync-meta", "sync-tiktok"]


class Functions:
    """Answers for the functions behind a gateway, 202 unless told otherwise; keeps what they were asked."""

    def __init__(self, **answers: int) -> None:
        self.answers = answers
        self.asked: dict[str, list[str]] = {}
        self.gateway = Gateway("http://gateway")
        transport = httpx.MockTransport(self.answer)
        self.gateway._client = httpx.AsyncClient(base_url="http://gateway", transport=transport)

    def answer(self, request):
        name = request.url.path.split("/")[2]
        self.asked[name] = json.loads(request.content).get("accounts", [])
        status = self.answers.get(name.removeprefix("sync-"), 202)
        if status == 0:
            raise httpx.ConnectError("nobody")
        problem = {"status": status, "code": "account_unknown", "detail": "There is no such account."}
        if status == 202:
            return httpx.Response(status, json={"planned": []})
        return httpx.Response(status, json=problem, headers={"Content-Type": "application/problem+json"})

    async def sync(self, about):
        return await actions._sync(SimpleNamespace(gateway=self.gateway), Caller(), about)


async def test_an_account_is_asked_of_its_platforms_function_alone():
    functions = Functions()
    assert "on its way" in (await functions.sync(sync_of("tiktok", 12))).words
    assert functions.asked == {"sync-tiktok": ["12"]}


async def test_without_an_account_every_platform_is_asked_for_all():
    functions = Functions()
    assert "on its way" in (await functions.sync(sync_of("tiktok", None))).words
    assert functions.asked == {name: [] for name in EVERY}


async def test_a_function_that_is_away_does_not_stop_the_others():
    functions = Functions(google=0, meta=503)
    assert "on its way" in (await functions.sync("")).words
    assert sorted(functions.asked) == EVERY


async def test_where_nobody_takes_it_the_first_word_counts():
    refused = await Functions(google=404, meta=404, tiktok=404).sync("")
    assert "on its way" not in refused.words
    with pytest.raises(Unavailable):
        await Functions(google=0, meta=404, tiktok=404).sync("")
