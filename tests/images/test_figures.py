"""Measures the images as they run, and writes the table of docs/images.md."""

from __future__ import annotations

import os
import time

from infra.deployment.stackfile import read_functions
from infra.local.verify import Comparison
from tests.deployed import figures
from tests.deployed.figures import MIB
from tests.images.built import engine
from tests.images.running import Running

FUNCTIONS = [function.name for function in read_functions()]
SERVED = {**dict.fromkeys(FUNCTIONS, "/_/health"), "dashboard": "/_/health"}
# A first answer takes less than a second of a machine's own; a machine that does other things is given time.
COLD_S = 20.0
STACK_MIB = 1500


def test_the_table_of_the_page_is_measured(platform: Running, job: Comparison) -> None:
    used = {name: figures.memory(platform.pid(name)) / MIB for name in platform.model_services()}
    rows = [_row(platform, name, used[name]) for name in used]
    whole = sum(used.values())
    rows.append(["**everything**", "", "", f"**{whole:.0f}**", "", ""])
    headings = ("", "image, MB", "cold start, s", "idle, MB", "front door, p50 / p95 ms", "directly, p50 / p95 ms")
    about = f"{os.cpu_count()} cores, podman, TimescaleDB's Apache edition; memory after the main job.\n\n"
    figures.write("podman", about + figures.table(headings, rows))
    assert whole < STACK_MIB


def _row(platform: Running, name: str, used: float) -> list[str]:
    image = platform.place.text(platform.services[name].image)
    row = [f"`{name}`", f"{engine().size(image) / MIB:.0f}"]
    if name not in SERVED:
        return [*row, "", f"{used:.0f}", "", ""]
    cold = _cold_start(platform, name)
    assert cold < COLD_S
    direct = figures.latency(f"http://{platform.address(name)}:8080{SERVED[name]}")
    through = figures.latency(f"{platform.url}/function/{name}{SERVED[name]}") if name in FUNCTIONS else ""
    return [*row, f"{cold:.1f}", f"{used:.0f}", str(through), str(direct)]


def _cold_start(platform: Running, name: str) -> float:
    """From `podman run` of a new container to its first answer."""
    platform.podman("rm", "--force", "--time", "15", platform.container(name))
    began = time.monotonic()
    platform.run(name)
    took = figures.first_answer(f"http://{platform.address(name)}:8080{SERVED[name]}", began)
    platform.wait(name)
    return took
