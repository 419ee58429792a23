"""The folder that holds one stack: `.adloom/`, or where `ADLOOM_HOME` points."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.deployment.private import write_private
from infra.local.errors import RuntimeFault, explain

ROOT = Path(__file__).resolve().parents[2]
# An empty Postgres with its write-ahead log takes about 100 MB, a sandbox's numbers as much again.
NEEDED_DISK_BYTES = 300 * 1024 * 1024


@dataclass(frozen=True)
class Home:
    """Where the files of one stack lie. Only their owner may read them."""

    path: Path

    @classmethod
    def from_environment(cls) -> Home:
        told = os.environ.get("ADLOOM_HOME")
        return cls((Path(told).expanduser() if told else ROOT / ".adloom").absolute())

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    @property
    def state_file(self) -> Path:
        return self.path / "state.json"

    @property
    def processes_file(self) -> Path:
        return self.path / "processes.json"

    @property
    def lock_file(self) -> Path:
        return self.path / "supervisor.lock"

    @property
    def clock_file(self) -> Path:
        return self.path / "clock"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    @property
    def holds(self) -> Path:
        """A file `holds/<part>` keeps that part down until it is removed."""
        return self.path / "holds"

    def log(self, process: str) -> Path:
        return self.logs / f"{process}.log"

    def prepare(self) -> None:
        """Make the folders; RuntimeFault when this user cannot own a stack here."""
        self.check_owner()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            for folder in (self.logs, self.secrets, self.holds, self.path / "work"):
                folder.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path) as trial:  # nobody else's, who may start at the same moment
                trial.write(b"x" * 4096)
        except OSError as error:
            raise explain(error, self.path) from error
        free = shutil.disk_usage(self.path).free
        if free < NEEDED_DISK_BYTES:
            raise RuntimeFault(
                f"The disk under {self.path} has {free // 2**20} MB left; a stack needs "
                f"{NEEDED_DISK_BYTES // 2**20} MB. Free some space, or set ADLOOM_HOME to another disk."
            )

    def check_owner(self) -> None:
        """Files of two users in one home would lock both out, so only its owner may run it."""
        try:
            owner = self.path.stat().st_uid
        except FileNotFoundError:
            return
        except OSError as error:
            raise explain(error, self.path) from error
        if owner != os.geteuid():
            raise RuntimeFault(
                f"{self.path} belongs to {user_name(owner)} and you are {user_name(os.geteuid())}. "
                "Run this as its owner, or set ADLOOM_HOME to a folder of your own."
            )


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def write_json(path: Path, value: dict[str, Any]) -> None:
    write_private(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty where there is none, RuntimeFault where it is no JSON object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, UnicodeDecodeError):
        value = None
    if not isinstance(value, dict):
        raise RuntimeFault(f"{path} is damaged: it holds no JSON object.")
    return value
