"""Adloom on OpenFaaS: the servers and services beside the functions, and the whole of it as one deployment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from adloom.clock import ClockSetting
from infra.deployment import front
from infra.deployment.secrets import SecretFolder
from infra.deployment.stackfile import ROOT, Function, read_functions
from infra.local.home import Home
from infra.local.postgres import Cluster
from infra.local.servers import program
from tests.deployed.main_job import Deployment
from tests.faasd import box, openfaas
from tests.faasd.openfaas import OpenFaaS
from tests.faasd.programs import Programs, answers, listens

POSTGRES, NATS, S3, SANDBOX, SANDBOX_GOOGLE, CONNECTOR, DASHBOARD, FRONT = (
    5432,
    4222,
    9000,
    8090,
    8091,
    8095,
    8100,
    8000,
)
PUBLIC_URL = f"http://127.0.0.1:{FRONT}"
OWNER = "owner@adloom.local"
_APP_ID = "104729104729104"
_APPS = ("GOOGLE_ADS_CLIENT", "META_APP", "TIKTOK_APP")
_BUCKET = "adloom"
# Business seconds in a real one: accounts are due every 15 minutes, and cron-connector ticks once a real minute.
_RATE = 30.0


class Platform:
    """Everything, started in order. `facts` is what the sandbox serves, `clock` the business time at the start."""

    def __init__(self, programs: Programs, faasd: OpenFaaS, facts: Path, clock: datetime) -> None:
        self.faasd = faasd
        self.functions: list[Function] = []
        self._programs = programs
        self._facts = facts
        self._clock = str(ClockSetting(clock, _RATE, time.time()))
        self._secrets = SecretFolder(box.HOME / "secrets")

    def start(self) -> None:
        self._make_secrets()
        self._start_postgres()
        self._start_servers()
        self.faasd.start()
        self._deploy()
        self._start_services()
        self._module("infra.local.first_login", {"ADLOOM_OWNER_EMAIL": OWNER, "ADLOOM_OWNER_PASSWORD": self._password})

    @property
    def deployment(self) -> Deployment:
        return Deployment(
            gateway=openfaas.URL,
            front=PUBLIC_URL,
            adloom=self.adloom,
            sandbox=f"http://{box.HOST}:{SANDBOX}",
            sandbox_key=self._secrets.get("sandbox-key"),
            owner=(OWNER, self._password),
        )

    @property
    def _password(self) -> str:
        return self._secrets.get("owner-password")

    def log(self, program: str) -> str:
        return self._programs.running[program].log

    @property
    def admin_url(self) -> str:
        """The database as the superuser sees it."""
        return self.secret("admin-database-url")

    def secret(self, name: str) -> str:
        value = self._secrets.known(name)
        assert value is not None, f"there is no secret {name}"
        return value

    # The servers

    def _make_secrets(self) -> None:
        reach = ("--functions-reach", box.HOST, "--postgres-port", str(POSTGRES), "--nats-port", str(NATS))
        store = ("--nats-store", str(box.HOME / "nats"))
        self._module("infra.deployment.secrets", {}, str(self._secrets.folder), *reach, *store)

    def _start_postgres(self) -> None:
        home = Home(box.HOME)
        cluster = Cluster(home, POSTGRES, self._secrets.get("postgres-password"))
        cluster.make_folder()
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        initdb, server = cluster.parts(environment)
        initdb.before()
        subprocess.run(initdb.command, env=environment, cwd=cluster.folder, check=True, capture_output=True)
        initdb.after()
        with (cluster.data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write("host all all 10.62.0.0/16 scram-sha-256\n")
        command = [*server.command, f"--listen-addresses=127.0.0.1,{box.HOST}"]
        # It ends its sessions and itself.
        self._programs.start("postgres", command, cwd=cluster.folder, ready=listens(POSTGRES), end=signal.SIGINT)
        self._module("infra.deployment.migrate", self._environment)

    def _start_servers(self) -> None:
        start = self._programs.start
        (box.HOME / "s3" / _BUCKET).mkdir(parents=True)
        start(
            "nats", [program("nats-server"), "--config", str(self._secrets.folder / "nats.conf")], ready=listens(NATS)
        )
        keys = f'"{self.secret("s3-access-key")},{self.secret("s3-secret-key")}"'
        start(
            "s3",
            [program("rclone"), "serve", "s3", f"--addr={box.HOST}:{S3}", str(box.HOME / "s3")],
            env={"RCLONE_AUTH_KEY": keys, "RCLONE_CONFIG": "/dev/null"},
            ready=listens(S3, box.HOST),
        )
        start(
            "sandbox",
            [sys.executable, "-m", "infra.sandbox"],
            cwd=ROOT,
            env={
                **self._environment,
                "ADLOOM_SANDBOX_HOST": box.HOST,
                "ADLOOM_SANDBOX_PORT": str(SANDBOX),
                "ADLOOM_SANDBOX_HOME": str(box.HOME / "sandbox"),
                "ADLOOM_SANDBOX_FACTS": str(self._facts),
                "ADLOOM_SANDBOX_KEY": self.secret("sandbox-key"),
                **{f"ADLOOM_{app}_SECRET": self.secret(f"{app}-secret".lower().replace("_", "-")) for app in _APPS},
                "ADLOOM_MAIL_KEY": self.secret("mail-key"),
                "ADLOOM_SANDBOX_CLIENT_SECRET": self.secret("sandbox-client-secret"),
            },
            ready=answers(f"http://{box.HOST}:{SANDBOX}/_/health"),
        )

    # The functions

    def _deploy(self) -> None:
        """The secrets and every function of `stack.yml`."""
        told = {name: value for name, value in self._environment.items() if name != "ADLOOM_SECRETS_DIR"}
        told |= {
            "ADLOOM_IMAGES": f"{openfaas.REGISTRY}/adloom",
            "ADLOOM_GATEWAY_URL": f"http://{box.HOST}:{openfaas.GATEWAY_PORT}",
            # The provider calls a function from the bridge's address; the watchdog from within.
            "ADLOOM_TRUSTED_PROXIES": f"127.0.0.1,::1,{box.HOST}",
        }
        self.faasd.environment |= told
        self.functions = read_functions(environment=told)
        for name in sorted({secret for function in self.functions for secret in function.secrets}):
            path = str(self._secrets.folder / name)
            self.faasd.faas("secret", "create", name, "--from-file", path, "--gateway", openfaas.URL)
        self.faasd.deploy()
        for function in self.functions:
            self.faasd.wait_ready(function.name)
        self.faasd.start_cron()

    # The services

    @property
    def _environment(self) -> dict[str, str]:
        """What is told to every process of ours."""
        return {
            "ADLOOM_SECRETS_DIR": str(self._secrets.folder),
            "ADLOOM_PUBLIC_URL": PUBLIC_URL,
            "ADLOOM_GATEWAY_URL": openfaas.URL,
            "ADLOOM_S3_ENDPOINT": f"http://{box.HOST}:{S3}",
            "ADLOOM_S3_BUCKET": _BUCKET,
            **{f"ADLOOM_{app}_ID": _APP_ID for app in _APPS},
            "ADLOOM_SANDBOX_GOOGLE_PORT": str(SANDBOX_GOOGLE),
            "ADLOOM_SANDBOX_URL": f"http://{box.HOST}:{SANDBOX}",
            "ADLOOM_CLOCK": self._clock,
        }

    def _start_services(self) -> None:
        start, environment = self._programs.start, self._environment
        start(
            "connector",
            [sys.executable, "-m", "infra.connector"],
            cwd=ROOT,
            # OpenFaaS's cron-connector calls the ticks.
            env={**environment, "ADLOOM_CRON": "off", "ADLOOM_CONNECTOR_PORT": str(CONNECTOR)},
            ready=answers(f"http://127.0.0.1:{CONNECTOR}/_/health"),
        )
        storage = {"NICEGUI_STORAGE_PATH": str(box.HOME / "dashboard")}
        start(
            "dashboard",
            [sys.executable, "-m", "ui.main"],
            cwd=ROOT,
            env={**environment, **storage, "ADLOOM_DASHBOARD_PORT": str(DASHBOARD)},
            ready=answers(f"http://127.0.0.1:{DASHBOARD}/_/health"),
        )
        self._start_front()

    def _start_front(self) -> None:
        gateway = f"127.0.0.1:{openfaas.GATEWAY_PORT}"
        door = front.Front(
            sites=(PUBLIC_URL,),
            dashboard=f"127.0.0.1:{DASHBOARD}",
            functions={function.name: gateway for function in self.functions},
            bind="127.0.0.1",
            port=FRONT,
            strip=False,
        )
        settings = box.HOME / "Caddyfile"
        settings.write_text(front.caddyfile(door), encoding="utf-8")
        command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(settings)]
        self._programs.start("front", command, ready=answers(f"{PUBLIC_URL}/function/", 404))

    def adloom(self, *arguments: str) -> str:
        """Run the command line; what it printed."""
        return self._module("adloom.cli", self._environment, *arguments)

    def _module(self, name: str, told: dict[str, str], *arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8"}
        environment |= self._environment | told
        command = [sys.executable, "-m", name, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name} {' '.join(arguments)} ended with {done.returncode}: {done.stderr}"
        return done.stdout
