"""What keeps the data: Postgres, NATS and MinIO."""

from __future__ import annotations

from infra.compose.service import BROKER, DATA, MIB, Health, Service, own_image
from infra.deployment.secrets import ADMIN, DATABASE

# A machine of 2 cores and 4 GB that runs everything else too.
_POSTGRES = {
    "shared_buffers": "384MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "96MB",
    "max_connections": "150",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "max_worker_processes": "16",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "timescaledb.max_background_workers": "8",
    "timescaledb.telemetry_level": "off",
    "wal_level": "replica",  # what a physical backup needs
    "jit": "off",  # its start-up cost exceeds what our short queries take
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "log_min_error_statement": "panic",  # a failed statement may hold what must not be in a log
    "shared_preload_libraries": "timescaledb",
}


def services() -> tuple[Service, ...]:
    options = [part for name, value in _POSTGRES.items() for part in ("-c", f"{name}={value}")]
    password = "postgres-password"  # noqa: S105 - the name of a file
    return (
        Service(
            "postgres",
            "timescale/timescaledb:2.29.2-pg17",
            1280 * MIB,
            command=("postgres", *options),
            user="postgres",
            environment={
                "POSTGRES_USER": ADMIN,
                "POSTGRES_DB": DATABASE,
                "POSTGRES_PASSWORD_FILE": f"/run/secrets/{password}",
                # Text sorts by code point wherever the data is taken.
                "POSTGRES_INITDB_ARGS": "--encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8",
                "NO_TS_TUNE": "true",
            },
            secrets=(password,),
            secrets_at="/run/secrets",
            networks=(DATA,),
            # Over TCP, which the first start opens last.
            health=Health(("pg_isready", "-q", "-h", "127.0.0.1", "-U", ADMIN, "-d", DATABASE)),
            volumes={"postgres": "/var/lib/postgresql/data"},
            scratch=("/var/run/postgresql",),
            shared_memory=256 * MIB,
            stop_s=60,
        ),
        # Its image is the program alone, so that nothing could ask it; those who need it come again by themselves.
        Service(
            "nats",
            "nats:2.15.1",
            256 * MIB,
            command=("--config", "/run/secrets/nats.conf"),
            secrets=("nats.conf",),
            secrets_at="/run/secrets",
            networks=(BROKER,),
            volumes={"nats": "/data"},
        ),
        Service(
            "minio",
            own_image("minio"),
            512 * MIB,
            environment={
                "MINIO_ROOT_USER_FILE": "/run/secrets/s3-access-key",
                "MINIO_ROOT_PASSWORD_FILE": "/run/secrets/s3-secret-key",
                "MINIO_UPDATE": "off",
            },
            secrets=("s3-access-key", "s3-secret-key"),
            secrets_at="/run/secrets",
            networks=(DATA,),
            volumes={"minio": "/data"},
        ),
    )
