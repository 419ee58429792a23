"""A service of the model as arguments of `podman run`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from infra.compose.compose import FOLDER, TMP_MIB
from infra.compose.service import Service
from infra.deployment.stackfile import substitute


@dataclass(frozen=True)
class Place:
    """Where the containers live: the prefix of every name, the folder of secrets, the values of `${NAME:-default}`.

    `mounts` are read-only besides those of the model: service -> source -> path. `addresses` are fixed: service ->
    network -> IP.
    """

    prefix: str
    secrets: Path
    values: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Mapping[Path, str]] = field(default_factory=dict)
    addresses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def named(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def text(self, value: str) -> str:
        return substitute(value, self.values)

    def environment(self, one: Service) -> dict[str, str]:
        return {name: self.text(value) for name, value in one.environment.items()}


def run(one: Service, place: Place) -> list[str]:
    """Everything after `podman run` and its flags of this machine; `--detach` or `--rm` come before it."""
    return [*_options(one, place), place.text(one.image), *one.command]


def _options(one: Service, place: Place) -> Iterator[str]:
    yield from ("--pull", "never")
    for label, value in place.labels.items():
        yield from ("--label", f"{label}={value}")
    yield from _confinement(one)
    yield from _network(one, place)
    for port in one.ports:
        yield from ("--publish", f"{place.text(port.address)}:{place.text(port.outside)}:{port.inside}")
    for name, value in place.environment(one).items():
        yield from ("--env", f"{name}={value}")
    for source, target in _mounts(one, place):
        yield from ("--volume", f"{source}:{target}")
    if one.user:
        yield from ("--user", place.text(one.user))
    if one.entrypoint:
        yield from ("--entrypoint", json.dumps(one.entrypoint))
    if one.health:
        # Whoever started it asks; a timer of podman's own would need systemd.
        yield from (
            "--health-cmd",
            json.dumps(one.health.command),
            "--health-interval",
            "disable",
            "--health-retries",
            "1",
        )
    yield from ("--stop-timeout", str(one.stop_s))
    yield from ("--log-driver", "k8s-file", "--log-opt", "max-size=10mb")


def _network(one: Service, place: Place) -> Iterator[str]:
    for network in one.networks:
        fixed = place.addresses.get(one.name, {}).get(network)
        # Neighbours remember for seconds which card has an address: the next container there gets the same one.
        yield from ("--network", place.named(network) + (f":ip={fixed},mac={_card(fixed)}" if fixed else ""))
    if not one.networks:
        yield from ("--network", "none")
    # Names are written down: podman's own name server forgets them all for a moment whenever a container comes or goes.
    for name, at in place.addresses.items():
        if shared := [network for network in one.networks if network in at]:
            yield from ("--add-host", f"{name}:{at[shared[0]]}")


def _confinement(one: Service) -> Iterator[str]:
    yield from ("--read-only", "--read-only-tmpfs=false")
    for path, size in {"/tmp": TMP_MIB, **dict.fromkeys(one.scratch, 16)}.items():  # noqa: S108 - its own
        yield from ("--tmpfs", f"{path}:size={size}m,mode=1777")
    yield from ("--cap-drop", "all", "--security-opt", "no-new-privileges")
    for capability in one.capabilities:
        yield from ("--cap-add", capability)
    yield from ("--memory", str(one.memory), "--memory-swap", str(one.memory))
    yield from ("--ulimit", "msgqueue=0:0")
    yield from ("--shm-size", str(one.shared_memory)) if one.shared_memory else ("--ipc", "none")


def _mounts(one: Service, place: Place) -> Iterator[tuple[str, str]]:
    for name in one.secrets:
        yield str(place.secrets / name), f"{one.secrets_at}/{name}:ro"
    for name, path in one.volumes.items():
        yield place.named(name), path
    for name, path in one.files.items():
        yield str(FOLDER / name), f"{path}:ro"
    for source, path in one.folders.items():
        yield str((FOLDER / place.text(source)).resolve()), path
    for folder, path in place.mounts.get(one.name, {}).items():
        yield str(folder), f"{path}:ro"


def _card(address: str) -> str:
    """A local hardware address for an IPv4 address."""
    return ":".join(f"{octet:02x}" for octet in (2, 66, *IPv4Address(address).packed))
