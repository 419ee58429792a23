"""Log in, sync the facts by event and by cron-connector's tick, read back: on OpenFaaS."""

from __future__ import annotations

from pathlib import Path

from infra.local.verify import Span
from tests.deployed import main_job
from tests.faasd.platform import Platform


def test_the_main_job_runs_on_openfaas(platform: Platform, facts: Path, span: Span) -> None:
    comparison = main_job.run(platform.deployment, facts, span)
    assert comparison.compared > 0
    assert comparison.differing == 0
