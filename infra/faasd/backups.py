"""Who can open the backups, and what the backup knows of the key rings without having them."""

from __future__ import annotations

import os
from pathlib import Path

from adloom.backup import keys
from infra.deployment.secrets import SecretFolder, write_fingerprints
from infra.faasd.layout import ETC, SECRETS

IDENTITY = ETC / "backup-identity"


def settle_key(recipient: str | None, *, folder: Path = SECRETS, identity: Path = IDENTITY) -> list[str]:
    """The public key of backups: the one that is told, the one that was before, or that of a new pair. What changed."""
    files = SecretFolder(folder)
    changed = []
    if recipient:
        keys.recipients(recipient.split(","))
        if files.known("backup-recipient") != recipient:
            changed.append("backups are encrypted to the key that was told")
        files.put("backup-recipient", recipient)
    elif files.known("backup-recipient") is None:
        identity.unlink(missing_ok=True)
        files.put("backup-recipient", keys.generate(identity))
        changed.append(f"made {identity}, which opens the backups: keep a copy of it off this machine")
    write_fingerprints(files)
    os.chmod(folder, 0o700)  # noqa: PTH101 - the folder may have come from a copy
    return changed
