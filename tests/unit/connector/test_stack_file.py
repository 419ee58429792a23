"""Reading schedules and subjects from the deployment list."""

from __future__ import annotations

from pathlib import Path

import pytest

from adloom.errors import ConfigurationError
from infra.connector.stack import FunctionEntry, read

ROOT = Path(__file__).resolve().parents[3]


def written(folder: Path, text: str) -> Path:
    path = folder / "stack.yml"
    path.write_text(text)
    return path


def test_the_projects_own_list_is_right():
    entries = {entry.name: entry for entry in read(ROOT / "stack.yml")}
    assert entries["sync-meta"].subjects == ("adloom.sync_meta.requested", "adloom.connections.connected")
    assert entries["auth"].schedule == "* * * * *"


def test_a_function_without_annotations_wants_nothing(tmp_path):
    assert read(written(tmp_path, "functions:\n  a: {}\n")) == [FunctionEntry("a", None, ())]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "should be a list"),
        ("x: [", "is not YAML"),
        ("version: 1\n", "`functions` is missing"),
        ("functions: {}\n", "there is no function"),
        ("functions:\n  A_b: {}\n", "line 2: A_b: a function's name"),
        ("functions:\n  a:\n    annotations: 7\n", "line 3: a: annotations: should be a list"),
        ("functions:\n  a:\n    annotations:\n      topic: cron-function\n", "stand together"),
        ("functions:\n  a:\n    annotations:\n      schedule: '* * * * *'\n", "stand together"),
        ("functions:\n  a:\n    annotations: {topic: other, schedule: '* * * * *'}\n", "must be exactly cron-function"),
        ("functions:\n  a:\n    annotations: {topic: cron-function, schedule: '61 * * * *'}\n", "five cron fields"),
        ("functions:\n  a:\n    annotations: {topic: cron-function, schedule: '* * * * * *'}\n", "five cron fields"),
        ("functions:\n  a:\n    annotations: {adloom-subjects: adloom.metrics.sinced}\n", "is no event; there are"),
        ("functions:\n  a:\n    annotations: {adloom-subjects: ''}\n", "is no event"),
        ("functions:\n  a:\n    annotations: {adloom-subjects: [adloom.metrics.synced]}\n", "should be one value"),
        (
            "functions:\n  a:\n    annotations:\n      adloom-subjects: adloom.metrics.synced, adloom.metrics.synced\n",
            "line 4: a: annotations: adloom-subjects: names a subject twice",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, text, said):
    with pytest.raises(ConfigurationError, match=r"stack\.yml") as raised:
        read(written(tmp_path, text))
    assert said in raised.value.detail


def test_a_missing_file_says_what_to_set(tmp_path):
    with pytest.raises(ConfigurationError, match="ADLOOM_STACK_FILE"):
        read(tmp_path / "stack.yml")
