"""The parts of a stack, from its plan."""

from __future__ import annotations

import sys

from infra.deployment.stackfile import Function
from infra.local import servers
from infra.local.environment import base_environment
from infra.local.home import ROOT
from infra.local.parts import Part
from infra.local.plan import Plan
from infra.local.probes import Probe

OWNER_EMAIL = "owner@adloom.local"
_ENTRY_POINT = ROOT / "template" / "adloom-python" / "serve.py"


def catalogue(plan: Plan) -> dict[str, Part]:
    """Every part, in the order in which people like to read them."""
    plain = base_environment(plan.home)
    plan.cluster.make_folder()
    passwords = {user: plan.nats_password(user) for user in ("connector", "dashboard")}
    keys = plan.secret("s3-access-key"), plan.secret("s3-secret-key")
    functions = {function.name: plan.ports[function.name] for function in plan.functions}
    routes = servers.Routes(plan.ports["caddy"], plan.public_url, plan.ports["dashboard"], functions)
    listed = [
        *plan.cluster.parts(plain),
        _migrate(plan),
        servers.nats(plan.home, plain, plan.ports["nats"], passwords),
        servers.s3(plan.home, plain, plan.ports["s3"], *keys),
        *([_sandbox(plan)] if plan.sandboxed else []),
        *[_function(plan, function) for function in plan.functions],
        _connector(plan),
        _dashboard(plan),
        servers.caddy(plan.home, plain, routes),
        *_first_start(plan),
    ]
    return {part.name: part for part in listed}


def _migrate(plan: Plan) -> Part:
    command = (sys.executable, "-m", "infra.deployment.migrate")
    return Part("migrate", command, plan.admin_environment(), needs=("postgres",), once=True)


def _sandbox(plan: Plan) -> Part:
    return Part(
        "sandbox",
        (sys.executable, "-m", "infra.sandbox"),
        plan.sandbox_environment(),
        probe=Probe("http", plan.ports["sandbox"], "/_/health"),
        about="ad platforms with made-up numbers",
    )


def _function(plan: Plan, function: Function) -> Part:
    return Part(
        function.name,
        (sys.executable, str(_ENTRY_POINT), str(function.folder.relative_to(ROOT))),
        plan.function_environment(function),
        needs=("migrate",),
        probe=Probe("http", plan.ports[function.name], "/_/ready"),
        about="function",
    )


def _connector(plan: Plan) -> Part:
    return Part(
        "connector",
        (sys.executable, "-m", "infra.connector"),
        plan.connector_environment(),
        needs=("migrate", "nats"),
        probe=Probe("http", plan.ports["connector"], "/_/health"),
        about="events and schedules",
    )


def _dashboard(plan: Plan) -> Part:
    return Part(
        "dashboard",
        (sys.executable, "-m", "ui.main"),
        plan.dashboard_environment(),
        needs=("migrate", "nats"),
        probe=Probe("http", plan.ports["dashboard"], "/_/health"),
        about="the pages",
    )


def _first_start(plan: Plan) -> list[Part]:
    """The steps that happen once in the life of a home: a login, and the sandbox's accounts to look at."""
    functions = tuple(function.name for function in plan.functions)
    login = Part(
        "first-login",
        (sys.executable, "-m", "infra.local.first_login"),
        {
            **plan.command_line_environment(),
            "ADLOOM_OWNER_EMAIL": OWNER_EMAIL,
            "ADLOOM_OWNER_PASSWORD": plan.owner_password,
        },
        needs=("auth", "caddy"),
        once=True,
        done=lambda: plan.state.has("owner_created"),
        after=lambda: plan.state.remember(owner_created=True),
    )
    if not (plan.sandboxed and plan.operator.autoconnect):
        return [login]
    connect = Part(
        "connect-sandbox",
        (sys.executable, "-m", "adloom.cli", "connect", "sandbox"),
        plan.command_line_environment(),
        needs=("first-login", "sandbox", "connector", *functions),
        once=True,
        done=lambda: plan.state.has("sandbox_connected"),
        after=lambda: plan.state.remember(sandbox_connected=True),
    )
    return [login, connect]
