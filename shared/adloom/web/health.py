"""`/_/health`: the process lives. `/_/ready`: it can serve requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from adloom.errors import ConfigurationError, Unavailable
from adloom.settings import DatabaseSettings
from adloom.web.public import HEALTH, READY

if TYPE_CHECKING:
    from adloom.web.function import Function


class Health(BaseModel):
    function: str
    status: Literal["ok"]


def is_probe(path: str) -> bool:
    return path in (HEALTH.path, READY.path)


def add(app: Function[Any]) -> None:
    """Add both routes."""

    @app.public(HEALTH, summary="The process lives")
    def health() -> Health:
        return Health(function=app.name, status="ok")

    @app.public(READY, summary="Settings are complete and the database answers")
    def ready() -> Health:
        try:
            settings = app.settings()
        except ConfigurationError as error:
            raise Unavailable("The settings are incomplete; the log says which.", code="not_ready") from error
        if isinstance(settings, DatabaseSettings):
            app.database().check()
        app.start()
        return Health(function=app.name, status="ok")
