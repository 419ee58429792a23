"""Commands of the system and waiting for what they start."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.faasd.errors import MachineFault
from infra.faasd.layout import ENVIRONMENT, LOCAL_ENVIRONMENT, SECRETS

_POLL_S = 0.5
_ANSWER_S = 5.0


def run(
    command: Sequence[str | Path],
    *,
    text: str | None = None,
    told: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """What a command prints; MachineFault with its last words when it fails. `text` goes to its standard input."""
    done = subprocess.run(
        [str(word) for word in command],
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(told or {})},
        cwd=folder or Path("/"),
    )
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
        raise MachineFault(f"`{command[0]} {command[1] if len(command) > 1 else ''}` failed: {' / '.join(words)}")
    return done.stdout


def watch(command: Sequence[str | Path], *, told: Mapping[str, str], folder: Path) -> None:
    """Run a long command whose words go to ours; MachineFault when it fails."""
    words = [str(word) for word in command]
    if subprocess.run(words, check=False, env={**os.environ, **told}, cwd=folder, stdin=subprocess.DEVNULL).returncode:
        raise MachineFault(f"`{' '.join(words[:6])}` failed; the lines above say why.")


def systemctl(*words: str) -> None:
    run(["systemctl", *words])


def systemd_runs() -> bool:
    return Path("/run/systemd/system").is_dir()


def environment() -> dict[str, str]:
    """What the services are told: the installation's settings, then the operator's own."""
    told: dict[str, str] = {}
    for path in (ENVIRONMENT, LOCAL_ENVIRONMENT):
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            told |= dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return told


def secret(name: str) -> str:
    try:
        return (SECRETS / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise MachineFault(f"{SECRETS / name} is missing. Run install.sh again; it makes what is missing.") from None


def status_of(url: str) -> int:
    """The status that a GET gets; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:  # noqa: S310 - addresses of this machine
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def wait_for(what: str, true: Callable[[], bool], seconds: float) -> None:
    """MachineFault when something is not true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise MachineFault(f"{what} within {seconds:.0f} s")
        time.sleep(_POLL_S)
