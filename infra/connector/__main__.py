"""`python -m infra.connector`: events and schedules to the functions, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import signal
import sys

from adloom import logs
from adloom.errors import ConfigurationError
from adloom.settings import load
from infra.connector import health, stack
from infra.connector.settings import EXIT_CONFIGURATION, PROCESS, ConnectorSettings, event_secret
from infra.connector.term import Connector


async def _run(connector: Connector) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, connector.stopping.set)
    async with health.serve(connector.health, connector.settings.connector_port):
        await connector.run()


def main() -> int:
    try:
        settings = load(ConnectorSettings, PROCESS)
        functions = stack.read(settings.stack_file)
        secrets = {function.name: event_secret(function.name) for function in functions if function.subjects}
    except ConfigurationError as error:
        print(error.detail, file=sys.stderr)
        return EXIT_CONFIGURATION
    logs.configure(PROCESS, settings)
    asyncio.run(_run(Connector(settings, functions, secrets)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
