"""What `docker compose run --rm` starts: the command line, a backup, and the making of the secrets."""

from __future__ import annotations

from collections.abc import Mapping

from infra.compose.service import DATA, EDGE, MIB, Service, own_image

_SECRETS, _BACKUPS = "/secrets", "/backups"


def services(platform: Mapping[str, str]) -> tuple[Service, ...]:
    """`platform` is what every service is told."""
    return (
        Service(
            "adloom",
            own_image("tools"),
            384 * MIB,
            entrypoint=("python", "-m", "adloom.cli"),
            environment=platform,
            secrets=("cli-database-url", "operator-key", "audit-key", "s3-access-key", "s3-secret-key", "sandbox-key"),
            networks=(EDGE, DATA),
            once=True,
            profile="tools",
        ),
        _backup(platform),
        _secrets(),
    )


def _backup(platform: Mapping[str, str]) -> Service:
    """It has the fingerprints of the key rings, not the rings."""
    return Service(
        "backup",
        own_image("tools"),
        384 * MIB,
        entrypoint=("python", "-m", "adloom.cli", "backup", "--to", _BACKUPS),
        command=("--keep", "14"),
        user="${ADLOOM_USER:-0}",
        environment=platform,
        secrets=(
            "backup-database-url",
            "backup-recipient",
            "key-ring-fingerprints",
            "s3-access-key",
            "s3-secret-key",
        ),
        networks=(DATA,),
        folders={"${ADLOOM_BACKUPS:-./backups}": _BACKUPS},
        once=True,
        profile="tools",
    )


def _secrets() -> Service:
    return Service(
        "secrets",
        own_image("tools"),
        128 * MIB,
        command=(
            *("python", "-m", "infra.deployment.secrets", _SECRETS, "--readable", "--backup-key"),
            *("--functions-reach", "postgres", "--services-reach", "postgres"),
            *("--nats-reach", "nats", "--nats-listen", "0.0.0.0", "--nats-store", "/data"),  # noqa: S104
        ),
        user="${ADLOOM_USER:-0}",
        folders={"${ADLOOM_SECRETS:-./secrets}": _SECRETS},
        once=True,
        profile="tools",
    )
