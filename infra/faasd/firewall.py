"""The firewall's rules: ssh, http and https come in, and functions reach what they need."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from infra.faasd.layout import (
    BRIDGE,
    BRIDGE_NAME,
    GATEWAY_PORT,
    S3_PORT,
    SANDBOX_GOOGLE_PORT,
    SANDBOX_PORT,
    SIGNAL_PORT,
)

_DEFAULT_SSH_PORT = 22
_PORT = re.compile(r"^\s*Port\s+(\d+)", re.IGNORECASE | re.MULTILINE)
_LISTEN = re.compile(r"^\s*ListenAddress\s+\S+:(\d+)\s", re.IGNORECASE | re.MULTILINE)
_STREAM = re.compile(r"^\s*ListenStream\s*=\s*(?:\S*:)?(\d+)\s*$", re.MULTILINE)


def ssh_ports(root: Path = Path("/")) -> list[int]:
    """Every port that ssh may be reached by: better one too many open than the operator locked out."""
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in _ssh_files(root)]
    found = {int(port) for text in texts for port in [*_PORT.findall(text), *_LISTEN.findall(text)]}
    for path in (root / "etc/systemd/system").glob("ssh.socket*/*.conf"):
        found |= {int(port) for port in _STREAM.findall(path.read_text(encoding="utf-8"))}
    if root == Path("/"):
        found |= _effective_ports()
    return sorted(found or {_DEFAULT_SSH_PORT})


def _ssh_files(root: Path) -> list[Path]:
    main = root / "etc/ssh/sshd_config"
    return [path for path in (main, *sorted((root / "etc/ssh/sshd_config.d").glob("*.conf"))) if path.is_file()]


def _effective_ports() -> set[int]:
    """What sshd itself says, which knows of files that others include."""
    try:
        told = subprocess.run(["/usr/sbin/sshd", "-T"], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return set()
    return {int(port) for port in re.findall(r"^port (\d+)$", told, re.MULTILINE)}


def rules(ssh: Iterable[int], postgres_port: int, *, own_s3: bool, demo: bool, signal: bool) -> str:
    """A table of our own, replaced in one step; rules of others stay."""
    inner = [postgres_port, GATEWAY_PORT]
    inner += [S3_PORT] * own_s3 + [SANDBOX_PORT, SANDBOX_GOOGLE_PORT] * demo + [SIGNAL_PORT] * signal
    return f"""#!/usr/sbin/nft -f
# Written by install.sh. Rules of your own for what may come in go into /etc/adloom/nftables.d/*.nft.
table inet adloom
delete table inet adloom
table inet adloom {{
	chain input {{
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iif lo accept
		meta l4proto {{ icmp, ipv6-icmp }} accept
		udp sport 67 udp dport 68 accept
		udp dport 546 ip6 saddr fe80::/10 accept
		tcp dport {{ {_listed(ssh)} }} accept
		tcp dport {{ 80, 443 }} accept
		udp dport 443 accept
		iifname "{BRIDGE_NAME}" ip daddr {BRIDGE} tcp dport {{ {_listed(inner)} }} accept
		include "/etc/adloom/nftables.d/*.nft"
	}}
	chain forward {{
		type filter hook forward priority filter; policy accept;
		ct state established,related accept
		# Functions call the platforms; nobody calls them but by the gateway, and a cloud's metadata are not theirs.
		oifname "{BRIDGE_NAME}" drop
		iifname "{BRIDGE_NAME}" ip daddr 169.254.0.0/16 drop
	}}
}}
"""


def _listed(ports: Iterable[int]) -> str:
    return ", ".join(str(port) for port in ports)
