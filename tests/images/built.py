"""The images as an engine has them: built once for the run, looked into without starting anything."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import IO, Any

from infra.deployment.stackfile import ROOT, read_functions
from infra.images import engine as engines
from infra.images.base import PYTHON
from infra.images.build import SERVICES, service_tag
from infra.images.engine import Engine

FUNCTIONS = [function.name for function in read_functions()]
PYTHON_IMAGES = [*FUNCTIONS, *SERVICES]


def build(*arguments: str) -> str:
    """Run `python -m infra.images build` with stand-ins; what it printed."""
    command = [sys.executable, "-m", "infra.images", "build", "--stand-ins", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@cache
def engine() -> Engine:
    return engines.find().with_flags(PYTHON)


def tag(name: str) -> str:
    for function in read_functions():
        if function.name == name:
            return function.image
    return service_tag(name)


@dataclass(frozen=True)
class Contents:
    """The files of an image. `entries` by path without the leading slash; `texts` of the small ones of ours."""

    entries: dict[str, tarfile.TarInfo]
    texts: dict[str, str] = field(default_factory=dict)

    def under(self, folder: str) -> set[str]:
        """The names directly in a folder."""
        return {path.removeprefix(f"{folder}/").split("/")[0] for path in self.entries if path.startswith(f"{folder}/")}


@cache
def contents(image: str) -> Contents:
    """Every file of an image, from a container that never runs."""
    with (
        created(image) as container,
        subprocess.Popen([engine().program, "export", container], stdout=subprocess.PIPE) as export,
    ):
        assert export.stdout is not None
        found = Contents({})
        with tarfile.open(fileobj=export.stdout, mode="r|") as archive:
            for entry in archive:
                path = entry.name.removeprefix("./")
                found.entries[path] = entry
                if path.endswith("/METADATA") and (file := archive.extractfile(entry)):
                    found.texts[path] = file.read().decode()
    assert found.entries
    return found


@contextmanager
def created(image: str) -> Iterator[str]:
    """A container of the image that was not started, with any command: an image may have none."""
    container = engine().output("create", image, "nothing")
    try:
        yield container
    finally:
        engine().output("rm", container)


def configuration(image: str) -> dict[str, Any]:
    found = engine().inspect(image)
    assert found is not None
    return dict(found["Config"])


@dataclass(frozen=True)
class Layer:
    path: str
    content: bytes


def layers(*images: str) -> Iterator[Layer]:
    """Every file of every layer, those that a later layer has removed too, and the configurations with their history.

    What images have in common comes once.
    """
    several = ["--multi-image-archive"] if engine().name == "podman" else []
    with tempfile.TemporaryFile() as saved:
        subprocess.run([engine().program, "save", *several, *images], stdout=saved, check=True)
        saved.seek(0)
        with tarfile.open(fileobj=saved) as archive:
            for entry in archive:
                file = archive.extractfile(entry) if entry.isfile() else None
                if file is None:
                    continue
                if entry.name.endswith(".tar"):
                    yield from _files_of(file)
                else:
                    yield Layer(entry.name, file.read())


def _files_of(layer: IO[bytes]) -> Iterator[Layer]:
    with tarfile.open(fileobj=layer) as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.isfile() else None
            yield Layer(entry.name, file.read() if file else entry.linkname.encode())


def run(image: str, *command: str, flags: tuple[str, ...] = ()) -> str:
    """Run a command in an image without a network; its output."""
    options = ("--rm", "--pull=never", "--network=none", "--read-only", *flags)
    return engine().output("run", *engine().flags, *options, image, *command)
