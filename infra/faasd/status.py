"""Whether everything on the machine answers."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from infra.faasd import history, machine, units
from infra.faasd.choices import Choices
from infra.faasd.functions import Platform
from infra.faasd.layout import CONNECTOR_PORT, DASHBOARD_PORT, GATEWAY, LOOPBACK, POSTGRES_UNIT

_ANSWERS = 200
_SERVICES_S = 60.0


@dataclass(frozen=True)
class Line:
    """A part of the installation; `well` is None where it is still being set up."""

    name: str
    state: str
    well: bool


def look(choices: Choices) -> list[Line]:
    own = [unit for unit in units.wanted(choices) if unit not in {"adloom-backup.service", "adloom-firewall.service"}]
    lines = [_unit(unit) for unit in [POSTGRES_UNIT, *own, "adloom-firewall.service"]]
    lines += [
        _answer("the connector", f"http://{LOOPBACK}:{CONNECTOR_PORT}/_/health"),
        _answer("the dashboard", f"http://{LOOPBACK}:{DASHBOARD_PORT}/_/health"),
    ]
    for function in Platform(choices, history.current()).functions():
        lines.append(_answer(f"the function {function.name}", f"{GATEWAY}/function/{function.name}/_/ready"))
    return lines


def _unit(name: str) -> Line:
    done = subprocess.run(["systemctl", "is-active", name], capture_output=True, text=True, check=False)
    state = done.stdout.strip() or "unknown"
    return Line(name.removesuffix(".service"), state, state == "active")


def _answer(name: str, url: str) -> Line:
    status = machine.status_of(url)
    return Line(name, f"answers {status}" if status else "does not answer", status == _ANSWERS)


def show(choices: Choices, *, as_json: bool) -> int:
    """Print every part; 0 when all is well."""
    lines = look(choices)
    if as_json:
        print(json.dumps([{"name": one.name, "state": one.state, "well": one.well} for one in lines], indent=2))
    else:
        print(f"Adloom {history.current().name} for https://{choices.domain}")
        for one in lines:
            print(f"  {'  ' if one.well else '! '}{one.name:<32} {one.state}")
    return 0 if all(one.well for one in lines) else 1


def wait(choices: Choices) -> None:
    """Until connector and dashboard answer; MachineFault when they do not in time."""
    del choices
    for name, port in (("connector", CONNECTOR_PORT), ("dashboard", DASHBOARD_PORT)):
        url = f"http://{LOOPBACK}:{port}/_/health"
        machine.wait_for(
            f"The {name} did not answer at {url}; see: journalctl --unit adloom-{name};",
            lambda url=url: machine.status_of(url) == _ANSWERS,  # type: ignore[misc]
            _SERVICES_S,
        )
