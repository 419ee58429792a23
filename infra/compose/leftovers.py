"""Whose the containers are, and what is left of runs that were killed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from infra.images.engine import Engine
from infra.local.processes import Identity

# Whose a container is: the process that started it.
LABEL = "org.adloom.runner"
# How each kind of thing is removed although it is in use.
_KINDS = {"container": ("--force", "--time", "15"), "network": ("--force",), "volume": ("--force",)}


def mark() -> str:
    """This process, so that nobody takes another one of its number for it."""
    own = Identity.of(os.getpid())
    return f"{own.pid}.{own.started}.{own.boot}" if own else str(os.getpid())


def _is_alive(mark: str) -> bool:
    pid, started, boot = (*mark.split(".", 2), "", "")[:3]
    return pid.isdecimal() and Identity(int(pid), started, boot).alive


def remove_leftovers(engine: Engine) -> None:
    """Remove the containers, networks and volumes of runs that were killed."""
    for mark in {mark for kind in _KINDS for mark in _listed(engine, kind, LABEL).values()}:
        if not _is_alive(mark):
            remove(engine, f"{LABEL}={mark}")


def remove(engine: Engine, label: str) -> None:
    """Remove every container, network and volume with this label."""
    for kind, force in _KINDS.items():
        if names := list(_listed(engine, kind, label)):
            engine.output(kind, "rm", *force, *names)


def _listed(engine: Engine, kind: str, label: str) -> dict[str, str]:
    """Name -> mark of everything with a label."""
    everything = ["--all"] if kind == "container" else []
    found = json.loads(engine.output(kind, "ls", *everything, "--filter", f"label={label}", "--format", "json") or "[]")
    lowered = [{key.lower(): value for key, value in one.items()} for one in found]
    return {_name(one): str(one["labels"][LABEL]) for one in lowered}


def _name(one: Mapping[str, Any]) -> str:
    names = one.get("names") or one["name"]
    return str(names if isinstance(names, str) else names[0])
