"""The functions on OpenFaaS: their secrets, their images, and each of them deployed and seen to answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.deployment.stackfile import Function, read_functions
from infra.faasd import files, machine
from infra.faasd.choices import Choices
from infra.faasd.layout import ARCHIVES, GATEWAY, IMAGES, LOOPBACK, REGISTRY_PORT, SECRETS, STATE

# Where faasd's own installer puts them.
_THEIR_SECRETS = Path("/var/lib/faasd/secrets")
_GATEWAY_S = 120.0
# A function answers within seconds; its first start on a busy machine takes longer.
_READY_S = 60.0
_FOUND = 200

Say = Callable[[str], None]


@dataclass(frozen=True)
class Platform:
    """OpenFaaS on this machine, with one release's list of functions."""

    choices: Choices
    release: Path

    @property
    def version(self) -> str:
        return self.release.name

    @property
    def told(self) -> dict[str, str]:
        """The environment from which stack.yml is filled in, and by which faas-cli finds the gateway."""
        return {
            **files.functions_environment(machine.environment()),
            "ADLOOM_IMAGES": IMAGES,
            "ADLOOM_VERSION": self.version,
            "OPENFAAS_URL": GATEWAY,
            "OPENFAAS_CONFIG": str(STATE / "openfaas"),
        }

    def functions(self) -> list[Function]:
        return read_functions(self.release / "stack.yml", {**os.environ, **self.told})

    def log_in(self) -> None:
        machine.wait_for(
            "The gateway did not answer", lambda: machine.status_of(f"{GATEWAY}/healthz") == _FOUND, _GATEWAY_S
        )
        folder = SECRETS if self.choices.own_openfaas else _THEIR_SECRETS
        user = (folder / "basic-auth-user").read_text(encoding="utf-8").strip()
        password = (folder / "basic-auth-password").read_text(encoding="utf-8").strip()
        self._cli("login", "--username", user, "--password-stdin", text=password)

    def hand_out_secrets(self) -> None:
        """Make or renew every secret that a function names."""
        known = {line.split()[0] for line in self._cli("secret", "list").splitlines()[1:] if line.split()}
        for name in sorted({name for function in self.functions() for name in function.secrets}):
            machine.secret(name)
            action = "update" if name in known else "create"
            self._cli("secret", action, name, f"--from-file={SECRETS / name}", "--trim=true")

    def build(self, functions: Iterable[Function]) -> None:
        """Build and push the images that the registry does not have."""
        for function in functions:
            if self.has_image(function.name) or self._from_archive(function.name):
                continue
            command = [sys.executable, "-m", "infra.images", "build", "--engine", "buildah"]
            told = {**self.told, "PYTHONPATH": f"{self.release}:{self.release}/shared"}
            machine.watch(
                [*command, "--prefix", IMAGES, "--only", function.name, "--push"], told=told, folder=self.release
            )

    def _from_archive(self, name: str) -> bool:
        """Push the image that was brought as an archive; False where there is none."""
        archive = ARCHIVES / self.version / f"{name}.tar"
        if not archive.is_file():
            return False
        image = machine.run(["buildah", "pull", "--quiet", f"docker-archive:{archive}"]).split()[-1]
        target = f"docker://{IMAGES}/{name}:{self.version}"
        machine.run(["buildah", "push", "--quiet", "--disable-compression", "--tls-verify=false", image, target])
        machine.run(["buildah", "rmi", "--force", image])
        return True

    def has_image(self, name: str) -> bool:
        manifest = f"http://{LOOPBACK}:{REGISTRY_PORT}/v2/adloom/{name}/manifests/{self.version}"
        return machine.status_of(manifest) == _FOUND

    def deploy(self, function: Function) -> None:
        """Replace the function by this release's, and wait until it answers."""
        self._cli("deploy", "--yaml", "stack.yml", "--filter", function.name)
        ready = f"{GATEWAY}/function/{function.name}/_/ready"
        machine.wait_for(
            f"The function {function.name} of {self.version} did not answer at {ready}",
            lambda: machine.status_of(ready) == _FOUND,
            _READY_S,
        )

    def _cli(self, *words: str, text: str | None = None) -> str:
        return machine.run(["/usr/local/bin/faas-cli", *words], text=text, told=self.told, folder=self.release)


def bring_up(platform: Platform, say: Say) -> None:
    """Everything from secrets to answering functions."""
    platform.log_in()
    platform.hand_out_secrets()
    platform.build(platform.functions())
    deploy(platform, say)


def deploy(platform: Platform, say: Say) -> None:
    """One function after the other; MachineFault at the first that does not answer."""
    for function in platform.functions():
        platform.deploy(function)
        say(f"{function.name} of {platform.version} answers")
