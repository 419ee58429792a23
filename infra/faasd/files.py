"""Every settings file of the machine but for secrets: written where it differs, removed where it is not wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.deployment.front import Front, caddyfile
from infra.deployment.private import write_private
from infra.deployment.stackfile import Function
from infra.faasd import firewall, tuning, units
from infra.faasd.choices import Choices
from infra.faasd.layout import (
    BRIDGE,
    CONNECTOR_PORT,
    CURRENT,
    DASHBOARD_PORT,
    ENVIRONMENT,
    ETC,
    FUNCTIONS_NETWORK,
    GATEWAY,
    GATEWAY_PORT,
    LOOPBACK,
    REGISTRY_PORT,
    SANDBOX_GOOGLE_PORT,
    SANDBOX_PORT,
    STATE,
)

UNITS = Path("/etc/systemd/system")
_CLUSTER = Path("/etc/postgresql/17/adloom")
_COMMANDS = Path("/usr/local/bin")


@dataclass(frozen=True)
class File:
    """A file of the machine. `owner` is a user's and a group's name."""

    path: Path
    text: str
    mode: int = 0o644
    owner: str = "root"


def write(choices: Choices, functions: Sequence[Function]) -> list[str]:
    """Bring the machine's files to what they should be; a line for each that was changed."""
    changed = [f"wrote {file.path}" for file in rendered(choices, functions) if _put(file)]
    for name in ("adloom", "adloomctl"):
        changed += _link(CURRENT / "infra" / "faasd" / name, _COMMANDS / name)
    (ETC / "nftables.d").mkdir(exist_ok=True)
    wanted = set(units.rendered(choices, functions))
    for path in sorted(UNITS.glob("adloom*")):
        if path.is_file() and path.name not in wanted:
            path.unlink()
            changed.append(f"removed {path}")
    return changed


def rendered(choices: Choices, functions: Sequence[Function]) -> list[File]:
    machine = [File(UNITS / name, text) for name, text in units.rendered(choices, functions).items()]
    rules = firewall.rules(
        firewall.ssh_ports(),
        choices.postgres_port,
        own_s3=choices.own_s3,
        demo=choices.demo,
        signal=choices.signal,
    )
    return [
        *machine,
        File(ENVIRONMENT, _lines(environment(choices))),
        File(ETC / "Caddyfile", _front(choices, functions)),
        File(ETC / "nftables.conf", rules),
        File(ETC / "prometheus.yml", _PROMETHEUS),
        File(ETC / "registry.yml", _REGISTRY),
        File(Path("/etc/systemd/journald.conf.d/adloom.conf"), _JOURNAL),
        File(_CLUSTER / "conf.d" / "adloom.conf", _postgres(choices), owner="postgres"),
        File(_CLUSTER / "pg_hba.conf", _HBA, mode=0o640, owner="postgres"),
    ]


def environment(choices: Choices) -> dict[str, str]:
    """What the services are told; no secret among it."""
    told = {
        "PYTHONPATH": f"{CURRENT}:{CURRENT}/shared",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "ADLOOM_PUBLIC_URL": f"https://{choices.domain}",
        "ADLOOM_GATEWAY_URL": GATEWAY,
        "ADLOOM_STACK_FILE": f"{CURRENT}/stack.yml",
        "ADLOOM_S3_ENDPOINT": choices.s3_url,
        "ADLOOM_S3_BUCKET": choices.s3_bucket,
        **{f"ADLOOM_{name.upper()}_ID": app for name, app in choices.apps.items()},
        "ADLOOM_DASHBOARD_PORT": str(DASHBOARD_PORT),
        "ADLOOM_CONNECTOR_PORT": str(CONNECTOR_PORT),
        # Where OpenFaaS came with a cron-connector, that calls the ticks.
        "ADLOOM_CRON": "off" if choices.own_openfaas else "on",
    }
    if choices.demo:
        told["ADLOOM_SANDBOX_URL"] = f"http://{BRIDGE}:{SANDBOX_PORT}"
        told["ADLOOM_SANDBOX_GOOGLE_PORT"] = str(SANDBOX_GOOGLE_PORT)
    return told


def functions_environment(told: dict[str, str]) -> dict[str, str]:
    """The same, as functions have to hear it: they reach the machine by the bridge, and calls reach them by it."""
    return {
        **told,
        "ADLOOM_GATEWAY_URL": f"http://{BRIDGE}:{GATEWAY_PORT}",
        "ADLOOM_TRUSTED_PROXIES": f"{LOOPBACK},::1,{BRIDGE}",
    }


def _front(choices: Choices, functions: Sequence[Function]) -> str:
    gateway = f"{LOOPBACK}:{GATEWAY_PORT}"
    return caddyfile(
        Front(
            sites=(choices.domain,),
            dashboard=f"{LOOPBACK}:{DASHBOARD_PORT}",
            functions={function.name: gateway for function in functions},
            https=True,
            strip=False,
        )
    )


def _postgres(choices: Choices) -> str:
    told = {
        **tuning.postgres(tuning.memory(), choices.postgres_port),
        "listen_addresses": f"'{LOOPBACK},{BRIDGE}'",
        "shared_preload_libraries": "'timescaledb'",
        "timescaledb.telemetry_level": "off",
        "password_encryption": "'scram-sha-256'",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "jit": "off",
        # A failed statement may hold what must not be in a log.
        "log_min_error_statement": "panic",
        "cluster_name": "'adloom'",
    }
    return "".join(f"{name} = {value}\n" for name, value in told.items())


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _put(file: File) -> bool:
    """Write a file in one step; False where it is there already."""
    try:
        told = file.path.stat()
        same = file.path.read_text(encoding="utf-8") == file.text
        if same and told.st_mode & 0o7777 == file.mode and file.path.owner() == file.owner:
            return False
    except FileNotFoundError:
        file.path.parent.mkdir(parents=True, exist_ok=True)
    write_private(file.path, file.text, mode=file.mode, owner=file.owner)
    return True


def _link(target: Path, link: Path) -> list[str]:
    if link.is_symlink() and link.readlink() == target:
        return []
    partial = link.with_name(f".{link.name}.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    partial.replace(link)
    return [f"linked {link}"]


_PROMETHEUS = f"""\
global:
  scrape_interval: 15s
scrape_configs:
  - job_name: gateway
    static_configs:
      - targets: ["{LOOPBACK}:8082"]
"""

_REGISTRY = f"""\
version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: {STATE}/registry
  delete:
    enabled: true
http:
  addr: {LOOPBACK}:{REGISTRY_PORT}
"""

_JOURNAL = """\
[Journal]
SystemMaxUse=1G
MaxRetentionSec=1month
"""

# Functions come by the bridge with roles of their own; what may do everything comes from this machine only.
_HBA = f"""\
local all      postgres                                        peer
host  postgres adloom_admin {LOOPBACK}/32                       scram-sha-256
host  adloom   all          {LOOPBACK}/32                       scram-sha-256
host  all      adloom_admin,adloom_backup,adloom_cli {FUNCTIONS_NETWORK}  reject
host  adloom   all          {FUNCTIONS_NETWORK}                       scram-sha-256
"""
