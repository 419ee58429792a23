"""A function is process 1 of its container: it must obey when it is told to stop, and end what it has begun."""

from __future__ import annotations

import http.client
import json
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.images.base import WATCHDOG
from tests.images.built import build, engine, tag

pytestmark = pytest.mark.usefixtures("images")

# What a platform waits for a container until it kills it, and what is well below that.
GRACE_S = 30
SOON_S = 12
NAP_S = 3

HANDLER = """
import sys
import time
from adloom.settings import CoreSettings
from adloom.web import Guard, RequestModel, create_function
from pydantic import BaseModel

class Nap(RequestModel):
    seconds: float

class Slept(BaseModel):
    seconds: float

app = create_function("napper", CoreSettings)

@app.route_model("POST", "/naps", guard=Guard.public("for a test", "1000/minute"), summary="Sleep")
def nap(body: Nap) -> Slept:
    sys.stderr.write("napping\\n")
    time.sleep(body.seconds)
    return Slept(seconds=body.seconds)
"""
LOADS_FOR_EVER = "import sys, time\nsys.stderr.write('loading\\n')\nsys.stderr.flush()\ntime.sleep(600)\n"


@dataclass(frozen=True)
class Container:
    name: str

    @property
    def port(self) -> int:
        return int(engine().output("port", self.name, "8080").rpartition(":")[2])

    def wait_for_output(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while text not in (said := self.output()):
            assert time.monotonic() < deadline, said
            time.sleep(0.1)

    def output(self) -> str:
        """What it wrote to both of its streams."""
        command = [engine().program, "logs", self.name]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout

    def call(self, path: str, body: object) -> tuple[int, object]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=GRACE_S)) as connection:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def stop(self) -> tuple[int, float]:
        """Tell it to stop; its exit status and the seconds it took."""
        began = time.monotonic()
        engine().output("stop", "--time", str(GRACE_S), self.name)
        took = time.monotonic() - began
        return int(engine().output("inspect", "--format", "{{.State.ExitCode}}", self.name)), took


class Napper:
    """Starts containers of a function that a test has written, and removes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[str] = []

    def start(self, handler: str, image: str, *flags: str, command: tuple[str, ...] = ()) -> Container:
        self._folder.mkdir(exist_ok=True)
        self._folder.chmod(0o755)
        (self._folder / "handler.py").write_text(handler, encoding="utf-8")
        name = f"adloom-test-{secrets.token_hex(4)}"
        self._started.append(name)
        confined = (
            "--read-only",
            "--tmpfs=/tmp",
            "--cap-drop=all",
            "--security-opt=no-new-privileges",
            "--memory=256m",
        )
        address = "http://127.0.0.1:8080"
        settings = (f"--env=ADLOOM_PUBLIC_URL={address}", f"--env=ADLOOM_GATEWAY_URL={address}")
        mounts = (f"--volume={self._folder}:/handler:ro", "--publish=127.0.0.1::8080")
        options = (*engine().flags, "--detach", f"--name={name}", "--pull=never", *confined, *settings, *mounts, *flags)
        engine().output("run", *options, image, *command)
        return Container(name)

    def remove(self) -> None:
        for name in self._started:
            engine().output("rm", "--force", name)


@pytest.fixture
def napper(tmp_path: Path) -> Iterator[Napper]:
    made = Napper(tmp_path / "handler")
    yield made
    made.remove()


SERVE = ("python", "serve.py", "/handler")


@pytest.fixture(params=["by itself", "behind the watchdog"])
def serving(request: pytest.FixtureRequest, napper: Napper) -> Container:
    """A function that naps, in either stage of its image."""
    if request.param == "by itself":
        return napper.start(HANDLER, tag("auth"), command=SERVE)
    if engine().inspect(WATCHDOG) is None:
        pytest.skip("no watchdog: its program is looked for in OPENFAAS_BIN, /opt/openfaas/bin and the PATH")
    prefix = "localhost/adloom-openfaas"
    build("--only", "auth", "--stage", "openfaas", "--prefix", prefix)
    fprocess = f"--env=fprocess=env port=5000 ADLOOM_BIND=127.0.0.1 {' '.join(SERVE)}"
    return napper.start(HANDLER, f"{prefix}/{tag('auth').rpartition('/')[2]}", fprocess)


def test_what_is_under_way_is_answered_before_it_ends(serving: Container) -> None:
    serving.wait_for_output('"serving"')
    answers: list[tuple[int, object]] = []
    caller = threading.Thread(target=lambda: answers.append(serving.call("/naps", {"seconds": NAP_S})))
    caller.start()
    serving.wait_for_output("napping")

    status, took = serving.stop()
    caller.join(GRACE_S)

    assert answers == [(200, {"seconds": float(NAP_S)})]
    assert status == 0
    assert took < SOON_S


def test_told_to_stop_while_it_still_loads_it_ends_at_once(napper: Napper) -> None:
    container = napper.start(LOADS_FOR_EVER, tag("auth"), command=SERVE)
    container.wait_for_output("loading")

    status, took = container.stop()

    assert status == 0
    assert took < SOON_S
