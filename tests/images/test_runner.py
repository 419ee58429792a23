"""What the runner starts it stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.compose import leftovers
from infra.compose.runner import Platform
from infra.images import engine as engines
from infra.images.engine import Engine, EngineError
from tests.images.running import make_secrets

ROOT = Path(__file__).resolve().parents[2]
# Starts a broker, says so and waits for its end.
PROGRAM = """
import signal, sys
from pathlib import Path
from infra.compose.runner import Platform
# Whoever runs the tests in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with Platform(Path(sys.argv[1]), {}, only=["nats"]):
        print("up", flush=True)
        signal.pause()
except KeyboardInterrupt:
    print("stopped", flush=True)
"""
_PATIENCE_S = 60


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_secrets(tmp_path_factory.mktemp("runner") / "secrets")


@pytest.fixture(scope="module")
def engine(images: str) -> Engine:
    return engines.find("podman")


@contextmanager
def started(secrets: Path) -> Iterator[subprocess.Popen[str]]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "shared")])
    command = [sys.executable, "-c", PROGRAM, str(secrets)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


def left_of(engine: Engine, pid: int) -> list[str]:
    """The names of all containers, networks and volumes that this process has made."""
    return [
        name
        for kind in ("container", "network", "volume")
        for name in engine.output(*_listing(kind)).split()
        if name.startswith(f"adloom-{pid}-")
    ]


def _listing(kind: str) -> list[str]:
    everything = ["--all"] if kind == "container" else []
    return [kind, "ls", *everything, "--format", "{{.Names}}" if kind == "container" else "{{.Name}}"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_leaves_nothing(engine: Engine, secrets: Path, number: int) -> None:
    with started(secrets) as process:
        assert len(left_of(engine, process.pid)) == 5, "a container, three networks and a volume"
        process.send_signal(number)
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        assert process.wait(_PATIENCE_S) == 0
    assert left_of(engine, process.pid) == []


def test_killed_it_leaves_what_the_next_start_removes(engine: Engine, secrets: Path) -> None:
    with started(secrets) as process:
        pass
    assert left_of(engine, process.pid)
    with Platform(secrets, {}, only=["nats"]) as other:
        assert left_of(engine, process.pid) == []
        leftovers.remove_leftovers(engine)
        assert other.is_healthy("nats"), "what belongs to a living process stays"


def test_a_start_that_fails_leaves_nothing_and_says_why(engine: Engine, secrets: Path) -> None:
    broken = Platform(secrets, {}, only=["migrate"])
    with pytest.raises(EngineError, match="migrate ended with 1"), broken:
        pytest.fail("there is no database")
    assert not [name for name in left_of(engine, os.getpid()) if name.startswith(broken.place.prefix)]
