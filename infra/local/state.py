"""What a home remembers from start to start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.deployment.secrets import token
from infra.local.credentials import Credentials
from infra.local.environment import APPS, Operator
from infra.local.errors import RuntimeFault
from infra.local.home import Home, read_json, write_json

SANDBOX, PLATFORMS = "sandbox", "platforms"


@dataclass
class State:
    """`facts` are what was decided or done once: the mode, and the steps of the first start."""

    home: Home
    ports: dict[str, int]
    facts: dict[str, Any]
    note: str = ""

    @classmethod
    def load(cls, home: Home) -> State:
        """Read it. A damaged `run.json` costs no more than the ports' numbers: everything else stands elsewhere."""
        note = ""
        try:
            found = read_json(home.run_file).get("ports")
        except RuntimeFault as fault:
            found, note = None, f"{fault} It is written anew; ports may change."
        ports = {k: v for k, v in found.items() if isinstance(v, int)} if isinstance(found, dict) else {}
        try:
            facts = read_json(home.state_file)
        except RuntimeFault as fault:
            raise RuntimeFault(f"{fault} Remove it: the steps of the first start are then done again.") from fault
        return cls(home, ports, facts, note)

    def has(self, fact: str) -> bool:
        return bool(self.facts.get(fact))

    def remember(self, **facts: Any) -> None:
        self.facts.update(facts)
        write_json(self.home.state_file, self.facts)

    def settle_mode(self, operator: Operator, credentials: Credentials) -> bool:
        """Decide whether the sandbox or the platforms are connected; True for the sandbox.

        A home stays what it was at its first start: numbers of both kinds must not meet in one database.
        """
        mode = self.facts.get("mode")
        wanted = PLATFORMS if operator.apps else SANDBOX
        if mode == SANDBOX and wanted == PLATFORMS:
            raise RuntimeFault(
                f"{self.home.path} holds a stack that was started with the sandbox, and its numbers are made up. "
                "Set ADLOOM_HOME to another folder for the real connection, or remove this one with `make clean`."
            )
        for name, app in operator.apps.items():
            self.remember(mode=PLATFORMS, **{f"{name}_id": app.id})
            credentials.put(f"{name}_secret".replace("_", "-"), app.secret)
        if mode is None and not operator.apps:
            self.remember(mode=SANDBOX)
        sandboxed = bool(self.facts["mode"] == SANDBOX)
        if sandboxed and (unknown := [name for name in APPS if not self.has(f"{name}_id")]):
            self.remember(**{f"{name}_id": _made_up_id() for name in unknown})
        return sandboxed

    def app_id(self, name: str) -> str:
        """The id of our app at a platform, by its name in APPS; empty where there is none."""
        return str(self.facts.get(f"{name}_id", ""))


def _made_up_id() -> str:
    return str(int.from_bytes(token().encode()[:6])).zfill(15)
