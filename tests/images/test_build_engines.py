"""Whichever engine a machine has builds the same images."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time

import httpx
import pytest

from infra.images import engine as engines
from infra.images.content import LABEL
from infra.images.engine import ENGINES, Engine, EngineError
from tests.images.built import build, engine, tag

pytestmark = pytest.mark.usefixtures("images")


def other(name: str) -> Engine:
    """The engine of this name, where it is there and shares its images with the one that built them."""
    try:
        found = engines.find(name)
    except EngineError as reason:
        sys.stdout.write(f"skipped: {reason}\n")
        pytest.skip(str(reason))
    if found.name == engine().name:
        pytest.skip(f"{name} has built all images already")
    if found.inspect(tag("auth")) is None:
        pytest.skip(f"{name} keeps images of its own and would make every stand-in again")
    return found


@pytest.mark.parametrize("name", ENGINES)
def test_another_engine_builds_the_same_content_and_does_so_once(name: str) -> None:
    second = other(name)
    prefix = f"localhost/adloom-{name}"
    image = f"{prefix}/{tag('auth').rpartition('/')[2]}"
    arguments = ("--engine", name, "--only", "auth", "--prefix", prefix)
    try:
        assert f"{image}: built" in build(*arguments)
        assert f"{image}: unchanged" in build(*arguments)

        assert second.label(image, LABEL) == engine().label(tag("auth"), LABEL)
        assert abs(second.size(image) - engine().size(tag("auth"))) < 5 * 10**6
    finally:
        if second.inspect(image):
            second.output("rmi", image)


@pytest.mark.skipif(
    shutil.which("docker-registry") is None, reason="no docker-registry: apt-get install docker-registry"
)
def test_an_image_is_pushed_to_a_registry_on_loopback(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("registry")
    port = free_port()
    (folder / "config.yml").write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder}/data\nhttp:\n  addr: 127.0.0.1:{port}\n",
        encoding="utf-8",
    )
    command = ["docker-registry", "serve", str(folder / "config.yml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as registry:
        try:
            wait_for(f"http://127.0.0.1:{port}/v2/")
            prefix = f"127.0.0.1:{port}/adloom"
            image = f"{prefix}/{tag('auth').rpartition('/')[2]}"
            assert f"{image}: pushed" in build("--only", "auth", "--prefix", prefix, "--push")

            tags = httpx.get(f"http://127.0.0.1:{port}/v2/adloom/auth/tags/list").json()
            assert tags == {"name": "adloom/auth", "tags": [image.rpartition(":")[2]]}
            engine().output("rmi", image)
        finally:
            registry.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(address).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"{address} does not answer")
