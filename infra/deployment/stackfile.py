"""Reads `stack.yml` as faas-cli does, for everything that starts or builds a function without it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from adloom.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
STACK_FILE = ROOT / "stack.yml"
# ${NAME} and ${NAME:-default}: the part of the shell's substitution that faas-cli knows and our file uses.
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_AMOUNT = re.compile(r"^(\d+)(Ki|Mi|Gi|)$")


@dataclass(frozen=True)
class Function:
    """One function. `memory` is its limit in bytes, `schedule` five cron fields in UTC."""

    name: str
    folder: Path
    lang: str
    image: str
    memory: int
    build_args: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    schedule: str | None = None
    subjects: tuple[str, ...] = ()


def read_functions(path: Path = STACK_FILE, environment: Mapping[str, str] | None = None) -> list[Function]:
    """The functions in the order of the file, with `${NAME:-default}` filled in from the environment."""
    text = substitute(path.read_text(encoding="utf-8"), os.environ if environment is None else environment)
    listed: dict[str, Any] = yaml.safe_load(text)["functions"]
    return [_function(path.parent, name, entry) for name, entry in listed.items()]


def substitute(text: str, environment: Mapping[str, str]) -> str:
    """An empty variable counts as unset, so that `${NAME:-default}` gives its default."""
    return _VARIABLE.sub(lambda found: environment.get(found["name"]) or found["default"] or "", text)


def _function(root: Path, name: str, entry: Mapping[str, Any]) -> Function:
    annotations = entry.get("annotations") or {}
    subjects = str(annotations.get("adloom-subjects") or "")
    return Function(
        name=name,
        folder=(root / entry["handler"]).resolve(),
        lang=entry["lang"],
        image=entry["image"],
        memory=_bytes(name, str((entry.get("limits") or {}).get("memory") or "")),
        build_args=_texts(entry.get("build_args")),
        environment={key: value for key, value in _texts(entry.get("environment")).items() if value},
        secrets=tuple(entry.get("secrets") or ()),
        schedule=annotations.get("schedule"),
        subjects=tuple(subject.strip() for subject in subjects.split(",") if subject.strip()),
    )


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    return {key: "" if value is None else str(value) for key, value in (values or {}).items()}


def _bytes(name: str, amount: str) -> int:
    match = _AMOUNT.match(amount)
    if match is None:
        raise ConfigurationError(f"stack.yml: {name} needs `limits: memory`, such as 256Mi; it has {amount!r}.")
    return int(match[1]) * _UNITS[match[2]]
