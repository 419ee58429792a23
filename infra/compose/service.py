"""What is said of one container, whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MIB = 2**20
SECRETS = "/var/openfaas/secrets"

# Networks: `edge` with the front door and everything that serves HTTP, `data` with the databases, `broker` with NATS.
EDGE, DATA, BROKER = "edge", "data", "broker"
# Whether a network has no way out.
NETWORKS = {EDGE: False, DATA: True, BROKER: True}

# What a container waits for in another: that it runs, that it is healthy, or that it has ended well.
Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]
STARTED: Condition = "service_started"
HEALTHY: Condition = "service_healthy"
DONE: Condition = "service_completed_successfully"


@dataclass(frozen=True)
class Health:
    """A command that ends well when the service can be used."""

    command: tuple[str, ...]
    interval_s: int = 5
    timeout_s: int = 4
    retries: int = 6
    start_s: int = 60


@dataclass(frozen=True)
class Port:
    """A port that is published on the host: both ends may be `${NAME:-default}`."""

    address: str
    outside: str
    inside: int


@dataclass(frozen=True)
class Service:
    """One container. Values may have `${NAME:-default}`, which whoever starts it fills in.

    `memory` in bytes is the limit, swap included. `secrets` are files of the secrets folder, each mounted alone, in
    `secrets_at`. `volumes` name -> path; `files` are files beside the compose file and `folders` those of the host that
    are written to, source -> path; `scratch` are folders in memory besides /tmp. `once`: a step that ends. `profile`:
    started only when it is asked for. `shared_memory` in bytes is the size of /dev/shm, which is not there without it.
    """

    name: str
    image: str
    memory: int
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    secrets_at: str = SECRETS
    networks: tuple[str, ...] = ()
    needs: Mapping[str, Condition] = field(default_factory=dict)
    health: Health | None = None
    volumes: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    scratch: tuple[str, ...] = ()
    shared_memory: int = 0
    capabilities: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    once: bool = False
    profile: str = ""
    stop_s: int = 15


def own_image(name: str) -> str:
    """The name of an image that this project builds."""
    return f"${{ADLOOM_IMAGES:-adloom}}/{name}:${{ADLOOM_VERSION:-latest}}"
