"""Writes the model as a compose file, for Docker and for podman."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from infra.compose.model import DEMO, Model
from infra.compose.service import MIB, NETWORKS, Health, Service

FOLDER = Path(__file__).resolve().parent
SECRETS_FOLDER = "${ADLOOM_SECRETS:-./secrets}"
TMP_MIB = 64
_HEAD = """# The whole platform for Docker or podman, without OpenFaaS. See README.md beside this file.
# Written from stack.yml by `python -m infra.compose`: change infra/compose/model.py, not this.
"""
_DEMO_HEAD = "# Made-up ad platforms instead of real ones: `docker compose --env-file demo.env ...`\n"


def files(model: Model) -> dict[str, str]:
    """The files of this folder that are written, by name."""
    demo = _DEMO_HEAD + "".join(f"{name}={value}\n" for name, value in DEMO.items())
    return {"compose.yaml": compose_file(model), "Caddyfile": model.caddyfile, "demo.env": demo}


def compose_file(model: Model) -> str:
    document = {
        "name": "adloom",
        "services": {one.name: _service(one) for one in model.services},
        "networks": {name: {"internal": True} if internal else {} for name, internal in NETWORKS.items()},
        "volumes": {name: {} for one in model.services for name in one.volumes},
        "secrets": {name: {"file": f"{SECRETS_FOLDER}/{name}"} for name in _secrets(model.services)},
    }
    return _HEAD + yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=140, allow_unicode=True
    )


def _secrets(services: Iterable[Service]) -> list[str]:
    return sorted({name for one in services for name in one.secrets})


def _service(one: Service) -> dict[str, Any]:
    """What is empty is left out."""
    said = {
        "image": one.image,
        "profiles": [one.profile] if one.profile else None,
        "command": list(one.command),
        "entrypoint": list(one.entrypoint),
        "user": one.user,
        "environment": _Lines(one.environment),
        "secrets": [{"source": name, "target": f"{one.secrets_at}/{name}"} for name in one.secrets],
        "volumes": [
            *(f"{name}:{path}" for name, path in one.volumes.items()),
            *(f"./{name}:{path}:ro" for name, path in one.files.items()),
            *(f"{source}:{path}" for source, path in one.folders.items()),
        ],
        "networks": list(one.networks),
        "network_mode": None if one.networks else "none",
        "ports": [f"{port.address}:{port.outside}:{port.inside}" for port in one.ports],
        "depends_on": {name: {"condition": condition} for name, condition in one.needs.items()},
        "healthcheck": _health(one.health) if one.health else None,
        **_confinement(one),
        "restart": "no" if one.once else "unless-stopped",
        "stop_grace_period": f"{one.stop_s}s",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }
    return {name: value for name, value in said.items() if value not in (None, "", [], {})}


def _confinement(one: Service) -> dict[str, Any]:
    """A root that nothing writes to, no capability, no more memory than its share, swap included."""
    return {
        "read_only": True,
        "tmpfs": [f"/tmp:size={TMP_MIB}m", *(f"{path}:size=16m" for path in one.scratch)],  # noqa: S108 - its own
        "cap_drop": ["ALL"],
        "cap_add": list(one.capabilities),
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": f"{one.memory // MIB}m",
        "memswap_limit": f"{one.memory // MIB}m",
        # Queues of messages would be a place to write to.
        "ulimits": {"msgqueue": 0},
        "ipc": None if one.shared_memory else "none",
        "shm_size": f"{one.shared_memory // MIB}m" if one.shared_memory else None,
    }


def _health(health: Health) -> dict[str, Any]:
    return {
        "test": ["CMD", *health.command],
        "interval": f"{health.interval_s}s",
        "timeout": f"{health.timeout_s}s",
        "retries": health.retries,
        "start_period": f"{health.start_s}s",
    }


class _Lines(dict[str, str]):
    """What is written with one line each."""


class _Dumper(yaml.SafeDumper):
    """Writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class asks it of every value
        return True


def _lines(dumper: _Dumper, value: _Lines) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=False)


_Dumper.add_representer(_Lines, _lines)
