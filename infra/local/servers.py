"""The programs that others wrote: NATS, the S3 server and the front door, with the settings we give them."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from infra.local.errors import RuntimeFault
from infra.local.home import Home, write_private
from infra.local.parts import Part
from infra.local.probes import HOST, Probe

BUCKET = "adloom"
# Uploads of creatives are the largest bodies anybody sends.
_MAX_BODY = "32MB"
# What a function takes at most; a body comes whole before its function hears of it, so that slow clients are the front
# door's business, which has room for them.
_FUNCTION_BODY = "2MB"
# A part that is being restarted is back within this time, and its callers do not notice.
_RETRY_DIAL = "10s"
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
    """NATS with JetStream that syncs every write, and two users; only the connector may publish."""
    folder = home.path / "nats"
    folder.mkdir(mode=0o700, exist_ok=True)
    reader = {"publish": {"deny": [">"]}, "subscribe": {"allow": ["adloom.>", "_INBOX.>"]}}
    settings = {
        "server_name": "adloom",
        "listen": f"{HOST}:{port}",
        # The default of two minutes would lose acknowledged events when the machine goes down.
        "jetstream": {"store_dir": str(folder), "sync_interval": "always"},
        "authorization": {
            "users": [
                {"user": "connector", "password": passwords["connector"]},
                {"user": "dashboard", "password": passwords["dashboard"], "permissions": reader},
            ]
        },
    }
    configuration = folder / "nats.conf"
    write_private(configuration, json.dumps(settings, indent=2) + "\n")
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


def caddy(home: Home, env: Mapping[str, str], routes: Routes) -> Part:
    """The front door with a gateway's paths."""
    folder = home.path / "work" / "caddy"
    folder.mkdir(mode=0o700, exist_ok=True)
    configuration = folder / "Caddyfile"
    write_private(configuration, caddyfile(routes))
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


def caddyfile(routes: Routes) -> str:
    """The front door's settings. It answers only to the names people reach it by, so that no foreign page can
    point a name of its own at this machine and talk to the dashboard through its visitor's browser.
    """
    names = dict.fromkeys([*_LOCAL_NAMES, urlsplit(routes.public_url).hostname or HOST])
    sites = ", ".join(f"http://{name}:{routes.port}" for name in names)
    functions = "\n".join(_function(name, port) for name, port in routes.functions.items())
    return f"""{{
	admin off
	auto_https off
	persist_config off
	grace_period 5s
	log {{
		level WARN
		format json
	}}
	servers {{
		timeouts {{
			read_header 10s
			idle 2m
		}}
		max_header_size 64KB
	}}
}}

{sites} {{
	bind {HOST}
	@unmarked not header X-Request-Id *
	request_header @unmarked X-Request-Id {{http.request.uuid}}
	request_body {{
		max_size {_MAX_BODY}
	}}
	header {{
		-Server
		-Via
	}}
	header ?X-Request-Id {{http.request.header.X-Request-Id}}
	header ?X-Content-Type-Options nosniff
	header ?Referrer-Policy strict-origin-when-cross-origin
	header ?X-Frame-Options DENY
{functions}
	handle /function/* {{
		error "There is no such function" 404
	}}
	handle {{
{_proxy(routes.dashboard)}
	}}
{_problems()}
}}

http://:{routes.port} {{
	bind {HOST}
	header -Server
	respond "This address is not served here" 421
}}
"""


def _function(name: str, port: int) -> str:
    # A request without a body is sent again when its function was just started anew; one that was buffered is not.
    return f"""	@{name} path /function/{name} /function/{name}/*
	handle @{name} {{
		uri strip_prefix /function/{name}
		@{name}-bare {{
			not header Transfer-Encoding *
			not header_regexp Content-Length [1-9]
		}}
{_proxy(port, f"@{name}-bare ")}
{_proxy(port, buffer=_FUNCTION_BODY)}
	}}"""


def _proxy(port: int, matcher: str = "", *, buffer: str = "") -> str:
    whole = f"\n\t\t\trequest_buffers {buffer}" if buffer else ""
    return f"""		reverse_proxy {matcher}{HOST}:{port} {{{whole}
			lb_try_duration {_RETRY_DIAL}
			lb_try_interval 100ms
			transport http {{
				dial_timeout 2s
				response_header_timeout 65s
			}}
		}}"""


@dataclass(frozen=True)
class _Problem:
    """One of the front door's own errors, in the words that every function uses."""

    code: str
    detail: str
    retryable: bool = False
    acts: str = "caller"

    def settings(self, matcher: str = "") -> str:
        values = {"code": self.code, "detail": self.detail, "retryable": json.dumps(self.retryable), "acts": self.acts}
        lines = "\n".join(f"\t\t\t{name} {json.dumps(value)}" for name, value in values.items())
        return f"\t\tvars {matcher}{{\n{lines}\n\t\t}}"


_DOWN = _Problem("unavailable", "The part behind this address does not answer; try again", True, "nobody")
_REFUSED = {
    404: _Problem("not_found", "There is no such function"),
    413: _Problem("body_too_large", f"The request is larger than {_MAX_BODY}"),
}
# `retryable` and `status` are no strings, so the document is written out instead of being encoded.
_DOCUMENT = (
    '{"type":"urn:adloom:problem:{vars.code}","title":"{http.error.status_text}","status":{http.error.status_code},'
    '"detail":"{vars.detail}","code":"{vars.code}","retryable":{vars.retryable},"acts":"{vars.acts}",'
    '"request_id":"{http.request.header.X-Request-Id}"}'
)


def _problems() -> str:
    lines = ["\thandle_errors {", _DOWN.settings()]
    for status, problem in _REFUSED.items():
        lines.append(f"\t\t@is{status} expression {{http.error.status_code}} == {status}")
        lines.append(problem.settings(f"@is{status} "))
    return "\n".join(
        [
            *lines,
            "\t\theader {",
            "\t\t\t-Server",
            "\t\t\tContent-Type application/problem+json",
            "\t\t\tX-Request-Id {http.request.header.X-Request-Id}",
            "\t\t}",
            f"\t\trespond `{_DOCUMENT}` {{http.error.status_code}}",
            "\t}",
        ]
    )
