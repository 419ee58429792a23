"""The program that builds and keeps images: podman, Docker or buildah.

`ADLOOM_ENGINE` names one, `ADLOOM_ENGINE_FLAGS` holds flags that its `run` and `build` need on this machine; where it
is not set they are found by trying once.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ENGINES = ("podman", "docker", "buildah")
# Hosts where crun refuses the cgroups, or where the hard limits are below what podman asks for.
_LIMITS = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")
_PROBE_S = 60
# How buildah tells sizes.
_DECIMAL = {"B": 1, "KB": 10**3, "kB": 10**3, "MB": 10**6, "GB": 10**9}


class EngineError(Exception):
    """What a person has to do before images can be built or run; the text says it."""


@dataclass(frozen=True)
class Engine:
    """One engine. `flags` follow `run` and `build`."""

    name: str
    program: str
    flags: tuple[str, ...] = ()

    def output(self, *arguments: str) -> str:
        """Run a command of the engine; EngineError with what it said when it fails."""
        result = subprocess.run([self.program, *arguments], capture_output=True, text=True, check=False)
        if result.returncode:
            raise EngineError(f"`{self.name} {shlex.join(arguments)}` failed:\n{result.stderr.strip()}")
        return result.stdout.strip()

    def build(
        self,
        context: Path,
        *,
        image: str,
        dockerfile: Path,
        target: str = "",
        arguments: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        secrets: Mapping[str, Path] | None = None,
        pull: bool = True,
        log: Path | None = None,
    ) -> None:
        """Build an image; its steps see the host's network, so that what the host reaches they reach."""
        image = self._exactly(image)
        command = [self.program, "build", *self.flags, "--network", "host", "--file", str(dockerfile), "--tag", image]
        command += ["--target", target] if target else []
        for name, value in sorted((arguments or {}).items()):
            command += ["--build-arg", f"{name}={value}"]
        for name, path in sorted((secrets or {}).items()):
            command += ["--secret", f"id={name},src={path}"]
        if self.name != "docker":
            # Plain buildah asks the registry for something newer even where it has the image.
            command += ["--layers", "--pull=false" if pull else "--pull=never"]
        log = log or context.with_suffix(".log")
        self._logged([*command, str(context)], log, image)
        if labels:
            self._label(image, labels, log.with_suffix(".label.log"))

    def _label(self, image: str, labels: Mapping[str, str], log: Path) -> None:
        """Put labels on an image. As an option of its build they are left out where every layer was there already."""
        with tempfile.TemporaryDirectory() as folder:
            lines = "".join(f'LABEL {name}="{value}"\n' for name, value in sorted(labels.items()))
            (Path(folder) / "Dockerfile").write_text(f"FROM {image}\n{lines}", encoding="utf-8")
            local = [] if self.name == "docker" else ["--pull=never"]
            self._logged([self.program, "build", *self.flags, *local, "--tag", image, folder], log, image)

    def _logged(self, command: list[str], log: Path, image: str) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        with log.open("w", encoding="utf-8") as file:
            status = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, env=environment
            ).returncode
        if status:
            end = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:])
            raise EngineError(f"{image} could not be built; the end of {log}:\n{end}")

    def inspect(self, image: str) -> dict[str, Any] | None:
        """What the engine knows of an image it has; None where it has none of that name."""
        arguments = ["inspect", "--type", "image", self._exactly(image)]
        result = subprocess.run([self.program, *arguments], capture_output=True, text=True, check=False)
        if result.returncode:
            return None
        found = json.loads(result.stdout)
        return dict(found[0] if isinstance(found, list) else found)

    def _exactly(self, image: str) -> str:
        """The name of one image. Under a name without its registry podman takes, and tags, one of any registry."""
        first, slash, _ = image.partition("/")
        is_ours = self.name != "docker" and slash and first != "localhost" and not {".", ":"} & set(first)
        return f"localhost/{image}" if is_ours else image

    def label(self, image: str, name: str) -> str | None:
        found = self.inspect(image)
        if found is None:
            return None
        config = found["OCIv1"]["config"] if self.name == "buildah" else found["Config"]
        value = (config.get("Labels") or {}).get(name)
        return None if value is None else str(value)

    def identity(self, image: str) -> str:
        """The id of an image, which is fetched where the engine has none of that name."""
        found = self.inspect(image)
        if found is None:
            try:
                self.output("pull", image)
            except EngineError as error:
                raise EngineError(
                    f"{error}\nThe base image {image} is not here and could not be fetched. Where no registry can be "
                    "reached, `python -m infra.images build --stand-ins` makes stand-ins for tests."
                ) from error
            found = self.inspect(image)
        if found is None:
            raise EngineError(f"{self.name} fetched {image} and does not know it.")
        return str(found["FromImageID"] if self.name == "buildah" else found["Id"]).removeprefix("sha256:")

    def size(self, image: str) -> int:
        """Bytes of all layers."""
        if self.name == "buildah":
            amount, unit = json.loads(self.output("images", "--json", self._exactly(image)))[0]["size"].split()
            return int(float(amount) * _DECIMAL[unit])
        found = self.inspect(image)
        return int(found["Size"]) if found else 0

    def push(self, image: str) -> None:
        """Push to the registry that the image's name begins with; plain http on loopback."""
        plain = ["--tls-verify=false"] if self.name != "docker" and image.startswith(("127.", "localhost:")) else []
        self.output("push", *plain, image)

    def with_flags(self, image: str) -> Engine:
        """The same engine with the flags that this machine needs to run the image's `true`."""
        told = os.environ.get("ADLOOM_ENGINE_FLAGS")
        if told is not None:
            return replace(self, flags=tuple(shlex.split(told)))
        if self.name != "podman":
            return self
        said = ""
        for flags in _candidates():
            command = [self.program, "run", *flags, "--rm", "--pull=never", "--network=none", image, "true"]
            result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PROBE_S)
            if result.returncode == 0:
                return replace(self, flags=flags)
            said = said or result.stderr.strip()
        raise EngineError(
            f"podman cannot run a container here:\n{said}\nSet ADLOOM_ENGINE_FLAGS to the flags that it needs."
        )


def _candidates() -> list[tuple[str, ...]]:
    runc = shutil.which("runc", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    runtime = ("--runtime", runc) if runc else ()
    return list(dict.fromkeys([(), runtime, _LIMITS, (*runtime, *_LIMITS)]))


def find(name: str = "") -> Engine:
    """The engine that was asked for, by argument or ADLOOM_ENGINE, or else the first that answers."""
    wanted = name or os.environ.get("ADLOOM_ENGINE", "")
    if wanted and wanted not in ENGINES:
        raise EngineError(f"There is no engine {wanted}; there are {', '.join(ENGINES)}.")
    for candidate in [wanted] if wanted else ENGINES:
        program = shutil.which(candidate)
        if program and _answers(program):
            return Engine(candidate, program)
    if wanted:
        raise EngineError(f"{wanted} is not installed, or its service does not answer: try `{wanted} info`.")
    raise EngineError("Images need podman, Docker or buildah. On Debian: apt-get install podman")


def _answers(program: str) -> bool:
    result = subprocess.run([program, "info"], capture_output=True, check=False)
    return result.returncode == 0


class Timer:
    """Says what happens, with the seconds it took."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def says(self, what: str) -> None:
        print(f"{what} ({time.monotonic() - self._began:.1f} s)", flush=True)


def say(what: str) -> None:
    print(what, flush=True)
