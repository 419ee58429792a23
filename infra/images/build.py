"""Builds every image of the platform; what has not changed is not built again."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.deployment.stackfile import STACK_FILE, Function, read_functions
from infra.images import base, content, context, machine
from infra.images.engine import Engine, EngineError, Timer, say

_HERE = Path(__file__).parent
STAGES = ("app", "openfaas")
_OPENFAAS_STAGE = "openfaas"
# What each service needs of the repository besides shared/adloom, and the family of its dependencies.
SERVICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "dashboard": ("dashboard", ("ui",)),
    "connector": ("connector", ("infra/connector", "stack.yml")),
    "sandbox": ("sandbox", ("infra/sandbox",)),
    "tools": ("tools", ("infra/deployment", "infra/local/first_login.py", "migrations", "stack.yml")),
}
MINIO = "minio"


@dataclass(frozen=True)
class Image:
    """One image to build: its name, its context and Dockerfile, the stage, and the bases it is made from."""

    name: str
    tag: str
    context: Path
    dockerfile: Path
    stage: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    bases: tuple[str, ...] = (base.PYTHON,)

    def build(self, engine: Engine, secrets: dict[str, Path], *, pull: bool) -> None:
        """Build it unless the image of this name has the same content."""
        facts = {f"argument {name}": value for name, value in self.arguments.items()}
        facts |= {f"base {name}": engine.identity(name) for name in self.bases}
        facts |= {"stage": self.stage, "Dockerfile": self.dockerfile.read_text(encoding="utf-8")}
        wanted = content.fingerprint(self.context, facts)
        if engine.label(self.tag, content.LABEL) == wanted:
            return say(f"{self.tag}: unchanged")
        timer = Timer()
        engine.build(
            self.context,
            image=self.tag,
            dockerfile=self.dockerfile,
            target=self.stage,
            arguments=self.arguments,
            labels={content.LABEL: wanted},
            secrets=secrets,
            pull=pull,
        )
        return timer.says(f"{self.tag}: built, {engine.size(self.tag) >> 20} MB")


def image(name: str, prefix: str = "", stage: str = "app") -> Image:
    """The image of a function or service; writes its context."""
    environment = {**os.environ, **({"ADLOOM_IMAGES": prefix} if prefix else {})}
    for function in read_functions(STACK_FILE, environment):
        if function.name == name:
            return _function(function, stage)
    if name == MINIO:
        return _minio(service_tag(MINIO, environment))
    return _service(name, service_tag(name, environment))


def names() -> list[str]:
    return [*(function.name for function in read_functions()), *SERVICES, MINIO]


def service_tag(name: str, environment: dict[str, str] | None = None) -> str:
    """The image of a service: named like the functions' in stack.yml."""
    told = os.environ if environment is None else environment
    return f"{told.get('ADLOOM_IMAGES') or 'adloom'}/{name}:{told.get('ADLOOM_VERSION') or 'latest'}"


def _function(function: Function, stage: str) -> Image:
    folder = context.write_function(function)
    bases = (base.PYTHON, base.WATCHDOG) if stage == _OPENFAAS_STAGE else (base.PYTHON,)
    return Image(function.name, function.image, folder, folder / "Dockerfile", stage, dict(function.build_args), bases)


def _service(name: str, tag: str) -> Image:
    family, parts = SERVICES[name]
    folder = context.write_service(name, family, parts)
    return Image(name, tag, folder, _HERE / "service.Dockerfile", name, {"FAMILY": family})


def _minio(tag: str) -> Image:
    folder = context.write_files(MINIO, ())
    return Image(MINIO, tag, folder, _HERE / "minio.Dockerfile", bases=(base.GOLANG,))


def build(
    engine: Engine, *, only: Iterable[str] = (), prefix: str = "", stage: str = "app", stand_ins: bool, push: bool
) -> None:
    """Build what was asked for, or everything; EngineError says what a person has to do."""
    chosen = set(only)
    if unknown := chosen - set(names()) - {"stand-ins"}:
        raise EngineError(f"There is no image {', '.join(sorted(unknown))}; there are {', '.join(names())}.")
    if stand_ins and stage == _OPENFAAS_STAGE and base.WATCHDOG not in base.at_hand():
        raise EngineError(
            "The stage openfaas needs OpenFaaS's watchdog, and no stand-in can be made of it without its program: set "
            "OPENFAAS_BIN to a folder that holds fwatchdog, or build the stage app."
        )
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="adloom-build-") as folder:
        secrets = machine.write_secrets(Path(folder))
        if stand_ins:
            with _one_at_a_time("stand-ins"):
                engine = base.make(engine, base.at_hand(), secrets)
        for name in names():
            if chosen and name not in chosen:
                continue
            with _one_at_a_time(name):
                one = image(name, prefix, stage)
                one.build(engine, secrets, pull=not stand_ins)
            if push:
                timer = Timer()
                engine.push(one.tag)
                timer.says(f"{one.tag}: pushed")
    say(f"images took {time.monotonic() - began:.1f} s")


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Two builds of an image would write the same context."""
    context.BUILD.mkdir(exist_ok=True)
    with (context.BUILD / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another build of {name} is running; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
