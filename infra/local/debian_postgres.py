"""PostgreSQL 17 with Debian's TimescaleDB, unpacked from its packages and run without being installed.

`python -m infra.local.debian_postgres COMMAND...` makes the programs where they are missing, and runs the command with
ADLOOM_POSTGRES_BIN. The packages come from where this machine's apt gets its own. Each program is started by the loader
of the same Debian with its libraries, so that the machine's may be older. Nothing here needs root.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.images import machine
from infra.local.errors import RuntimeFault
from infra.local.home import ROOT
from infra.local.postgres import PROGRAMS

PACKAGES = ("postgresql-17", "postgresql-17-timescaledb")
# Of what these depend on: libraries and the locale, but not the scripts that manage servers.
_WANTED = ("lib", "postgresql-17", "postgresql-client-17")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ZONES = Path("/usr/share/zoneinfo/UTC")
_BIN = "usr/lib/postgresql/17/bin"
_LOADERS = ("usr/lib64/ld-linux-*.so.*", "usr/lib/ld-linux-*.so.*")
_PROGRAM = """#!/bin/sh
root=${{0%/{folder}/*}}
exec "$root/{loader}" --library-path "$root/{libraries}" --argv0 "$0" "$root/{folder}/real/${{0##*/}}" "$@"
"""


class NoDebianError(RuntimeFault):
    """This machine gets no packages of Debian."""


def programs() -> Path:
    """The folder with postgres, initdb, ...; made once for what this module says and the machine's sources."""
    sources = machine.sources()
    if not sources and os.geteuid() == 0 and shutil.which("apt-get"):
        _run(["apt-get", "update", "-qq"])
        sources = machine.sources()
    if not sources:
        raise NoDebianError("PostgreSQL 17 with TimescaleDB is taken from Debian, and apt here names no source of it.")
    if not _ZONES.exists():
        raise RuntimeFault("PostgreSQL needs the time zones of the machine: apt-get install tzdata")
    content = Path(__file__).read_bytes() + sources.encode()
    place = ROOT / "build" / "postgres-17" / hashlib.sha256(content).hexdigest()[:16]
    if not place.is_dir():
        shutil.rmtree(place.parent, ignore_errors=True)
        unfinished = place.with_suffix(".partial")
        unfinished.mkdir(parents=True)
        for package in _download(unfinished / "apt", sources):
            _run(["dpkg-deb", "--extract", str(package), str(unfinished)])
        shutil.rmtree(unfinished / "apt")
        _wrap(unfinished)
        unfinished.rename(place)
    return place / _BIN


def _download(folder: Path, sources: str) -> list[Path]:
    """The packages and what they need, as apt chooses them for a machine with nothing installed."""
    for name in ("lists/partial", "cache/archives/partial", "none"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    signed = f"deb [signed-by={_KEYRING}] " if _KEYRING.exists() else "deb "
    (folder / "sources.list").write_text(sources.replace("deb ", signed), encoding="utf-8")
    options = {
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": folder / "none",
        "Dir::Etc::PreferencesParts": folder / "none",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",  # the user that apt would take may not write here
    }
    apt = ["apt-get", "-qq", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]
    _run([*apt, "update"])
    uris = subprocess.run(
        [*apt, "install", "--yes", "--print-uris", *PACKAGES], capture_output=True, text=True, check=True
    ).stdout
    names = [line.split()[1].partition("_")[0] for line in uris.splitlines() if line.startswith("'")]
    found = folder / "debs"
    found.mkdir()
    wanted = [name for name in names if name.startswith(_WANTED)]
    subprocess.run([*apt, "download", *wanted], cwd=found, check=True, stdout=subprocess.DEVNULL)
    return sorted(found.glob("*.deb"))


def _wrap(root: Path) -> None:
    """Put a script in the place of each program, which runs it with its own loader and libraries."""
    loader = next(path for pattern in _LOADERS for path in root.glob(pattern))
    libraries = next(root.glob("usr/lib/*-linux-gnu"))
    text = _PROGRAM.format(folder=_BIN, loader=loader.relative_to(root), libraries=libraries.relative_to(root))
    real = root / _BIN / "real"
    real.mkdir()
    for program in [path for path in (root / _BIN).iterdir() if path.is_file()]:
        with program.open("rb") as file:
            is_binary = file.read(4) == b"\x7fELF"
        if is_binary:
            program.rename(real / program.name)
            program.write_text(text, encoding="utf-8")
            program.chmod(0o755)


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeFault(f"`{' '.join(command[:2])}` failed: {result.stderr.strip() or result.stdout.strip()}")


def main() -> int:
    """Run the command with the programs; those that ADLOOM_POSTGRES_BIN names already are taken as they are."""
    try:
        folder = os.environ.get(PROGRAMS) or str(programs())
    except NoDebianError as error:
        print(f"skipped: {error}")
        return 0
    except RuntimeFault as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{PROGRAMS}={folder}", flush=True)
    return subprocess.run(sys.argv[1:], env=os.environ | {PROGRAMS: folder}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
