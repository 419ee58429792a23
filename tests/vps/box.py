"""Another Debian on this machine: a folder with its files, entered as while an image is built, or booted."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.images import machine as host

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adloom" / "vps"
SUITE = "trixie"
# What the images of hosters have, too.
_INCLUDED = "systemd,systemd-sysv,dbus,ca-certificates,openssh-server,iproute2,procps"
_BASE_VERSION = "1"
# The mount points of enter.sh and the cache of ldconfig are nobody's settings; packages lie in venvs by their lock.
_MANIFEST = r"""
cd /
folders="etc usr/local opt var/lib/adloom"
not="! -path etc/ld.so.cache ! -path etc/resolv.conf ! -path opt/adloom/venvs/*/*/*"
{
    set -f
    find $folders $not -printf '%p %y %m %U %G %l\n'
    find $folders -type f $not -print0 | xargs -0 -r sha256sum
} 2> /dev/null | LC_ALL=C sort
"""


def base() -> Path:
    """A minimal Debian 13, made once by debootstrap and kept under the user's cache."""
    key = hashlib.sha256(f"{_BASE_VERSION} {SUITE} {_INCLUDED}".encode()).hexdigest()[:12]
    kept = CACHE / f"base-{key}"
    if kept.is_dir():
        return kept
    CACHE.mkdir(parents=True, exist_ok=True)
    mirror, _security = host.mirrors()
    partial = CACHE / f"base-{uuid.uuid4().hex[:8]}.partial"
    command = ["debootstrap", "--variant=minbase", f"--include={_INCLUDED}", SUITE, str(partial), mirror]
    with (CACHE / "debootstrap.log").open("w", encoding="utf-8") as log:
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=True)
    # Where packages come from is told from outside, as long as a test runs.
    (partial / "etc/apt/sources.list").write_text("", encoding="utf-8")
    (partial / "etc/dpkg/dpkg.cfg.d/throwaway").write_text("force-unsafe-io\n", encoding="utf-8")
    (partial / "etc/apt/apt.conf.d/keep").write_text('APT::Keep-Downloaded-Packages "true";\n', encoding="utf-8")
    shutil.rmtree(partial / "var/cache/apt/archives", ignore_errors=True)
    (partial / "etc/resolv.conf").write_text("", encoding="utf-8")
    partial.rename(kept)
    return kept


@dataclass
class Debian:
    """A copy of the base that a test may change. `host` is the folder that it sees as /host."""

    path: Path
    secrets: Path
    host: Path

    @classmethod
    def fresh(cls, path: Path, secrets: Path, host: Path) -> Debian:
        subprocess.run(["cp", "-a", "--reflink=auto", str(base()), str(path)], check=True)
        return cls(path, secrets, host)

    def command(self, *words: str, network: bool = True) -> list[str]:
        outside = [] if network else ["unshare", "--net"]
        return [*outside, str(HERE / "enter.sh"), str(self.path), str(self.secrets), str(self.host), *words]

    def run(self, *words: str, network: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in it, without a terminal; both outputs together."""
        return subprocess.run(
            self.command(*words, network=network),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def manifest(self) -> str:
        """Every file of ours and of /etc: kind, mode, owner, where a link goes, and the hash of its content."""
        done = self.run("bash", "-c", _MANIFEST, network=False)
        assert done.returncode == 0, done.stdout
        return done.stdout


class Machine:
    """A Debian that was booted: its own processes, network and cgroups."""

    def __init__(self, debian: Debian) -> None:
        self.debian = debian
        self._name = f"adloom-vps-{uuid.uuid4().hex[:8]}"
        self._log = debian.path.with_suffix(".console")
        command = [str(HERE / "boot.sh"), str(debian.path), str(debian.host), self._name]
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait(self, seconds: float = 600) -> None:
        """Until everything that is enabled was started, or failed to."""
        deadline = time.monotonic() + seconds
        while not self._booted():
            assert self._process.poll() is None, self.console()
            assert time.monotonic() < deadline, f"the machine did not come up:\n{self.console()}"
            time.sleep(0.5)

    def _booted(self) -> bool:
        if self._init() is None:
            return False
        return self.run("systemctl", "is-system-running").stdout.strip() in {"running", "degraded"}

    def _init(self) -> int | None:
        """Its first process, as soon as that is systemd: before, there is no machine to go into."""
        told = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="utf-8").split()
        if not told or Path(f"/proc/{told[0]}/comm").read_text(encoding="utf-8").strip() != "systemd":
            return None
        return int(told[0])

    def command(self, *words: str) -> list[str]:
        clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]
        return ["nsenter", "--target", str(self._init() or "none"), "--all", *clean, *words]

    def run(
        self, *words: str, text: str | None = None, told: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on it as root; both outputs together."""
        set_first = [f"{name}={value}" for name, value in (told or {}).items()]
        return subprocess.run(
            self.command("env", *set_first, *words) if set_first else self.command(*words),
            input=text or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def output(self, *words: str, text: str | None = None) -> str:
        done = self.run(*words, text=text)
        assert done.returncode == 0, f"{' '.join(words)}:\n{done.stdout}"
        return done.stdout.strip()

    def python(self, script: str) -> str:
        """What a script prints that the installation's own Python runs, with its libraries."""
        return self.output("/opt/adloom/current/venv/bin/python", "-", text=script)

    def journal(self, unit: str, lines: int = 40) -> str:
        return self.run("journalctl", "--quiet", "--no-pager", "-o", "cat", "-u", unit, "-n", str(lines)).stdout

    def console(self) -> str:
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:])

    def stop(self) -> None:
        """End it with everything it started; its cgroups are removed."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for group in [*Path("/sys/fs/cgroup").glob(self._name), *Path("/sys/fs/cgroup").glob(f"*/{self._name}")]:
            _remove(group)


def _remove(group: Path) -> None:
    """A group of cgroups, from its leaves on. The kernel takes a moment to let the last process go."""
    folders = [Path(folder) for folder, _names, _files in os.walk(group, topdown=False)]
    deadline = time.monotonic() + 10
    for folder in folders:
        while folder.exists():
            try:
                folder.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
