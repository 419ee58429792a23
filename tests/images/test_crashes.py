"""What dies comes back, and nobody beside it notices."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from infra.deployment.stackfile import read_functions
from infra.local.processes import Identity
from tests.deployed import main_job
from tests.faasd.load import load_on
from tests.images.running import Running

# A loaded machine takes its time; nobody has to do anything.
COMES_BACK_S = 60
FUNCTIONS = [function.name for function in read_functions()]


@pytest.fixture(scope="module")
def token(platform: Running, job: object) -> str:
    """A session of the owner: the logins of a minute are counted."""
    return main_job.log_in(platform.deployment)


@pytest.mark.parametrize("name", [*FUNCTIONS, "connector", "dashboard", "caddy", "nats", "postgres"])
def test_a_killed_container_comes_back(platform: Running, token: str, name: str) -> None:
    platform.kill(name)
    session = {"Authorization": f"Bearer {token}"}
    paths = {f"/function/{function}/_/ready": {} for function in FUNCTIONS}
    for path, headers in {**paths, "/function/auth/session": session, "/login": {}}.items():
        main_job.until(lambda path=path, headers=headers: _answers(platform.url + path, headers), path, COMES_BACK_S)


def _answers(url: str, headers: dict[str, str]) -> bool:
    try:
        return httpx.get(url, headers=headers, trust_env=False, timeout=30).status_code == 200
    except httpx.TransportError:  # the front door itself is away
        return False


async def test_a_function_that_takes_more_than_its_128_mb_is_killed_and_comes_back(platform: Running) -> None:
    """And only it: its neighbours answer every call meanwhile."""
    assert platform.inspect("hungry", "{{.HostConfig.Memory}}") == str(128 << 20)
    before = Identity.of(platform.pid("hungry"))
    assert before is not None
    urls = [f"{platform.url}/function/{name}/_/ready" for name in FUNCTIONS]
    async with load_on(*urls) as loads, httpx.AsyncClient(trust_env=False, timeout=30) as client:
        with pytest.raises(httpx.TransportError):  # its answer dies with it
            await client.post(f"http://{platform.address('hungry')}:8080/")
        await asyncio.to_thread(platform.wait_other, "hungry", before)
        answer = await client.get(f"http://{platform.address('hungry')}:8080/_/ready")
        assert answer.status_code == 200
    assert all(len(load.requests) > 5 for load in loads)
    assert [load.failures for load in loads] == [[] for _ in loads]
