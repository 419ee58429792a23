"""What stops the installation or a change of it. The text is a sentence that says what to do."""

from __future__ import annotations


class MachineFault(Exception):
    """Something on the machine is not as it must be."""
