"""The settings of NATS, the same wherever it runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

USERS = ("connector", "dashboard")


def nats_conf(listen: str, store: Path, passwords: Mapping[str, str]) -> str:
    """JetStream that syncs every write, and two users; only the connector may publish.

    `listen` is host:port, `passwords` has one for each of USERS.
    """
    reader = {"publish": {"deny": [">"]}, "subscribe": {"allow": ["adloom.>", "_INBOX.>"]}}
    settings = {
        "server_name": "adloom",
        "listen": listen,
        # The default of two minutes would lose acknowledged events when the machine goes down.
        "jetstream": {"store_dir": str(store), "sync_interval": "always"},
        "authorization": {
            "users": [
                {"user": "connector", "password": passwords["connector"]},
                {"user": "dashboard", "password": passwords["dashboard"], "permissions": reader},
            ]
        },
    }
    return json.dumps(settings, indent=2) + "\n"
