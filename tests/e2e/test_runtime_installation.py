"""From a fresh checkout to a running stack, as root and as anybody else; interrupted installations heal."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.e2e.runtime import ROOT

pytestmark = pytest.mark.slow
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of the project that git knows or would take, and nothing that was installed or built."""
    target = tmp_path / "adloom"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@dataclass(frozen=True)
class Somebody:
    """A user of this machine without any rights, who has a checkout."""

    name: str
    uid: int
    home: Path
    checkout: Path

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ADLOOM_", "COV_", "MAKE"))}
        environment = {**kept, "HOME": str(self.home), "PATH": SYSTEM_PATH, "ADLOOM_AUTOCONNECT": "0"}
        return subprocess.run(
            ["make", target],
            cwd=self.checkout,
            env=environment,
            user=self.name,
            group=self.name,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )

    def processes(self) -> list[str]:
        """What runs in this user's name. A dead process that init has not collected yet does not run."""
        mine = [one for one in psutil.process_iter(["uids", "name", "status"]) if one.info["uids"].real == self.uid]
        return [one.info["name"] for one in mine if one.info["status"] != psutil.STATUS_ZOMBIE]


@pytest.fixture
def somebody(checkout: Path, tmp_path: Path) -> Iterator[Somebody]:
    if os.geteuid() != 0:
        pytest.skip("only root can make a user")
    name = f"adloom-test-{os.getpid()}"
    # Everybody may enter /tmp, nobody else's test folders.
    home = Path("/tmp") / name  # noqa: S108 - made here, with this process's number
    subprocess.run(["useradd", "--system", "--user-group", "--create-home", "--home-dir", home, name], check=True)
    try:
        checkout.rename(home / "adloom")
        subprocess.run(["chown", "-R", f"{name}:{name}", home], check=True)
        yield Somebody(name, home.stat().st_uid, home, home / "adloom")
    finally:
        subprocess.run(["userdel", name], check=True)
        shutil.rmtree(home)


def test_anybody_can_start_and_stop_it(somebody: Somebody) -> None:
    started = somebody.make("start")
    assert started.returncode == 0, started.stderr
    assert "Adloom runs at http://127.0.0.1:" in started.stdout
    assert "Log in as " in started.stdout
    assert {"postgres", "nats-server", "caddy", "rclone"} <= set(somebody.processes())
    shown = somebody.make("status")
    assert (shown.returncode, "silent" in shown.stdout) == (0, False), shown.stdout
    stopped = somebody.make("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "Adloom has stopped.\n")
    assert somebody.processes() == []


def test_an_installation_that_was_killed_is_healed_by_the_next_one(checkout: Path) -> None:
    command = ["python3", "infra/local/bootstrap.py", "connector", "--", "-c", "import nats, adloom; print('works')"]
    with subprocess.Popen(command, cwd=checkout, start_new_session=True) as first:
        deadline = time.monotonic() + 120
        while not (checkout / ".venv" / "bin" / "uv").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGKILL)
    again = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True, timeout=240)
    assert again.stdout.endswith("works\n")
    third = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True, timeout=60)
    assert third.stdout == "works\n", "there was nothing left to install"


def test_two_installations_at_once_do_not_collide(checkout: Path) -> None:
    command = ["python3", "infra/local/bootstrap.py", "base", "--", "-c", "import adloom.settings; print('works')"]
    both = [subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert all(one.communicate(timeout=240)[0].endswith("works\n") for one in both)
    assert [one.returncode for one in both] == [0, 0]


def test_a_python_that_is_too_old_is_named(checkout: Path, tmp_path: Path) -> None:
    """The script asks the interpreter that reads it, so its limit is raised above the one at hand."""
    script = checkout / "infra" / "local" / "bootstrap.py"
    script.write_text(
        script.read_text().replace("OLDEST, NEWEST = (3, 11), (3, 14)", "OLDEST, NEWEST = (3, 98), (3, 99)")
    )
    refused = subprocess.run(["python3", script, "local"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "Adloom needs Python 3.11 to 3.14, and " in refused.stderr
    assert not (checkout / ".venv").exists()
