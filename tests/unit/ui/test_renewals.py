"""A token that took another's place is found; nothing else is."""

import asyncio

import pytest

from ui import renewals
from ui.gateway import Caller
from ui.renewals import Renewals


def having(token: str | None, browser: str | None = "this browser") -> Caller:
    return Caller(token, browser=browser)


def test_a_token_is_followed_to_the_one_that_took_its_place():
    known = Renewals()
    known.renewed(having("old"), "new")
    assert asyncio.run(known.successor(having("old"))) == "new"
    assert asyncio.run(known.successor(having("new"))) is None
    assert asyncio.run(known.successor(having(None))) is None


@pytest.mark.parametrize("browser", [None, "", "a thief's"])
def test_a_page_of_another_browser_is_not_told_though_it_has_the_old_token(browser):
    known = Renewals()
    known.renewed(having("old"), "new")

    assert asyncio.run(known.successor(having("old", browser))) is None


def test_whoever_asks_while_the_answer_is_under_way_waits_for_it():
    async def both():
        known, asked = Renewals(), asyncio.Event()

        async def renew():
            async with known.renewing(having("old")):
                await asked.wait()
                await asyncio.sleep(0)
                known.renewed(having("old"), "new")

        renewing = asyncio.create_task(renew())
        await asyncio.sleep(0)
        asking = asyncio.create_task(known.successor(having("old")))
        await asyncio.sleep(0)
        asked.set()
        await renewing
        return await asking

    assert asyncio.run(both()) == "new"


def test_a_renewal_that_fails_leaves_nothing_behind():
    async def fail():
        known = Renewals()
        with pytest.raises(ValueError, match="refused"):
            async with known.renewing(having("old")):
                raise ValueError("refused")
        return await known.successor(having("old"))

    assert asyncio.run(fail()) is None


def test_only_so_many_are_remembered(monkeypatch):
    monkeypatch.setattr(renewals, "MOST_REMEMBERED", 2)
    known = Renewals()
    for number in range(3):
        known.renewed(having(f"old {number}"), f"new {number}")
    assert [asyncio.run(known.successor(having(f"old {number}"))) for number in range(3)] == [None, "new 1", "new 2"]
