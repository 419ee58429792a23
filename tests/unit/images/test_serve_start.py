"""The entry point obeys from its first moment on, as process 1 must."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

SERVE = Path(__file__).resolve().parents[3] / "template" / "adloom-python" / "serve.py"


def test_told_to_stop_while_it_still_loads_it_ends_at_once_and_well(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text(
        "import time\nprint('loading', flush=True)\ntime.sleep(60)\n", encoding="utf-8"
    )
    with subprocess.Popen([sys.executable, SERVE, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=20) == 0
