"""Writes build contexts.

A function's is the very one that `faas-cli build --shrinkwrap -f stack.yml` writes: the template, the handler's folder
as `function/`, and `shared/` in it. Only bytecode is left out, as the template's .dockerignore leaves it out of theirs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from infra.deployment.stackfile import ROOT, Function

BUILD = ROOT / "build"
# faas-cli leaves these out of a handler's folder.
_NOT_OF_A_HANDLER = {"build", "template"}
_NO_BYTECODE = shutil.ignore_patterns("__pycache__", "*.pyc")


def write_function(function: Function, root: Path = ROOT) -> Path:
    """The context of a function; the folder `build/<name>`, made anew."""
    folder = _new(root / "build" / function.name)
    _copy(root / "template" / function.lang, folder)
    handler = folder / "function"
    handler.mkdir(exist_ok=True)
    for entry in sorted(function.folder.iterdir()):
        if entry.name not in _NOT_OF_A_HANDLER:
            _copy(entry, handler / entry.name)
    _copy(root / "shared", handler / "shared")
    return folder


def write_service(name: str, family: str, parts: Iterable[str], root: Path = ROOT) -> Path:
    """The context of a service: `app/` with the parts of the repository that it needs, and its locked requirements."""
    folder = _new(root / "build" / name)
    for part in ("shared/adloom", *parts):
        _copy(root / part, folder / "app" / part)
    for lock in ("uv", family):
        _copy(root / "shared" / "requirements" / f"{lock}.txt", folder / "requirements" / f"{lock}.txt")
    _copy(root / "template" / "adloom-python" / "slim.py", folder / "slim.py")
    return folder


def write_files(name: str, sources: Iterable[Path], root: Path = ROOT) -> Path:
    """A context of single files."""
    folder = _new(root / "build" / name)
    for source in sources:
        _copy(source, folder / source.name)
    return folder


def _new(folder: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=_NO_BYTECODE)
    elif source.suffix != ".pyc":
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
