"""The services of the whole platform, from `stack.yml`.

Three networks: `edge` with the front door and everything that serves HTTP, `data` with the databases and without a way
out, `broker` with NATS. Only the front door is published, and the sandbox where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.compose import by_hand, storage
from infra.compose.service import BROKER, DATA, DONE, EDGE, HEALTHY, MIB, STARTED, Health, Port, Service, own_image
from infra.deployment.front import Front, caddyfile
from infra.deployment.secrets import SERVICES
from infra.deployment.stackfile import STACK_FILE, Function, read_functions

HTTP_PORT, GATEWAY_PORT, SANDBOX_PORT, SANDBOX_GOOGLE_PORT = 8080, 8081, 8090, 8091
BUCKET = "adloom"
GATEWAY_URL = f"http://caddy:{GATEWAY_PORT}"
# Only containers reach the functions, and the front door writes anew whom it was called by.
_PROXIES = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
# No request reaches a container from its own loopback.
_NOBODY = "127.0.0.1/32"
# What the parts of this deployment say by themselves, whatever the environment says.
_FIXED = {
    "ADLOOM_GATEWAY_URL": GATEWAY_URL,
    "ADLOOM_S3_ENDPOINT": "http://minio:9000",
    "ADLOOM_S3_BUCKET": BUCKET,
    "ADLOOM_TRUSTED_PROXIES": _PROXIES,
}
PUBLIC_URL = f"${{ADLOOM_PUBLIC_URL:-http://127.0.0.1:{HTTP_PORT}}}"
_DEFAULTS = {"ADLOOM_PUBLIC_URL": PUBLIC_URL}
_TOLD = ("ADLOOM_LOG_LEVEL", "ADLOOM_SENTRY_DSN", "ADLOOM_SANDBOX_URL", "ADLOOM_CLOCK")
# Our apps at the ad platforms.
_APPS = ("GOOGLE_ADS_CLIENT", "META_APP", "TIKTOK_APP")
# What the environment says where the sandbox stands for the ad platforms: demo.env.
DEMO = {
    "COMPOSE_PROFILES": "demo",
    "ADLOOM_SANDBOX_URL": f"http://sandbox:{SANDBOX_PORT}",
    "ADLOOM_SANDBOX_BROWSER_URL": f"http://127.0.0.1:{SANDBOX_PORT}",
    "ADLOOM_SANDBOX_GOOGLE_PORT": str(SANDBOX_GOOGLE_PORT),
    **dict.fromkeys((f"ADLOOM_{app}_ID" for app in _APPS), "123456789012345"),
}


@dataclass(frozen=True)
class Model:
    """Everything that is there; `functions` are those of `stack.yml`."""

    functions: tuple[Function, ...]
    services: tuple[Service, ...]

    def __getitem__(self, name: str) -> Service:
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)

    def chosen(self, profiles: tuple[str, ...] = ()) -> list[Service]:
        """What starts with these profiles, each after what it needs."""
        wanted = [one for one in self.services if not one.profile or one.profile in profiles]
        names, ordered = {one.name for one in wanted}, list[Service]()
        while wanted:
            left = {one.name for one in wanted}
            ready = [one for one in wanted if not left & one.needs.keys() & names]
            if not ready:
                raise ValueError(f"these need each other: {', '.join(sorted(left))}")
            ordered += ready
            wanted = [one for one in wanted if one not in ready]
        return ordered

    @property
    def caddyfile(self) -> str:
        """The front door's settings. People reach it by this machine's own names, and by ADLOOM_HOST."""
        names = ("127.0.0.1", "localhost", "[::1]", "{$ADLOOM_HOST:adloom.localhost}")
        front = Front(
            sites=tuple(f"http://{name}:{HTTP_PORT}" for name in names),
            dashboard=f"dashboard:{HTTP_PORT}",
            functions={one.name: f"{one.name}:{HTTP_PORT}" for one in self.functions},
            port=HTTP_PORT,
            gateway=GATEWAY_PORT,
            proxies=f"{{$ADLOOM_FRONT_PROXIES:{_NOBODY}}}",
        )
        return caddyfile(front)


def read(stack_file: Path = STACK_FILE) -> Model:
    """The model of this `stack.yml`, its variables left as they are."""
    functions = tuple(read_functions(stack_file, {}))
    listed: dict[str, Any] = yaml.safe_load(stack_file.read_text(encoding="utf-8"))["functions"]
    services = (
        *storage.services(),
        *_steps(functions),
        *(_function(one, listed[one.name]) for one in functions),
        _connector(functions),
        _dashboard(),
        _caddy(),
        _first_login(),
        _sandbox(),
        *by_hand.services(_platform()),
    )
    return Model(functions, services)


def _platform(*, extra: dict[str, str] | None = None) -> dict[str, str]:
    """What the services beside the functions are told."""
    told = {name: f"${{{name}:-}}" for name in _TOLD}
    return {**_DEFAULTS, **told, **_FIXED, **(extra or {})}


def _asks(url: str) -> Health:
    """Asks with Python, which our own images have."""
    host, _, path = url.partition("/")
    address, _, port = host.partition(":")
    code = (
        "import http.client as h; "
        f"c = h.HTTPConnection({address!r}, {port}, timeout=3); c.request('GET', '/{path}'); "
        "raise SystemExit(c.getresponse().status != 200)"
    )
    return Health(("python", "-S", "-c", code))


def _steps(functions: tuple[Function, ...]) -> tuple[Service, ...]:
    """What happens before the functions start; a second time it changes nothing."""
    roles = [f"{process}-database-url" for process in (*(one.name for one in functions), *SERVICES)]
    return (
        Service(
            "migrate",
            own_image("tools"),
            256 * MIB,
            command=("python", "-m", "infra.deployment.migrate"),
            secrets=("admin-database-url", *roles),
            networks=(DATA,),
            needs={"postgres": HEALTHY},
            once=True,
        ),
        Service(
            "bucket",
            own_image("tools"),
            192 * MIB,
            command=("python", "-m", "infra.deployment.bucket"),
            environment={name: _FIXED[name] for name in ("ADLOOM_S3_ENDPOINT", "ADLOOM_S3_BUCKET")},
            secrets=("s3-access-key", "s3-secret-key"),
            networks=(DATA,),
            needs={"minio": STARTED},
            once=True,
        ),
    )


def _function(function: Function, entry: dict[str, Any]) -> Service:
    """A function with all that `stack.yml` says of it."""
    said = {name: "" if value is None else str(value) for name, value in (entry.get("environment") or {}).items()}
    ours = {name: value for name, value in {**_DEFAULTS, **_FIXED}.items() if name in said}
    stores = "s3-access-key" in function.secrets
    return Service(
        function.name,
        entry["image"],
        function.memory,
        environment={**said, **ours},
        secrets=function.secrets,
        networks=(EDGE, DATA),
        needs={"migrate": DONE, **({"bucket": DONE} if stores else {})},
        health=_asks(f"127.0.0.1:{HTTP_PORT}/_/ready"),
    )


def _connector(functions: tuple[Function, ...]) -> Service:
    signing = tuple(f"{one.name}-event-secret" for one in functions if one.subjects)
    return Service(
        "connector",
        own_image("connector"),
        192 * MIB,
        environment=_platform(),
        secrets=("connector-database-url", "connector-nats-url", *signing),
        networks=(EDGE, DATA, BROKER),
        needs={"migrate": DONE, "nats": STARTED},
        health=_asks("127.0.0.1:8095/_/health"),
    )


def _dashboard() -> Service:
    return Service(
        "dashboard",
        own_image("dashboard"),
        512 * MIB,
        environment=_platform(
            extra={
                "ADLOOM_DASHBOARD_HOST": "0.0.0.0",  # noqa: S104 - of its container
                "ADLOOM_DASHBOARD_PORT": str(HTTP_PORT),
                "NICEGUI_STORAGE_PATH": "/tmp/nicegui",  # noqa: S108 - of its container
            }
        ),
        secrets=("dashboard-database-url", "dashboard-nats-url", "storage-secret"),
        networks=(EDGE, DATA, BROKER),
        needs={"migrate": DONE, "nats": STARTED},
        health=_asks(f"127.0.0.1:{HTTP_PORT}/_/health"),
        # NiceGUI has a pool of processes at hand, whose locks lie there.
        shared_memory=16 * MIB,
    )


def _caddy() -> Service:
    published = Port("${ADLOOM_BIND:-127.0.0.1}", f"${{ADLOOM_PORT:-{HTTP_PORT}}}", HTTP_PORT)
    return Service(
        "caddy",
        "caddy:2.11.7",
        128 * MIB,
        environment={
            "ADLOOM_HOST": "${ADLOOM_HOST:-adloom.localhost}",
            "ADLOOM_FRONT_PROXIES": f"${{ADLOOM_FRONT_PROXIES:-{_NOBODY}}}",
        },
        files={"Caddyfile": "/etc/caddy/Caddyfile"},
        networks=(EDGE,),
        # What is not there yet, or any more, it answers for with a problem that passes.
        needs={"dashboard": STARTED},
        scratch=("/data", "/config"),
        # The program has this one by its file, and does not start where it cannot get it.
        capabilities=("NET_BIND_SERVICE",),
        ports=(published,),
    )


def _first_login() -> Service:
    return Service(
        "first-login",
        own_image("tools"),
        128 * MIB,
        command=("python", "-m", "infra.local.first_login"),
        environment={
            "ADLOOM_GATEWAY_URL": GATEWAY_URL,
            "ADLOOM_SECRETS_DIR": "/var/openfaas/secrets",
            "ADLOOM_OWNER_EMAIL": "${ADLOOM_OWNER_EMAIL:-owner@adloom.local}",
        },
        secrets=("operator-key", "owner-password"),
        networks=(EDGE,),
        needs={"caddy": STARTED, "auth": HEALTHY},
        once=True,
    )


def _sandbox() -> Service:
    """Made-up platforms, for those who have no credentials of real ones."""
    return Service(
        "sandbox",
        own_image("sandbox"),
        512 * MIB,
        environment={
            "ADLOOM_SANDBOX_HOST": "0.0.0.0",  # noqa: S104 - of its container
            "ADLOOM_SANDBOX_PORT": str(SANDBOX_PORT),
            "ADLOOM_SANDBOX_HOME": "/data",
            "ADLOOM_SANDBOX_FACTS": "${ADLOOM_SANDBOX_FACTS:-}",
            "ADLOOM_SANDBOX_GOOGLE_PORT": "${ADLOOM_SANDBOX_GOOGLE_PORT:-}",
            **{f"ADLOOM_{app}_ID": f"${{ADLOOM_{app}_ID:-}}" for app in _APPS},
            "ADLOOM_SANDBOX_URL": "${ADLOOM_SANDBOX_URL:-}",
            "ADLOOM_SANDBOX_BROWSER_URL": "${ADLOOM_SANDBOX_BROWSER_URL:-}",
            "ADLOOM_CLOCK": "${ADLOOM_CLOCK:-}",
        },
        secrets=(
            *("sandbox-key", "mail-key", "sandbox-client-secret"),
            *(f"{app}_SECRET".lower().replace("_", "-") for app in _APPS),
        ),
        networks=(EDGE,),
        health=_asks(f"127.0.0.1:{SANDBOX_PORT}/_/health"),
        volumes={"sandbox": "/data"},
        # Browsers go to its log-in as they would go to a platform's.
        ports=(Port("${ADLOOM_BIND:-127.0.0.1}", f"${{ADLOOM_SANDBOX_PORT:-{SANDBOX_PORT}}}", SANDBOX_PORT),),
        profile="demo",
    )
