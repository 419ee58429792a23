"""Everything that is decided before the first process starts: ports, mode, and what each process is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

from adloom.backup import keys
from infra.deployment.secrets import GENERATED, RINGS, SERVICES, SIGNING, fernet_key, generated
from infra.deployment.stackfile import Function, read_functions
from infra.local.credentials import Credentials
from infra.local.environment import APPS, Operator, base_environment
from infra.local.errors import RuntimeFault
from infra.local.home import Home
from infra.local.ports import DEFAULTS, FIRST_FUNCTION_PORT, PortBook
from infra.local.postgres import DATABASE, Cluster
from infra.local.probes import HOST
from infra.local.servers import BUCKET
from infra.local.state import State


class Plan:
    """The decisions for one start. Making one claims its ports and generates what is not there yet."""

    def __init__(self, home: Home, operator: Operator, state: State, book: PortBook) -> None:
        self.home = home
        self.operator = operator
        self.state = state
        # What the operator says reaches the functions by our own hand, as it does the other processes.
        self.functions = read_functions(environment={})
        self.credentials = Credentials(home)
        self.sandboxed = state.settle_mode(operator, self.credentials)
        self.book = book  # kept, for its claims end with it
        self.ports = self._choose_ports(book)
        password = self.credentials.get("postgres-admin-password")
        self.cluster = Cluster(home, self.ports["postgres"], password)

    def _choose_ports(self, book: PortBook) -> dict[str, int]:
        kept, told = self.state.ports, self.operator.port
        front = DEFAULTS["caddy"]
        ports = {"caddy": book.insist("caddy", told) if told else book.choose("caddy", front, kept)}
        for name, default in DEFAULTS.items():
            if name != "caddy":
                ports[name] = book.choose(name, default, kept)
        for function in self.functions:
            ports[function.name] = book.choose(function.name, FIRST_FUNCTION_PORT, kept)
        return ports

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.ports['caddy']}"

    @property
    def public_url(self) -> str:
        return (self.operator.public_url or self.url).rstrip("/")

    @property
    def owner_password(self) -> str:
        return self.credentials.get("owner-password")

    def environment(self, process: str, secrets: Mapping[str, str]) -> dict[str, str]:
        """The environment of one of our own processes; its secrets are written to a folder of its own."""
        if self.operator.sentry_dsn:
            secrets = {**secrets, "sentry-dsn": self.operator.sentry_dsn}
        told = {
            "ADLOOM_SECRETS_DIR": str(self.credentials.hand_out(process, secrets)),
            "ADLOOM_PUBLIC_URL": self.public_url,
            "ADLOOM_GATEWAY_URL": self.url,
            "ADLOOM_S3_ENDPOINT": f"http://{HOST}:{self.ports['s3']}",
            "ADLOOM_S3_BUCKET": BUCKET,
            **{f"ADLOOM_{name.upper()}_ID": self.state.app_id(name) for name in APPS},
        }
        if self.sandboxed:
            told["ADLOOM_SANDBOX_URL"] = f"http://{HOST}:{self.ports['sandbox']}"
            told["ADLOOM_SANDBOX_GOOGLE_PORT"] = str(self.ports["sandbox-google"])
        return {**base_environment(self.home), **self.operator.passed, **told}

    def function_environment(self, function: Function) -> dict[str, str]:
        """What `stack.yml` says of it, its own secrets, and the way out where it has real platforms to call."""
        secrets = {name: self.secret(name) for name in function.secrets}
        return {
            **self.environment(function.name, secrets),
            **({} if self.sandboxed else self.operator.outward),
            **function.environment,
            "port": str(self.ports[function.name]),
            "ADLOOM_BIND": HOST,
        }

    def command_line_environment(self) -> dict[str, str]:
        """What `adloom` needs to work on this stack."""
        names = [
            "operator-key",
            "audit-key",
            "s3-access-key",
            "s3-secret-key",
            *(["sandbox-key"] if self.sandboxed else []),
        ]
        return self.environment("cli", {"database-url": self.database_url("cli"), **self._named(names)})

    def admin_environment(self) -> dict[str, str]:
        """What migrations need: the one role that may do everything, and the passwords it gives to the others."""
        processes = [*(function.name for function in self.functions), *SERVICES]
        urls = {f"{process}-database-url": self.database_url(process) for process in processes}
        return self.environment("admin", {"admin-database-url": self.cluster.admin_url, **urls})

    def backup_environment(self) -> dict[str, str]:
        """What makes backups: it reads the database and the objects, and has neither the rings nor its own identity."""
        own = {
            "database-url": self.database_url("backup"),
            "backup-recipient": keys.recipient_of(self._backup_identity),
            keys.FINGERPRINTS_FILE: json.dumps(keys.fingerprints(self._named([*RINGS]))),
        }
        environment = self.environment("backup", {**own, **self._named(["s3-access-key", "s3-secret-key"])})
        return {**environment, "ADLOOM_BACKUP_FOLDER": str(self.home.backups)}

    def restore_environment(self) -> dict[str, str]:
        """What `adloom restore` and `adloom backup verify` need to work on this stack."""
        processes = [*(function.name for function in self.functions), *SERVICES]
        own = {
            "admin-database-url": self.cluster.admin_url,
            "backup-identity": self._backup_identity,
            **{f"{process}-database-url": self.database_url(process) for process in processes},
        }
        return self.environment("restore", {**own, **self._named(["s3-access-key", "s3-secret-key", *RINGS])})

    @property
    def _backup_identity(self) -> str:
        return self.credentials.get("backup-identity", keys.new_identity)

    def connector_environment(self) -> dict[str, str]:
        names = [f"{function.name}-event-secret" for function in self.functions]
        own = {"database-url": self.database_url("connector"), "nats-url": self._nats_url("connector")}
        environment = self.environment("connector", {**own, **self._named(names)})
        return {**environment, "ADLOOM_CONNECTOR_PORT": str(self.ports["connector"])}

    def dashboard_environment(self) -> dict[str, str]:
        own = {"database-url": self.database_url("dashboard"), "nats-url": self._nats_url("dashboard")}
        environment = self.environment("dashboard", {**own, **self._named(["storage-secret"])})
        storage = self.home.path / "work" / "dashboard"
        storage.mkdir(mode=0o700, exist_ok=True)
        return {
            **environment,
            "ADLOOM_DASHBOARD_PORT": str(self.ports["dashboard"]),
            "NICEGUI_STORAGE_PATH": str(storage),
        }

    def sandbox_environment(self) -> dict[str, str]:
        folder = self.home.path / "sandbox"
        folder.mkdir(mode=0o700, exist_ok=True)
        return {
            **self.environment("sandbox", {}),
            **self.operator.sandbox,
            "ADLOOM_SANDBOX_PORT": str(self.ports["sandbox"]),
            "ADLOOM_SANDBOX_HOME": str(folder),
            "ADLOOM_SANDBOX_KEY": self.secret("sandbox-key"),
            **{f"ADLOOM_{name.upper()}_SECRET": self.secret(f"{name}_secret".replace("_", "-")) for name in APPS},
            "ADLOOM_MAIL_KEY": self.secret("mail-key"),
            "ADLOOM_SANDBOX_CLIENT_SECRET": self.secret("sandbox-client-secret"),
        }

    def secret(self, name: str) -> str:
        """The value of a secret as `stack.yml` names it."""
        if name.endswith("-database-url"):
            return self.database_url(name.removesuffix("-database-url"))
        if name in self.operator.given:
            return self.operator.given[name]
        if name in (*RINGS, *SIGNING):
            return self.credentials.get(name, fernet_key)
        if name.endswith("-event-secret") or name in GENERATED:
            return self.credentials.get(name, partial(generated, name))
        raise RuntimeFault(f"stack.yml asks for the secret {name}, and the runtime does not know how to make it.")

    def _named(self, names: list[str]) -> dict[str, str]:
        return {name: self.secret(name) for name in names}

    def database_url(self, process: str) -> str:
        role = "adloom_" + process.replace("-", "_")
        password = self.credentials.get(f"{process}-database-password")
        return f"postgresql://{role}:{password}@{HOST}:{self.ports['postgres']}/{DATABASE}"

    def nats_password(self, user: str) -> str:
        return self.credentials.get(f"nats-{user}-password")

    def _nats_url(self, user: str) -> str:
        return f"nats://{user}:{self.nats_password(user)}@{HOST}:{self.ports['nats']}"
