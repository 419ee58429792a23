"""Where things are on the machine."""

from __future__ import annotations

from pathlib import Path

HOME = Path("/opt/adloom")
CURRENT = HOME / "current"
RELEASES = HOME / "releases"
ARCHIVES = HOME / "images"
ETC = Path("/etc/adloom")
SECRETS = ETC / "secrets"
CHOICES = ETC / "choices"
ENVIRONMENT = ETC / "adloom.env"
LOCAL_ENVIRONMENT = ETC / "local.env"
STATE = Path("/var/lib/adloom")
BACKUPS = STATE / "backups"
HISTORY = STATE / "history.json"

LOOPBACK = "127.0.0.1"
# The functions' network is faasd's own; this is the machine's address in it.
BRIDGE_NAME = "openfaas0"
BRIDGE = "10.62.0.1"
FUNCTIONS_NETWORK = "10.62.0.0/16"

GATEWAY_PORT = 8080
SANDBOX_PORT = 8090
DASHBOARD_PORT = 8091
CONNECTOR_PORT = 8095
SIGNAL_PORT = 8093
SANDBOX_GOOGLE_PORT = 8094
REGISTRY_PORT = 5000
S3_PORT = 9000

GATEWAY = f"http://{LOOPBACK}:{GATEWAY_PORT}"
IMAGES = f"{LOOPBACK}:{REGISTRY_PORT}/adloom"
POSTGRES_UNIT = "postgresql@17-adloom.service"
