"""One run of a stack, from the lock to the last process's end: what `make up` shows and `make start` detaches."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Collection

from infra.local.catalogue import catalogue
from infra.local.environment import Operator
from infra.local.errors import RuntimeFault, explain
from infra.local.home import Home, write_json
from infra.local.leftovers import heal
from infra.local.lock import supervising
from infra.local.nightly import Nightly
from infra.local.parts import Part, with_needs
from infra.local.plan import Plan
from infra.local.ports import PortBook
from infra.local.postgres import check_reach
from infra.local.processes import Identity
from infra.local.runfile import RunFile
from infra.local.state import State
from infra.local.supervisor import Supervisor

_LOG_LIMIT_BYTES = 5 * 1024 * 1024
_LOG_CHECK_S = 10.0

Say = Callable[[str], None]


def run(home: Home, *, only: Collection[str] = (), say: Say, on_running: Callable[[], None]) -> int:
    """Run the stack until a signal ends it; the exit status. AlreadyRunning where another supervises this home."""
    home.prepare()
    try:
        with supervising(home):
            return _run(home, only, say, on_running)
    except OSError as error:
        raise explain(error, home.path) from error


def _run(home: Home, only: Collection[str], say: Say, on_running: Callable[[], None]) -> int:
    try:
        for name in heal(home):
            say(f"{name} was left over from a run that was cut off, and has been ended")
        state = State.load(home)
        if state.note:
            say(state.note)
        plan = Plan(home, Operator.read(os.environ), state, PortBook())
        parts = catalogue(plan)
        chosen = with_needs(parts, only) if only else parts
        if "postgres" in chosen:
            check_reach(plan.cluster)
    except (RuntimeFault, OSError) as error:
        fault = explain(error, home.path) if isinstance(error, OSError) else error
        own = Identity.of(os.getpid())
        failed = {"state": "failed", "fault": str(fault), "supervisor": own.record() if own else None}
        write_json(home.run_file, {**_known(home), **failed})
        raise fault from error
    return asyncio.run(_supervise(home, plan, chosen, say, on_running))


def _known(home: Home) -> dict[str, object]:
    """The ports of the last run outlive a start that failed before it chose its own."""
    return {"ports": State.load(home).ports}


async def _supervise(home: Home, plan: Plan, parts: dict[str, Part], say: Say, on_running: Callable[[], None]) -> int:
    file = RunFile(home, plan)
    backup = plan.backup_environment()
    commands = {"cli": plan.command_line_environment(), "backup": backup, "restore": plan.restore_environment()}
    environments = {**commands, **{name: part.env for name, part in parts.items()}}

    def changed() -> None:
        try:
            file.write(supervisor.running, environments)
        except OSError as error:  # a full disk must not keep parts from being restarted
            say(str(explain(error, home.path)))

    supervisor = Supervisor(home, parts, say, changed)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stopping.set)
    try:
        await supervisor.start()
        if not supervisor.stopping.is_set():
            file.state = "running"
            changed()
            on_running()
            chores = [asyncio.create_task(_rotate_logs(home))]
            if plan.operator.backup_at is not None and {"migrate", "s3"} <= parts.keys():
                chores.append(asyncio.create_task(Nightly(home, backup, plan.operator.backup_at, say).run()))
            await supervisor.stopping.wait()
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)
        file.state = "stopping"
    except RuntimeFault as fault:
        file.state, file.fault = "failed", str(fault)
        raise
    finally:
        await supervisor.stop()
        file.state = "failed" if file.fault else "stopped"
        changed()
    return 0


async def _rotate_logs(home: Home) -> None:
    """Keep each log under a size. Processes append to a file that they hold open, so it is emptied in place."""
    while True:
        await asyncio.sleep(_LOG_CHECK_S)
        for log in home.logs.glob("*.log"):
            if log.stat().st_size > _LOG_LIMIT_BYTES:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                log.with_suffix(".log.1").chmod(0o600)
                os.truncate(log, 0)
