"""The programs that others wrote: NATS, the S3 server and the front door, with the settings we give them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from infra.deployment.broker import nats_conf
from infra.deployment.front import Front, caddyfile
from infra.deployment.private import write_private
from infra.local.errors import RuntimeFault
from infra.local.home import Home
from infra.local.parts import Part
from infra.local.probes import HOST, Probe

BUCKET = "adloom"
_LOCAL_NAMES = (HOST, "localhost", "[::1]")


def program(name: str) -> str:
    """A program that a wheel has put beside the interpreter."""
    path = Path(sys.executable).parent / name
    if not path.is_file():
        raise RuntimeFault(
            f"The program {name} is missing from {path.parent}. `make start` installs it on Linux (glibc) and macOS."
        )
    return str(path)


def nats(home: Home, env: Mapping[str, str], port: int, passwords: Mapping[str, str]) -> Part:
    """NATS with JetStream."""
    folder = home.path / "nats"
    folder.mkdir(mode=0o700, exist_ok=True)
    configuration = folder / "nats.conf"
    write_private(configuration, nats_conf(f"{HOST}:{port}", folder, passwords))
    command = (program("nats-server"), "--config", str(configuration))
    return Part("nats", command, env, probe=Probe("nats", port), cwd=folder, about="NATS JetStream")


def s3(home: Home, env: Mapping[str, str], port: int, access_key: str, secret_key: str) -> Part:
    """An S3 server over a folder. The key pair goes by the environment: a command line is everyone's to read."""
    folder = home.path / "s3"
    (folder / BUCKET).mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    command = (program("rclone"), "serve", "s3", f"--addr={HOST}:{port}", str(folder))
    keys = {"RCLONE_AUTH_KEY": f'"{access_key},{secret_key}"', "RCLONE_CONFIG": "/dev/null"}
    # Asked without a key it refuses, which is an answer.
    probe = Probe("http", port, statuses=(200, 400, 403))
    return Part("s3", command, {**env, **keys}, probe=probe, cwd=folder, about="S3 (rclone)")


@dataclass(frozen=True)
class Routes:
    """Where the front door listens and what lies behind it: function name -> port."""

    port: int
    public_url: str
    dashboard: int
    functions: Mapping[str, int]

    @property
    def front(self) -> Front:
        names = dict.fromkeys([*_LOCAL_NAMES, urlsplit(self.public_url).hostname or HOST])
        return Front(
            sites=tuple(f"http://{name}:{self.port}" for name in names),
            dashboard=f"{HOST}:{self.dashboard}",
            functions={name: f"{HOST}:{port}" for name, port in self.functions.items()},
            bind=HOST,
            port=self.port,
        )


def caddy(home: Home, env: Mapping[str, str], routes: Routes) -> Part:
    """The front door with a gateway's paths."""
    folder = home.path / "work" / "caddy"
    folder.mkdir(mode=0o700, exist_ok=True)
    configuration = folder / "Caddyfile"
    write_private(configuration, caddyfile(routes.front))
    return Part(
        "caddy",
        (program("caddy"), "run", "--adapter", "caddyfile", "--config", str(configuration)),
        {**env, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        probe=Probe("http", routes.port, "/function/", (404,)),
        cwd=folder,
        stop=((signal.SIGTERM, 8.0),),
        front=True,
        about="front door",
    )
