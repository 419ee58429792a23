"""What the connector says when it cannot start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"database-url": "postgresql://x@127.0.0.1:1/x", "nats-url": "nats://127.0.0.1:1", "a-event-secret": "x"}
STACK_YML = "functions:\n  a:\n    annotations:\n      adloom-subjects: adloom.metrics.synced\n"


def run(folder: Path, stack_yml: str = STACK_YML, without: str = "") -> tuple[int, str]:
    for name, value in SECRETS.items():
        if name != without:
            (folder / name).write_text(value)
    (folder / "stack.yml").write_text(stack_yml)
    environment = {
        "PATH": os.environ["PATH"],
        "ADLOOM_SECRETS_DIR": str(folder),
        "ADLOOM_STACK_FILE": str(folder / "stack.yml"),
        "ADLOOM_PUBLIC_URL": "http://127.0.0.1:1",
        "ADLOOM_GATEWAY_URL": "http://127.0.0.1:1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "infra.connector"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_a_missing_secret_is_named(tmp_path, missing):
    status, said = run(tmp_path, without=missing)
    assert status == 78
    assert missing.removesuffix("-event-secret") in said
    assert "Traceback" not in said


def test_a_wrong_schedule_is_named_with_its_line(tmp_path):
    status, said = run(
        tmp_path, STACK_YML + "  b:\n    annotations:\n      topic: cron-function\n      schedule: hourly\n"
    )
    assert status == 78
    assert "stack.yml, line 8: b: annotations: schedule: is 'hourly'" in said
