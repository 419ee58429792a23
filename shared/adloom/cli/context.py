"""What every command shares: settings, the organisation, a database role of its own, calls to functions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import httpx
from sqlalchemy import Connection, text

from adloom import gateway
from adloom.db import Database
from adloom.errors import ConfigurationError, NotFound, Unavailable
from adloom.settings import CoreSettings, DatabaseSettings, OperatorSettings, load

PROCESS = "cli"
CALL_TIMEOUT_S = 90.0
# A function that is being deployed, or whose container died, is back before this.
AWAY_S = 30.0
# Where nobody listens at all it is rather the stack that is not running.
NOBODY_S = 3.0


class CommandLineSettings(CoreSettings, DatabaseSettings, OperatorSettings):
    """The command line reads with a database role of its own and acts through functions with the operator key."""


class FunctionRefusedError(Exception):
    """A function answered with a problem document; `problem` is it."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title")))
        self.problem = problem


def use_local_stack() -> bool:
    """Take the settings of the stack that runs from this folder, unless the environment has its own.

    Whether there is such a stack.
    """
    if "ADLOOM_GATEWAY_URL" in os.environ:
        return False
    environment = _local_environment(PROCESS)
    for name, value in environment.items():
        os.environ.setdefault(name, value)
    return bool(environment)


def local_home() -> Path:
    """The folder of the stack that runs from here, if one does."""
    return Path(os.environ.get("ADLOOM_HOME", ".adloom")).absolute()


def _local_environment(process: str) -> dict[str, str]:
    """What the local stack tells a process; empty where there is no stack."""
    home = local_home()
    try:
        environment = json.loads((home / "run.json").read_text(encoding="utf-8"))["environment"][process]
        return {str(name): str(value) for name, value in environment.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(f"{home / 'run.json'} is damaged; run `make start` again") from None


@dataclass
class Session:
    """One call of the command line. `as_json` makes every command print one JSON document.

    `local`: the settings are those of the stack that runs from this folder.
    """

    organisation: str | None = None
    as_json: bool = False
    local: bool = False
    _database: Database | None = field(default=None, init=False)

    @cached_property
    def settings(self) -> CommandLineSettings:
        return load(CommandLineSettings, PROCESS)

    def become(self, process: str) -> None:
        """Go on with what the local stack tells another process; elsewhere the environment says all there is."""
        if self.local:
            os.environ.update(_local_environment(process))

    @property
    def database(self) -> Database:
        if self._database is None:
            url = self.settings.database_url.get_secret_value()
            self._database = Database(url, pool_size=2, application_name="adloom-cli")
        return self._database

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    @cached_property
    def org_id(self) -> UUID:
        """The organisation that was named, by id or name; else the only one there is."""
        with self.database.system() as connection:
            found = connection.execute(text("select org_id, name from all_organisations()")).all()
        wanted = self.organisation
        matching = [row for row in found if wanted is None or wanted in (str(row.org_id), row.name)]
        if len(matching) == 1:
            return UUID(str(matching[0].org_id))
        if not found:
            raise NotFound("There is no organisation yet; `make start` makes the first one")
        names = ", ".join(f"{row.name} ({row.org_id})" for row in found)
        raise NotFound(f"Say which organisation with --org: {names}")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.database.tenant(self.org_id) as connection:
            yield connection

    def call(
        self,
        function: str,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        repeatable: bool = True,
        of_organisation: bool = True,
    ) -> Any:
        """Call a function through the gateway as the operator; the JSON answer, or FunctionRefusedError.

        While the function is away the call is made again, unless it is not `repeatable`: then only where it surely
        did not arrive. Not `of_organisation` is what is the deployment's.
        """
        headers = {"Authorization": f"Bearer {self.settings.operator_key.get_secret_value()}"}
        if of_organisation:
            headers["X-Adloom-Org"] = str(self.org_id)
        url = f"{self.settings.gateway_url.rstrip('/')}/function/{function}{path}"
        with httpx.Client(headers=headers, timeout=CALL_TIMEOUT_S, trust_env=False) as client:
            answer = _ask(client, method, url, body, repeatable=repeatable)
        try:
            return read_answer(answer)
        except FunctionRefusedError as refused:
            if answer.status_code != httpx.codes.UNAUTHORIZED:
                raise
            raise FunctionRefusedError(refused.problem | {"detail": _of_refused_key(self)}) from refused

    def show(self, document: Any, lines: Sequence[str]) -> None:
        """Print the JSON document or, for a person, the lines."""
        click.echo(json.dumps(document, indent=2, default=str) if self.as_json else "\n".join(lines))


def own_key_file(session: Session) -> str:
    """Where the deployment keeps its own operator key, for a person to find it."""
    home = os.environ.get("ADLOOM_HOME", ".adloom")
    return f"{home}/secrets/runtime/operator-key" if session.local else "the secret operator-key"


def _of_refused_key(session: Session) -> str:
    return (
        "The operator key is not accepted: it was revoked, or is not one of this deployment. Put one that works into"
        f" {own_key_file(session)}, or remove that so that another is made, and start Adloom again"
    )


def _ask(
    client: httpx.Client, method: str, url: str, body: dict[str, Any] | None, *, repeatable: bool
) -> httpx.Response:
    """The first answer that a function gave, or the gateway's last; Unavailable when nobody answers."""
    began = time.monotonic()
    for pause in gateway.pauses():
        try:
            answer = client.request(method, url, json=body)
        except httpx.HTTPError as error:
            patience = NOBODY_S if isinstance(error, httpx.ConnectError) else AWAY_S if repeatable else 0
            if time.monotonic() - began > patience:
                raise Unavailable(f"{url} does not answer ({type(error).__name__}); is the stack running?") from error
        else:
            if not gateway.is_away(answer) or not repeatable or time.monotonic() - began > AWAY_S:
                return answer
        time.sleep(pause)
    raise AssertionError  # the pauses never end


def read_answer(answer: httpx.Response) -> Any:
    """The JSON of a good answer; FunctionRefusedError for a problem document and for anything that is no JSON."""
    if gateway.is_away(answer):
        title = f"The gateway does not reach the function (HTTP {answer.status_code})"
        raise FunctionRefusedError({"title": title, "status": answer.status_code, "retryable": True})
    try:
        document = answer.json() if answer.content else None
    except ValueError:
        document = {"title": f"HTTP {answer.status_code} without JSON", "status": answer.status_code}
        raise FunctionRefusedError(document) from None
    if answer.is_success:
        return document
    raise FunctionRefusedError(document if isinstance(document, dict) else {"status": answer.status_code})


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines of a plain table; numbers stand right."""
    cells = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    widths = [max([len(heading), *(len(row[i]) for row in cells)]) for i, heading in enumerate(headings)]
    right = [bool(rows) and isinstance(rows[0][i], int | float) for i in range(len(headings))]

    def line(row: Sequence[str]) -> str:
        aligned = (cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True))
        return "  ".join(aligned).rstrip()

    return [line(list(headings)), *(line(row) for row in cells)]
