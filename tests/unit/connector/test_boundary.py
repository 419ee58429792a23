"""Calls to the database and the broker: faults have one name, and a cancellation is never forgotten."""

from __future__ import annotations

import asyncio

import pytest

from infra.connector.errors import PartAway, boundary


async def forgetful() -> None:
    """What `asyncio.wait_for` of Python 3.11 does with a cancellation that comes together with the result."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return


async def test_a_cancellation_that_was_forgotten_inside_ends_the_task():
    async def work() -> None:
        while True:
            with boundary("nats"):
                await forgetful()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_faults_of_a_part_are_named_after_it():
    with pytest.raises(PartAway, match=r"nats: OSError\('gone'\)") as raised, boundary("nats", OSError):
        raise OSError("gone")
    assert raised.value.part == "nats"


async def test_other_faults_stay_what_they_are():
    with pytest.raises(KeyError), boundary("database", OSError):
        raise KeyError("a mistake of ours")


async def test_nothing_happens_where_nothing_is_wrong():
    with boundary("database", OSError):
        await asyncio.sleep(0)
