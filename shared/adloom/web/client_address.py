"""The address of the client, behind as many proxies as are trusted.

A proxy appends the address it was called from to X-Forwarded-For, so only the entries that trusted proxies wrote
are true, and they stand at the right. The client's address is the rightmost one that is no trusted proxy; whatever
stands left of it, the client may have made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

LOOPBACK = "127.0.0.0/8,::1/128"

# Whoever has one IPv6 address usually has 2^64 of them.
_IPV6_PREFIX = 64
# OpenFaaS's gateway notes where it was called from with the port.
_WITH_PORT = re.compile(r"^(?:\[(?P<six>[^]]+)\]|(?P<four>[0-9.]+)):[0-9]+$")


def parse_networks(written: str) -> tuple[Network, ...]:
    """Read comma separated addresses and networks; ValueError names the one that is neither."""
    return tuple(ip_network(part.strip()) for part in written.split(",") if part.strip())


def client_address(peer: str | None, forwarded_for: Iterable[str], trusted: Iterable[Network]) -> str:
    """The client's address; `peer` is the socket's other end, `forwarded_for` the header's values in order.

    An entry that is no address ends the walk: the proxy that wrote it did not know better, so the answer is that
    proxy itself.
    """
    networks = tuple(trusted)
    current = _address(peer or "")
    if current is None:
        return peer or "unknown"
    hops = [hop.strip() for header in forwarded_for for hop in header.split(",")]
    while hops and any(current in network for network in networks):
        hop = _address(hops.pop())
        if hop is None:
            break
        current = hop
    return str(current)


def limit_key(address: str) -> str:
    """What a limit counts: the address, of IPv6 its network of 64 bits."""
    parsed = _address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_PREFIX), strict=False))
    return address


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if match := _WITH_PORT.match(text):
        text = match["six"] or match["four"]
    try:
        parsed = ip_address(text.strip("[]"))
    except ValueError:
        return None
    # A dual-stack socket shows an IPv4 peer as ::ffff:a.b.c.d.
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
