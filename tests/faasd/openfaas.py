"""OpenFaaS on one machine: containerd, a registry, faasd's provider, the gateway, Prometheus, cron-connector."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.deployment.stackfile import ROOT
from tests.faasd import box
from tests.faasd.programs import Programs, answers, until

REGISTRY = "127.0.0.1:5000"
GATEWAY_PORT = 8080
URL = f"http://127.0.0.1:{GATEWAY_PORT}"
NAMESPACE = "openfaas-fn"
_PROVIDER = "http://127.0.0.1:8081"
CONTROL_GROUPS = Path("/sys/fs/cgroup")
_SOCKET = box.HOME / "containerd.sock"
_LEASES = Path("/run/cni/openfaas-cni-bridge")
# What a request may take is 60 s; whatever stands in front waits a little longer.
_TIMEOUTS = {"read_timeout": "65s", "write_timeout": "65s", "upstream_timeout": "65s"}
_SERVICE = {"port": "8081", "service_timeout": "65s"}
_CONTAINERD = f"""version = 2
root = "{box.HOME}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{_SOCKET}"
"""
_REGISTRY = """version: 0.1
storage:
  filesystem:
    rootdirectory: {folder}
http:
  addr: {address}
"""
_PROMETHEUS = """global:
  scrape_interval: 5s
scrape_configs:
  - job_name: gateway
    static_configs:
      - targets: ["127.0.0.1:8082"]
"""


@dataclass(frozen=True)
class Task:
    """A container that runs now."""

    pid: int
    address: str


class OpenFaaS:
    """`start` it, deploy with `faas`, ask about functions."""

    def __init__(self, programs: Programs, registry_folder: Path) -> None:
        self.programs = programs
        self._registry_folder = registry_folder
        self.password = secrets.token_urlsafe(24)
        self._secrets = box.HOME / "basic-auth"
        self.environment: dict[str, str] = {"OPENFAAS_URL": URL}

    def start(self) -> None:
        self._write_settings()
        auth = {"basic_auth": "true", "secret_mount_path": str(self._secrets)}
        start, bin_ = self.programs.start, box.HOME / "bin"
        start("containerd", ["containerd", "--config", str(box.HOME / "containerd.toml")], ready=_SOCKET.is_socket)
        start_registry(self.programs, self._registry_folder, REGISTRY)
        start(
            "provider",
            [str(bin_ / "faasd"), "provider"],
            cwd=box.HOME / "faasd",
            env={**auth, **_SERVICE, "sock": str(_SOCKET), "hosts_dir": str(box.HOME / "faasd")},
            ready=answers(f"{_PROVIDER}/healthz"),
        )
        self._start_prometheus()
        prometheus = {"faas_prometheus_host": "127.0.0.1", "faas_prometheus_port": "9090"}
        provider = {"functions_provider_url": f"{_PROVIDER}/", "direct_functions": "false"}
        start(
            "gateway",
            [str(bin_ / "gateway")],
            env={**auth, **provider, **prometheus, **_TIMEOUTS, "port": str(GATEWAY_PORT), "scale_from_zero": "true"},
            ready=answers(f"{URL}/healthz"),
        )
        login = ("login", "--gateway", URL, "--username", "admin", "--password", self.password)
        self.faas(*login)

    def start_cron(self) -> None:
        """The ticks; once there are functions to see."""
        auth = {"basic_auth": "true", "secret_mount_path": str(self._secrets)}
        settings = {"gateway_url": URL, "rebuild_interval": "5s", "print_response": "false"}
        self.programs.start("cron-connector", [str(box.HOME / "bin" / "cron-connector")], env={**auth, **settings})

    def _write_settings(self) -> None:
        for folder in ("faasd", "basic-auth", "prometheus"):
            (box.HOME / folder).mkdir(exist_ok=True)
        (self._secrets / "basic-auth-user").write_text("admin")
        (self._secrets / "basic-auth-password").write_text(self.password)
        (box.HOME / "containerd.toml").write_text(_CONTAINERD)
        (box.HOME / "prometheus.yml").write_text(_PROMETHEUS)

    def _start_prometheus(self) -> None:
        settings = (f"--config.file={box.HOME}/prometheus.yml", f"--storage.tsdb.path={box.HOME}/prometheus")
        command = ["prometheus", *settings, "--web.listen-address=127.0.0.1:9090"]
        self.programs.start("prometheus", command, ready=answers("http://127.0.0.1:9090/-/ready"))

    def faas(self, *arguments: str) -> str:
        """Run faas-cli in the project's root; what it printed."""
        command = [str(box.HOME / "bin" / "faas-cli"), *arguments]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(box.HOME / "home"), **self.environment}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"faas-cli {arguments[0]}: {done.stdout}{done.stderr}"
        return done.stdout

    def deploy(self, *only: str) -> None:
        """Deploy `stack.yml`, or again some of its functions."""
        self.faas("deploy", "-f", "stack.yml", *(word for name in only for word in ("--filter", name)))

    def functions(self) -> dict[str, dict[str, Any]]:
        """What the gateway lists."""
        listed = self._ask("GET", f"{URL}/system/functions").json()
        return {one["name"]: one for one in listed}

    def scale(self, name: str, replicas: int) -> None:
        """At the provider: the community's gateway itself scales no function to zero."""
        body = {"serviceName": name, "replicas": replicas}
        self._ask("POST", f"{_PROVIDER}/system/scale-function/{name}", body)

    def replicas(self, name: str) -> int:
        shown = self._ask("GET", f"{URL}/system/function/{name}").json()
        return int(shown.get("availableReplicas", 0))

    def _ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        auth = ("admin", self.password)
        answer = httpx.request(method, url, json=body, auth=auth, timeout=70, trust_env=False)
        assert answer.is_success, f"{method} {url}: {answer.status_code} {answer.text}"
        return answer

    def task(self, name: str) -> Task:
        """The function's container; KeyError when none runs."""
        lines = self.ctr("tasks", "list").splitlines()[1:]
        pid = {line.split()[0]: int(line.split()[1]) for line in lines}[name]
        leases = {path.name: path.read_text() for path in _LEASES.iterdir() if path.name.startswith("10.")}
        address = next(address for address, holder in leases.items() if holder.startswith(f"{name}-{pid}\n"))
        return Task(pid, address)

    def ctr(self, *arguments: str) -> str:
        command = ["ctr", "--address", str(_SOCKET), "--namespace", NAMESPACE, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def log(self, name: str) -> str:
        """Everything the function's containers have written."""
        path = box.HOME / "logs" / f"function-{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of its log that are ours."""
        lines = (line for line in self.log(name).splitlines() if line.startswith("{"))
        return [json.loads(line) for line in lines]

    def wait_ready(self, name: str, patience: float = 60.0) -> float:
        """Wait until the function serves; the seconds that took."""
        return until(answers(f"{URL}/function/{name}/_/ready"), f"{name} to serve", patience, lambda: self.log(name))

    def remove(self) -> None:
        """End every function, so that its control group goes too."""
        for name in self.functions():
            self.faas("remove", name, "--gateway", URL)


def start_registry(programs: Programs, folder: Path, address: str) -> None:
    """A registry over a folder of images."""
    settings = programs.logs / "registry.yml"
    settings.write_text(_REGISTRY.format(folder=folder, address=address))
    programs.start("registry", ["docker-registry", "serve", str(settings)], ready=answers(f"http://{address}/v2/"))
