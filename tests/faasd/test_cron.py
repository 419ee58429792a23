"""cron-connector reads the annotations of `stack.yml` and calls the functions."""

from __future__ import annotations

from typing import Any

import pytest

from infra.deployment.stackfile import read_functions
from tests.faasd.openfaas import OpenFaaS
from tests.faasd.platform import Platform
from tests.faasd.programs import until

SCHEDULED = {function.name: function.schedule for function in read_functions() if function.schedule}
_MORE_THAN_A_MINUTE_S = 75


@pytest.mark.parametrize("name", SCHEDULED)
def test_the_gateway_shows_cron_connector_the_schedule(faasd: OpenFaaS, name: str) -> None:
    annotations = faasd.functions()[name]["annotations"]
    assert annotations["topic"] == "cron-function"
    assert annotations["schedule"] == SCHEDULED[name]


def test_a_tick_arrives_at_the_function(platform: Platform, faasd: OpenFaaS) -> None:
    """The function's own log says it: a call of its root, answered with 202."""
    until(lambda: bool(_ticks(faasd)), "a tick in the log of sync-meta", _MORE_THAN_A_MINUTE_S)
    assert _ticks(faasd)[-1]["status"] == 202
    assert "Invoking: sync-meta" in platform.log("cron-connector")


def _ticks(faasd: OpenFaaS) -> list[dict[str, Any]]:
    asked = [one for one in faasd.events("sync-meta") if one["event"] == "request"]
    return [one for one in asked if (one["method"], one["route"]) == ("POST", "/")]
