"""What the functions cost on OpenFaaS; written to docs/images.md."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import httpx
import psutil

from infra.deployment.stackfile import read_functions
from infra.local.processes import Identity
from tests.deployed.figures import MIB, first_answer, latency, memory, table, write
from tests.faasd.openfaas import REGISTRY, URL, OpenFaaS
from tests.faasd.platform import Platform
from tests.faasd.programs import say, until

NAMES = [function.name for function in read_functions()]
ASKED = "/_/ready"
_HEADINGS = ("function", "image as pulled, MB", "start to first 200, s", "idle, MB", "gateway, ms", "directly, ms")
_MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_TEXT = """\
On faasd, behind gateway and provider, measured by `make e2e-faasd`. The start is from the request that makes
the container of an image that is there to the first 200 of `{asked}`, which asks the database. Idle is the
proportional set size of the function after a few hundred requests. The last two columns are p50 / p95
of `{asked}`, called one after another through the gateway and at the container's own address.

{functions}

| idle, all of it | MB |
| --- | ---: |
{whole}
"""


def test_the_figures_of_the_functions(platform: Platform, faasd: OpenFaaS) -> None:
    rows = []
    for name in NAMES:
        seconds = cold_start(faasd, name)
        task = faasd.task(name)
        gateway = latency(f"{URL}/function/{name}{ASKED}")
        directly = latency(f"http://{task.address}:8080{ASKED}")
        size, idle = f"{pulled(name) / MIB:.0f}", f"{memory(task.pid) / MIB:.0f}"
        rows.append((f"`{name}`", size, f"{seconds:.2f}", idle, gateway, directly))
        assert gateway.p50 < 1000 > directly.p50
    functions = table(_HEADINGS, rows)
    whole = "\n".join(f"| {what} | {bytes_ / MIB:.0f} |" for what, bytes_ in everything(faasd))
    text = _TEXT.format(asked=ASKED, functions=functions, whole=whole)
    say(text.replace("\n", "\n  "))
    write("faasd", text)


def cold_start(faasd: OpenFaaS, name: str) -> float:
    """Seconds until a function that does not run answers, once it is wanted."""
    first = faasd.task(name).pid
    os.kill(first, signal.SIGKILL)
    until(lambda: Identity.of(first) is None and faasd.replicas(name) == 0, f"the end of {name}")
    began = time.monotonic()
    faasd.scale(name, 1)
    return first_answer(f"{URL}/function/{name}{ASKED}", began)


def pulled(name: str) -> int:
    """Bytes of the image's compressed layers."""
    url = f"http://{REGISTRY}/v2/adloom/{name}/manifests/latest"
    manifest = httpx.get(url, headers={"Accept": _MANIFEST}, trust_env=False).raise_for_status().json()
    return sum(int(layer["size"]) for layer in manifest["layers"])


def everything(faasd: OpenFaaS) -> Iterator[tuple[str, int]]:
    """Part -> bytes, of all that runs in the box."""
    functions = sum(memory(faasd.task(name).pid) for name in NAMES)
    parts = {name: memory(program.pid) for name, program in faasd.programs.running.items()}
    openfaas = ("provider", "gateway", "cron-connector", "prometheus")
    runtime = parts["containerd"] + shims()
    ours = ("connector", "dashboard")
    servers = ("postgres", "nats", "s3", "front")
    yield "functions", functions
    yield "provider, gateway, cron-connector, Prometheus", sum(parts[name] for name in openfaas)
    yield "containerd and its shims", runtime
    yield "connector and dashboard", sum(parts[name] for name in ours)
    yield "Postgres, NATS, S3, front door", sum(parts[name] for name in servers)
    yield "together", functions + runtime + sum(parts[name] for name in (*openfaas, *ours, *servers))


def shims() -> int:
    """Bytes of containerd's shims without what runs under them, and of the programs that take the logs."""
    found = (one for one in psutil.process_iter(["name", "cmdline"]))
    mine = [one for one in found if "containerd-shim" in (one.info["cmdline"] or [""])[0]]
    return sum(one.memory_full_info().pss for one in mine)
