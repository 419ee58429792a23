"""Processes of `auth`, a gateway over them and a dashboard before it, on a database of a test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
from cryptography.fernet import Fernet

from infra.deployment.front import Front, caddyfile
from infra.local.servers import program
from tests.forms import hidden
from tests.integration.cast import auth_settings

if TYPE_CHECKING:
    from tests.conftest import Postgres

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PROCESSES = 4
STORAGE_SECRET = "a secret of this test"
_PATIENCE_S = 60


@dataclass(frozen=True)
class Rig:
    """`auths` are the addresses of the processes; `dashboard` is what stands before all of them. `pids` are theirs and
    the dashboard's.
    """

    auths: list[str]
    pids: list[int]
    dashboard: str

    def memory(self) -> int:
        """Bytes that the processes of `auth` and the dashboard hold together, shared libraries not counted."""
        return sum(psutil.Process(pid).memory_full_info().uss for pid in self.pids)

    def log_in(self, client: httpx.Client, n: int, address: str, email: str, password: str, device: str = "") -> int:
        """One attempt at process `n` from an address, as a trusted proxy tells it; the status."""
        body = {"email": email, "password": password} | ({"device": device} if device else {})
        answer = client.post(
            f"{self.auths[n % len(self.auths)]}/login", json=body, headers={"X-Forwarded-For": address}
        )
        return answer.status_code

    def log_in_by_form(
        self, client: httpx.Client, form: Form, address: str, email: str, password: str, device: str = ""
    ) -> int:
        """One attempt through the dashboard's form; the status."""
        cookie = form.cookie + (f"; adloom_device={device}" if device else "")
        headers = {"Origin": self.dashboard, "X-Forwarded-For": address, "Cookie": cookie}
        fields = {"form_token": form.token, "next": "/", "email": email, "password": password}
        return client.post(f"{self.dashboard}/login", data=fields, headers=headers).status_code

    def form(self, client: httpx.Client) -> Form:
        answer = client.get(f"{self.dashboard}/login")
        answer.raise_for_status()
        [cookie] = [each.partition(";")[0] for each in answer.headers.get_list("set-cookie") if "adloom_form" in each]
        return Form(hidden(answer.text, "/login")["form_token"], cookie)


@dataclass(frozen=True)
class Form:
    token: str
    cookie: str


@contextmanager
def guess_rig(
    postgres: Postgres, folder: Path, operator_key: str, processes: int = PROCESSES, *, connects: bool = False
) -> Iterator[Rig]:
    """`connects`: with `oauth-callback` and one that syncs beside them."""
    auths, (front, gateway, dashboard, callback, sync) = free_ports(processes), free_ports(5)
    base = {name: value for name, value in os.environ.items() if not name.startswith(("ADLOOM_", "PYTEST_"))}
    base |= {"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}", "ADLOOM_SECRETS_DIR": str(folder), "ADLOOM_LOG_LEVEL": "ERROR"}
    base |= {"ADLOOM_PUBLIC_URL": f"http://{HOST}:{dashboard}", "ADLOOM_GATEWAY_URL": f"http://{HOST}:{gateway}"}
    told = {
        f"ADLOOM_{name.upper()}": value for name, value in auth_settings(postgres.url("auth"), operator_key).items()
    }
    told |= {"ADLOOM_BIND": HOST, "max_inflight": "32", "ADLOOM_DATABASE_POOL": "8"}
    with ExitStack() as running:
        pids = []
        for port in auths:
            command = [sys.executable, "template/adloom-python/serve.py", "functions/auth"]
            pids.append(running.enter_context(process(command, told | base | {"port": str(port)})).pid)
        functions = {"auth": " ".join(f"{HOST}:{port}" for port in auths)}
        if connects:
            apps = told | base | {"ADLOOM_TOKEN_RING": Fernet.generate_key().decode()}
            apps |= {"ADLOOM_META_APP_ID": "1", "ADLOOM_META_APP_SECRET": "no app's"}
            for name, port in (("oauth-callback", callback), ("sync-meta", sync)):
                own = {"port": str(port), "ADLOOM_DATABASE_URL": postgres.url(name)}
                command = [sys.executable, "template/adloom-python/serve.py", f"functions/{name.replace('-', '_')}"]
                running.enter_context(process(command, apps | own))
                functions[name] = f"{HOST}:{port}"
        file = folder / "Caddyfile"
        settings = Front((f"http://{HOST}:{front}",), f"{HOST}:{dashboard}", functions, HOST, front, gateway=gateway)
        file.write_text(caddyfile(settings))
        caddy = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]
        running.enter_context(process(caddy, base | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}))
        own = {
            "ADLOOM_DATABASE_URL": postgres.url("dashboard"),
            "ADLOOM_NATS_URL": f"nats://{HOST}:1",
            "ADLOOM_STORAGE_SECRET": STORAGE_SECRET,
            "ADLOOM_DASHBOARD_PORT": str(dashboard),
            "NICEGUI_STORAGE_PATH": str(folder / "nicegui"),
        }
        running.enter_context(process([sys.executable, "-m", "ui.main"], base | own))
        for url in (*(f"http://{HOST}:{port}/_/ready" for port in auths), f"http://{HOST}:{dashboard}/_/health"):
            wait_for(url)
        wait_for(f"http://{HOST}:{gateway}/_/health")
        if connects:
            wait_for(f"http://{HOST}:{callback}/_/ready")
            wait_for(f"http://{HOST}:{sync}/_/ready")
        yield Rig([f"http://{HOST}:{port}" for port in auths], pids, f"http://{HOST}:{dashboard}")


@contextmanager
def process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    started = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(30)


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def wait_for(url: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            if httpx.get(url, trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} does not answer")
        time.sleep(0.1)
