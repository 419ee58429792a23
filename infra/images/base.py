"""Stand-ins for the base images, for tests on machines that reach no registry.

They carry the very names that the Dockerfiles use, so that one Dockerfile serves users and tests. What they hold is
Debian's: debootstrap makes a minimal trixie, apt adds Python, Go, PostgreSQL. They are images like any other, made
again only when what makes them has changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.deployment.stackfile import ROOT
from infra.images import content, machine
from infra.images.context import write_files
from infra.images.engine import Engine, EngineError, Timer, say

SUITE = "trixie"
DEBIAN = "localhost/adloom-stand-in/debian:trixie"
PYTHON = "docker.io/library/python:3.13-slim-trixie"
GOLANG = "docker.io/library/golang:1.24-trixie"
TIMESCALEDB = "docker.io/timescale/timescaledb:2.29.2-pg17"
NATS = "docker.io/library/nats:2.15.1"
CADDY = "docker.io/library/caddy:2.11.7"
WATCHDOG = "ghcr.io/openfaas/of-watchdog:0.11.5"

_FILES = Path(__file__).with_name("stand_ins")
_OPENFAAS = "/opt/openfaas/bin"
# Ours, or a name that an official image of a registry may have by now: ours alone are made again.
STAND_IN = "org.adloom.stand-in"
# What official slim images leave out, and what would tell where this one was made.
_SUPERFLUOUS = (
    *("usr/share/doc", "usr/share/info", "usr/share/man", "usr/share/locale", "var/log", "var/cache/apt"),
    *("var/lib/apt/lists", "etc/apt/sources.list", "etc/apt/sources.list.d", "etc/resolv.conf", "etc/hostname"),
)
_DPKG_EXCLUDES = """path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
"""
# A package's own files, and the folders that programs expect though they are empty.
_EMPTY = ("var/log", "var/cache/apt", "var/lib/apt/lists/partial", "etc/apt/sources.list.d")
_INCLUDED = "ca-certificates"


@dataclass(frozen=True)
class StandIn:
    """An image made from `stand_ins/<recipe>.Dockerfile` and a few files beside it."""

    image: str
    recipe: str
    files: tuple[Path, ...] = ()

    @property
    def dockerfile(self) -> Path:
        return _FILES / f"{self.recipe}.Dockerfile"


def stand_ins() -> list[StandIn]:
    """Those that can be made here; the watchdog's only where its program is at hand."""
    programs = Path(sys.executable).parent
    listed = [
        StandIn(PYTHON, "python"),
        StandIn(GOLANG, "golang"),
        StandIn(TIMESCALEDB, "timescaledb", (_FILES / "timescaledb-entrypoint.sh",)),
        StandIn(NATS, "nats", (programs / "nats-server",)),
        StandIn(CADDY, "caddy", (programs / "caddy",)),
    ]
    watchdog = openfaas_program("fwatchdog")
    return [*listed, StandIn(WATCHDOG, "watchdog", (watchdog,))] if watchdog else listed


def openfaas_program(name: str) -> Path | None:
    """A program of OpenFaaS, from the folder OPENFAAS_BIN, /opt/openfaas/bin or the PATH."""
    folders = os.pathsep.join(filter(None, (os.environ.get("OPENFAAS_BIN"), _OPENFAAS, os.environ.get("PATH"))))
    found = shutil.which(name, path=folders)
    return Path(found) if found else None


def make(engine: Engine, wanted: set[str], secrets: Mapping[str, Path]) -> Engine:
    """Make the stand-ins of these names that are missing or out of date; the engine with the flags it needs."""
    debian = _debian(engine)
    engine = engine.with_flags(DEBIAN)
    if engine.flags:
        say(f"flags of {engine.name} on this machine: {' '.join(engine.flags)}")
    for one in stand_ins():
        if one.image in wanted:
            _make(engine, one, debian, secrets)
    return engine


def _make(engine: Engine, one: StandIn, debian: str, secrets: Mapping[str, Path]) -> None:
    context = write_files(f"stand-ins/{one.recipe}", (one.dockerfile, *one.files))
    wanted = content.fingerprint(context, {"debian": debian})
    if _is_current(engine, one.image, wanted):
        return say(f"stand-in {one.image}: unchanged")
    timer = Timer()
    engine.build(
        context,
        image=one.image,
        dockerfile=context / one.dockerfile.name,
        arguments={"DEBIAN": DEBIAN} if "ARG DEBIAN" in one.dockerfile.read_text(encoding="utf-8") else {},
        labels={content.LABEL: wanted, STAND_IN: "yes"},
        secrets=secrets,
        pull=False,
    )
    return timer.says(f"stand-in {one.image}: made, {engine.size(one.image) >> 20} MB")


def _is_current(engine: Engine, image: str, wanted: str) -> bool:
    known = engine.label(image, content.LABEL)
    if known is None and engine.inspect(image) is not None:
        say(f"{image} is here and not a stand-in; it stays as it is")
        return True
    return known == wanted


def _debian(engine: Engine) -> str:
    """The id of the minimal Debian, made by debootstrap where it is missing."""
    recipe = write_files("stand-ins/debian", (_FILES / "debian.Dockerfile",))
    wanted = content.fingerprint(
        recipe, {"suite": SUITE, "included": _INCLUDED, "left out": " ".join(_SUPERFLUOUS), "dpkg": _DPKG_EXCLUDES}
    )
    if engine.label(DEBIAN, content.LABEL) == wanted:
        say(f"stand-in {DEBIAN}: unchanged")
        return engine.identity(DEBIAN)
    timer = Timer()
    _bootstrap(recipe / "debian.tar")
    engine.build(
        recipe,
        image=DEBIAN,
        dockerfile=recipe / "debian.Dockerfile",
        labels={content.LABEL: wanted, STAND_IN: "yes"},
        pull=False,
    )
    (recipe / "debian.tar").unlink()
    timer.says(f"stand-in {DEBIAN}: made, {engine.size(DEBIAN) >> 20} MB")
    return engine.identity(DEBIAN)


def _bootstrap(archive: Path) -> None:
    """Write a minimal Debian as a tar file."""
    if os.geteuid() != 0:
        raise EngineError(
            "Stand-ins for the base images are made with debootstrap, which works as root only. Run this once as root "
            "(sudo -E), or without --stand-ins on a machine that reaches a registry."
        )
    if shutil.which("debootstrap") is None:
        raise EngineError("Stand-ins for the base images need debootstrap: apt-get install debootstrap")
    mirror, _ = machine.mirrors()
    if not mirror:
        raise EngineError("apt on this machine names no source of Debian, so debootstrap has none either.")
    log = ROOT / "build" / "stand-ins" / "debootstrap.log"
    with tempfile.TemporaryDirectory(dir=archive.parent.parent) as folder, log.open("w", encoding="utf-8") as file:
        root = Path(folder) / "root"
        command = ["debootstrap", "--variant=minbase", f"--include={_INCLUDED}", SUITE, str(root), mirror]
        if subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode:
            raise EngineError(f"debootstrap could not make a Debian {SUITE}; it says why in {log}.")
        _slim(root)
        subprocess.run(["tar", "--create", "--numeric-owner", "--file", archive, "--directory", root, "."], check=True)


def _slim(root: Path) -> None:
    for name in _SUPERFLUOUS:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in _EMPTY:
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(_DPKG_EXCLUDES, encoding="utf-8")


def at_hand() -> set[str]:
    """The names of the stand-ins that can be made here."""
    return {one.image for one in stand_ins()}
