"""Free ports near fixed defaults, kept from start to start."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from infra.local.errors import RuntimeFault
from infra.local.probes import HOST
from infra.local.processes import LINUX

DEFAULTS = {
    "caddy": 8080,
    "dashboard": 8081,
    "sandbox": 8090,
    "sandbox-google": 8091,
    "connector": 8095,
    "postgres": 8132,
    "nats": 8142,
    "s3": 8190,
}
FIRST_FUNCTION_PORT = 8101
_SEARCH_WIDTH = 400


class PortBook:
    """Hands out ports and keeps other stacks of this machine from them until it is closed or its process ends.

    Between choosing a port and the moment its process listens on it lie seconds. A name in the abstract socket
    namespace, which has the same scope as the ports themselves and goes away with its process, claims it meanwhile.
    """

    def __init__(self) -> None:
        self._claims: dict[int, socket.socket] = {}

    def choose(self, name: str, default: int, kept: Mapping[str, int]) -> int:
        """The port that `name` had before if it is still free, else the first free one from `default` on."""
        before = kept.get(name)
        candidates = range(default, default + _SEARCH_WIDTH)
        for port in [before, *candidates] if before else candidates:
            if self._claim(port):
                return port
        raise RuntimeFault(f"No port from {default} to {candidates[-1]} is free for {name}.")

    def insist(self, name: str, port: int) -> int:
        """Exactly this port, or RuntimeFault."""
        if not self._claim(port):
            raise RuntimeFault(
                f"Port {port}, told by ADLOOM_PORT for {name}, is taken. Free it or tell another; without "
                "ADLOOM_PORT a free one is chosen."
            )
        return port

    def close(self) -> None:
        for claim in self._claims.values():
            claim.close()
        self._claims.clear()

    def _claim(self, port: int) -> bool:
        if port in self._claims:
            return False
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if LINUX:
                claim.bind(f"\0adloom-port-{port}")
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                # As the servers do: a connection that lingers from the last run does not block the port.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((HOST, port))
        except OSError:
            claim.close()
            return False
        self._claims[port] = claim
        return True
