"""A function with a route of every kind, and its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from adloom.settings import CoreSettings, EventSettings
from adloom.web import Function, Guard, Id, RequestModel, create_function


class ProbeSettings(CoreSettings, EventSettings):
    pass


class Window(RequestModel):
    since: str
    days: int = 1


class Search(RequestModel):
    text: str = ""
    limit: int = 10
    account: tuple[int, ...] = ()


class Answer(BaseModel):
    heard: str


EVENT_SECRET = "a secret of the probe"


def settings(**changes: Any) -> ProbeSettings:
    values: dict[str, Any] = {
        "public_url": "http://127.0.0.1:8080",
        "gateway_url": "http://127.0.0.1:8080",
        "event_secret": EVENT_SECRET,
    }
    return ProbeSettings(**(values | changes))


def anyone(limit: str = "1000/minute") -> Guard:
    return Guard.public("for this test", limit)


def probe() -> Function[ProbeSettings]:
    app = create_function("probe", ProbeSettings)
    app.use(settings())

    @app.route_model("POST", "/windows", guard=anyone(), summary="Take a window", status=201)
    def take(body: Window) -> Answer:
        return Answer(heard=f"{body.since}+{body.days}")

    @app.route_model("GET", "/search", guard=anyone(), summary="Search")
    def search(query: Search) -> Answer:
        return Answer(heard=f"{query.text}/{query.limit}/{query.account}")

    @app.route_model("GET", "/accounts/<account_id>/runs/<run>", guard=anyone(), summary="One run")
    def run(account_id: Id, run: UUID) -> Answer:
        return Answer(heard=f"{account_id} {run}")

    @app.route_model("DELETE", "/windows", guard=anyone(), summary="Forget", status=204)
    def forget() -> None:
        return None

    @app.route_model("GET", "/limited", guard=anyone("2/minute"), summary="Twice a minute")
    def limited() -> Answer:
        return Answer(heard=app.client_address())

    @app.route_model("GET", "/private", guard=Guard.session(), summary="For members")
    def private() -> Answer:
        return Answer(heard="private")

    return app


def faulty(error: Callable[[], Exception]) -> Function[ProbeSettings]:
    """A function whose one route and whose tick fail."""
    app = create_function("faulty", ProbeSettings)
    app.use(settings())

    @app.route_model("GET", "/fault", guard=anyone(), summary="Fails")
    def fault() -> Answer:
        raise error()

    @app.tick
    def tick() -> None:
        raise error()

    return app
