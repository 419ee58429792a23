"""No image tells where it was built, nor anything that only this machine knows."""

from __future__ import annotations

import os
import re
import socket
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.images import machine
from tests.images.built import PYTHON_IMAGES, layers, tag

pytestmark = pytest.mark.usefixtures("images")


@cache
def documents() -> str:
    """What packages say of themselves; the hosts where everybody gets their packages stand there."""
    return "\n".join(one.read_text("METADATA") or "" for one in distributions())


def is_public(host: str) -> bool:
    """Whether anybody may know the host, by the name that it belongs to."""
    return ".".join(host.split(".")[-2:]) in documents()


def revealing(folder: Path) -> dict[str, bytes]:
    """What must be nowhere: hosts and words of this machine's settings, its name server, its own certificates."""
    found: dict[str, bytes] = {}
    for name, path in machine.write_secrets(folder).items():
        for address in re.findall(r"[a-z+]+://[^\s'\";]+", path.read_text(encoding="utf-8")):
            parts = urlsplit(address)
            host = parts.hostname or ""
            if host and not is_public(host):
                found[f"{name}: host"] = host.encode()
            if parts.password:
                found[f"{name}: password"] = parts.password.encode()
    for line in Path("/etc/resolv.conf").read_text(encoding="utf-8").splitlines():
        server = line.removeprefix("nameserver ")
        if server != line and not server.startswith("127."):
            found["name server"] = server.encode()
    found["checkout"] = str(Path(__file__).resolve().parents[2]).encode() + b"/"
    if len(socket.gethostname()) > 8:
        found["host name"] = socket.gethostname().encode()
    for name, value in os.environ.items():
        if re.search(r"TOKEN|SECRET|PASSWORD|_KEY$", name) and len(value) > 8:
            found[name] = value.encode()
    return found


def test_no_layer_holds_an_address_or_a_secret_of_this_machine(tmp_path: Path) -> None:
    forbidden = revealing(tmp_path)
    assert forbidden
    found = []
    entry_points = configurations = 0

    for layer in layers(*(tag(name) for name in PYTHON_IMAGES)):
        found += [(layer.path, what) for what, text in forbidden.items() if text in layer.content]
        found += [(layer.path, "secret")] if layer.path.startswith(("run/secrets/", "var/openfaas/")) else []
        found += [(layer.path, "private key")] if b"PRIVATE KEY-----\nMII" in layer.content else []
        # What this test relies on: it sees the files and the history.
        entry_points += layer.path == "home/app/serve.py" and b"def load_app" in layer.content
        configurations += b'"history"' in layer.content and b"STOPSIGNAL" in layer.content

    assert not found
    assert entry_points >= 1
    assert configurations >= len(PYTHON_IMAGES)
