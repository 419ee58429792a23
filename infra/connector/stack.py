"""Reads schedules and subjects from `stack.yml`, and names the line of what is wrong there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from croniter import croniter

from adloom.errors import ConfigurationError
from adloom.events import CATALOGUE

# What OpenFaaS's cron-connector compares, letter by letter, before it looks at the schedule.
CRON_TOPIC = "cron-function"
_FIELDS_OF_A_SCHEDULE = 5
_FUNCTION_NAME = re.compile(r"^[a-z][a-z0-9-]{0,62}$")


@dataclass(frozen=True)
class FunctionEntry:
    """What one function wants to be called for: a cron schedule in UTC, subjects of events."""

    name: str
    schedule: str | None
    subjects: tuple[str, ...]


def read(path: Path) -> list[FunctionEntry]:
    """The functions in the order of the file; ConfigurationError names function, field and line."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no {path}. Set ADLOOM_STACK_FILE or start from the project's root."
        ) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not YAML: {error}") from error
    functions = _Place(path, "the file", root).field("functions", needed=True)
    entries = [_entry(place) for place in functions.children()] if functions else []
    if not entries:
        raise ConfigurationError(f"{path}: there is no function under `functions`.")
    return entries


def _entry(function: _Place) -> FunctionEntry:
    if not _FUNCTION_NAME.match(function.name):
        raise function.wrong("a function's name has small letters, digits and dashes")
    annotations = function.field("annotations")
    if annotations is None:
        return FunctionEntry(function.name, None, ())
    return FunctionEntry(function.name, _schedule(annotations), _subjects(annotations))


def _schedule(annotations: _Place) -> str | None:
    topic, schedule = annotations.field("topic"), annotations.field("schedule")
    if topic is None and schedule is None:
        return None
    if topic is None or schedule is None:
        raise annotations.wrong(f"`topic: {CRON_TOPIC}` and `schedule` stand together or not at all")
    if topic.text() != CRON_TOPIC:
        raise topic.wrong(f"is {topic.text()!r}; it must be exactly {CRON_TOPIC}, subjects go to `adloom-subjects`")
    value = schedule.text()
    if len(value.split()) != _FIELDS_OF_A_SCHEDULE or not croniter.is_valid(value):
        raise schedule.wrong(f"is {value!r}; write five cron fields in UTC, such as */10 * * * *")
    return value


def _subjects(annotations: _Place) -> tuple[str, ...]:
    place = annotations.field("adloom-subjects")
    if place is None:
        return ()
    subjects = [part.strip() for part in place.text().split(",")]
    for subject in subjects:
        if subject not in CATALOGUE:
            raise place.wrong(f"names {subject!r}, which is no event; there are {', '.join(sorted(CATALOGUE))}")
    if len(set(subjects)) != len(subjects):
        raise place.wrong("names a subject twice")
    return tuple(subjects)


@dataclass(frozen=True)
class _Place:
    """A node of the file, with what is needed to say where it is."""

    path: Path
    name: str
    node: yaml.Node | None

    def field(self, name: str, *, needed: bool = False) -> _Place | None:
        for child in self.children():
            if child.name.rpartition(": ")[2] == name:
                return child
        if needed:
            raise self.wrong(f"`{name}` is missing")
        return None

    def children(self) -> list[_Place]:
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong("should be a list of `name: value` lines")
        own = "" if self.name in {"the file", "functions"} else f"{self.name}: "
        return [_Place(self.path, f"{own}{key.value}", value) for key, value in self.node.value]

    def text(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.wrong("should be one value")
        return str(self.node.value)

    def wrong(self, what: str) -> ConfigurationError:
        line = self.node.start_mark.line + 1 if self.node else 1
        return ConfigurationError(f"{self.path}, line {line}: {self.name}: {what}.")
