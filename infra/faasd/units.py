"""The units: the files in systemd/ with what depends on the choices filled in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infra.deployment.stackfile import Function
from infra.faasd.choices import Choices
from infra.faasd.layout import BRIDGE, POSTGRES_UNIT, S3_PORT, SANDBOX_PORT, SECRETS, SIGNAL_PORT

_TEMPLATES = Path(__file__).parent / "systemd"
_ALWAYS = (
    *("adloom-backup.service", "adloom-backup.timer", "adloom-bridge.service", "adloom-caddy.service"),
    *("adloom-connector.service", "adloom-dashboard.service", "adloom-database.service", "adloom-firewall.service"),
    *("adloom-functions.service", "adloom-nats.service", "adloom-registry.service"),
)
_OPENFAAS = ("adloom-provider.service", "adloom-gateway.service", "adloom-prometheus.service", "adloom-cron.service")
# Units that something else starts: the network, a timer, the target itself.
_NOT_WANTED = {"adloom-firewall.service", "adloom-backup.service", "adloom-backup.timer"}


def wanted(choices: Choices) -> list[str]:
    """The units of this machine, without the target."""
    return sorted(
        [
            *_ALWAYS,
            *(_OPENFAAS if choices.own_openfaas else ()),
            *(["adloom-minio.service"] if choices.own_s3 else ()),
            *(["adloom-sandbox.service"] if choices.demo else ()),
            *(["adloom-signal.service"] if choices.signal else ()),
        ]
    )


def rendered(choices: Choices, functions: Sequence[Function]) -> dict[str, str]:
    """Name below /etc/systemd/system -> content."""
    units = wanted(choices)
    own = [name for name in units if name not in _NOT_WANTED]
    stores = [POSTGRES_UNIT, *(["adloom-minio.service"] if choices.own_s3 else ())]
    openfaas = ["adloom-gateway.service"] if choices.own_openfaas else ["faasd.service", "faasd-provider.service"]
    values = {
        "WANTS": " ".join([POSTGRES_UNIT, *own, *([] if choices.own_openfaas else openfaas)]),
        "STORES": " ".join(stores),
        "OPENFAAS": " ".join(openfaas),
        "EVENT_SECRETS": "\n".join(_credential(f"{one.name}-event-secret") for one in functions if one.subjects),
        "HARDENING": _template("hardening.part").rstrip("\n"),
        "BRIDGE": BRIDGE,
        "S3_PORT": str(S3_PORT),
        "SANDBOX_PORT": str(SANDBOX_PORT),
        "SIGNAL_PORT": str(SIGNAL_PORT),
    }
    texts = {name: _filled(_template(name), values) for name in ["adloom.target", *units]}
    return {**texts, f"{POSTGRES_UNIT}.d/adloom.conf": _template("postgresql.conf")}


def _credential(name: str) -> str:
    return f"LoadCredential={name}:{SECRETS}/{name}"


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
