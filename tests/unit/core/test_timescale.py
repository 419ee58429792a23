"""Why a server cannot carry the metrics on TimescaleDB is a sentence that says what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adloom.db.timescale import Server

READY = Server("17.11", "2.29.2", None, None, is_preloaded=True, may_create=True, is_ready=True)


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (replace(READY, is_ready=False), "adloom db upgrade"),
        (replace(READY, available=None), "has no TimescaleDB"),
        (replace(READY, is_preloaded=False), "shared_preload_libraries"),
        (replace(READY, may_create=False), "create extension timescaledb"),
    ],
)
def test_what_is_in_the_way_is_said_with_what_to_do(server: Server, said: str) -> None:
    assert said in str(server.obstacle)


@pytest.mark.parametrize("server", [READY, replace(READY, installed="2.29.2", may_create=False, available=None)])
def test_nothing_is_in_the_way_of_a_server_that_has_it(server: Server) -> None:
    assert server.obstacle is None
