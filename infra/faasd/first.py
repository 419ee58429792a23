"""What happens once in the life of an installation: the first login, and in a demo the sandbox's accounts."""

from __future__ import annotations

import os
import sys

from infra.faasd import machine
from infra.faasd.choices import Choices
from infra.faasd.layout import CURRENT, STATE

_DONE = STATE / "first-login"


def log_in(choices: Choices) -> None:
    """Make the owner; later runs have nothing to do."""
    if _DONE.exists():
        return
    told = {
        **machine.environment(),
        "ADLOOM_SECRETS_DIR": os.environ["ADLOOM_SECRETS_DIR"],
        "ADLOOM_OWNER_EMAIL": choices.owner,
        "ADLOOM_OWNER_PASSWORD": machine.secret("owner-password"),
    }
    machine.watch([sys.executable, "-m", "infra.local.first_login"], told=told, folder=CURRENT)
    if choices.demo:
        connect = [sys.executable, "-m", "adloom.cli", "connect", "sandbox"]
        machine.watch(connect, told=told, folder=CURRENT)
    _DONE.touch()
