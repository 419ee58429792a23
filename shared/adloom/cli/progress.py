"""How far a long command is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click

# More often than this nobody reads it.
_SHOW_EVERY_S = 0.2


def on_terminal() -> Callable[[str, int], None]:
    """A line that is written over on a terminal, and nothing elsewhere: what is done, and how much of it."""
    if not sys.stderr.isatty():
        return lambda _what, _done: None
    shown = 0.0

    def show(what: str, done: int) -> None:
        nonlocal shown
        if time.monotonic() - shown > _SHOW_EVERY_S:
            shown = time.monotonic()
            click.echo(f"\r\x1b[K{what} {done:,}\r", nl=False, err=True)

    return show
