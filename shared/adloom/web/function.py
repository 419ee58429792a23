"""The Flask app that a function is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

from flask import Flask, Response, g, request
from secure import Secure
from werkzeug.exceptions import MethodNotAllowed

from adloom import audit, logs
from adloom.errors import AdloomError, ConfigurationError, TooManyRequests, Unauthenticated, Unavailable
from adloom.identity.policy import SessionSettings
from adloom.identity.principal import Principal
from adloom.settings import CoreSettings, DatabaseSettings, current_secret, load
from adloom.web import acts, counting, failures, health, openapi, pages, problems, requestlog
from adloom.web.authentication import authenticate
from adloom.web.body import READ_LIMIT_BYTES
from adloom.web.client_address import client_address, limit_key, parse_networks
from adloom.web.delivery import Deliveries
from adloom.web.guards import Guard
from adloom.web.headers import api_headers, apply
from adloom.web.limits import Counted, Limit, Limiter
from adloom.web.models import Accepted
from adloom.web.public import TICK, PublicRoute
from adloom.web.routes import Route, RouteDefinitionError, define

if TYPE_CHECKING:
    from adloom.db import Database

S = TypeVar("S", bound=CoreSettings)
H = TypeVar("H", bound=Callable[..., Any])

log = logs.get(__name__)


class Function(Flask, Generic[S]):
    """A function: routes with guards, and what every function answers the same way.

    Settings are read and the database is opened at first use, once per process, so that importing a handler does
    neither. `prepare` reads the settings at the start of a process, so that a missing one stops it there.
    """

    def __init__(self, name: str, settings_model: type[S]) -> None:
        super().__init__(name, static_folder=None, template_folder=None)
        self.config.update(MAX_CONTENT_LENGTH=READ_LIMIT_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False)
        self.url_map.merge_slashes = False  # no redirects: an address is right or unknown
        self.routes: list[Route] = []
        self.deliveries = Deliveries()
        self.limiter: Limiter | None = None  # takes the place of all others
        self._settings_model = settings_model
        self._settings: S | None = None
        self._database: Database | None = None
        self._once = threading.RLock()
        self._steps: list[Callable[[], None]] = []
        self.before_request(requestlog.begin)
        self.after_request(self._finish)
        self.register_error_handler(Exception, lambda error: failures.answer(self, error))
        health.add(self)
        openapi.add(self)

    # Settings and database

    def settings(self) -> S:
        """The settings of this process; ConfigurationError says what to set."""
        with self._once:
            if self._settings is None:
                self._settings = load(self._settings_model, self.name)
            return self._settings

    def secret(self, field: str) -> str:
        """A secret of the settings as its file says now."""
        return current_secret(field, self.name, getattr(self.settings(), field))

    def database(self) -> Database:
        """The database as this function's role sees it."""
        with self._once:
            if self._database is None:
                from adloom.db import Database

                settings = self.settings()
                if not isinstance(settings, DatabaseSettings):
                    raise ConfigurationError(f"{self.name} has no database among its settings.")
                self._database = Database(
                    settings.database_url.get_secret_value(),
                    pool_size=settings.database_pool,
                    application_name=self.name,
                )
            return self._database

    def prepare(self) -> None:
        """Read the settings, start logging and run what `on_start` was given; ConfigurationError when the process
        cannot work. A database that does not answer yet is no such thing: readiness tries again.
        """
        logs.configure(self.name, self.settings())
        _ = self._networks, self.session_policy  # a wrong setting shows now, not at the first request
        try:
            self.start()
        except Unavailable as error:
            log.warning("start_put_off", reason=error.detail)

    def on_start(self, step: Callable[[], None]) -> Callable[[], None]:
        """Do this once before the process counts as ready. It may raise Unavailable and is then tried again."""
        self._steps.append(step)
        return step

    def start(self) -> None:
        """Run the steps of `on_start` that have not succeeded yet."""
        with self._once:
            while self._steps:
                self._steps[0]()
                self._steps.pop(0)

    def use(self, settings: S, database: Database | None = None) -> None:
        """Take these settings, and this database, in place of those of the environment."""
        with self._once:
            self._settings, self._database = settings, database
            for known in ("_networks", "_headers", "_limiters"):
                self.__dict__.pop(known, None)

    # Routes

    def route_model(
        self,
        method: str,
        path: str,
        *,
        guard: Guard,
        summary: str,
        status: int = 200,
        produces: str = "application/json",
        problems: tuple[int, ...] = (),
    ) -> Callable[[H], H]:
        """Add a route. The handler's arguments say by name what it takes: `body` and `query` (pydantic models), the
        parameters of the path (typed) and `principal`. It returns a pydantic model, None with status 204, or a
        Response. `problems` are the statuses of its own that the description names beside the common ones.
        """

        def add(handler: H) -> H:
            route = define(
                handler,
                method=method,
                path=path,
                guard=guard,
                summary=summary,
                status=status,
                produces=produces,
                problems=problems,
            )
            self._add(route)
            return handler

        return add

    def public(self, declared: PublicRoute, **how: Any) -> Callable[[H], H]:
        """Add a route of the list of public routes; `how` as for route_model."""
        guard = Guard.public(declared.reason, declared.limit, declared.counted)
        return self.route_model(declared.method, declared.path, guard=guard, **how)

    def tick(self, handler: Callable[[], None]) -> Callable[[], None]:
        """Cron's hint at `POST /`. The handler looks at what is due; an error of it is shown to cron as a problem that
        may be tried again.
        """

        def hear() -> Accepted:
            try:
                with audit.acting(audit.SYSTEM):
                    handler()
            except AdloomError as error:
                raise problems.due_unknown(error) from error
            return Accepted()

        self.public(TICK, summary="A hint that something may be due", status=202)(hear)
        return handler

    def on_event(self, model: type[Any]) -> Callable[[H], H]:
        """Handle a subject of the catalogue. The handler gets the event and its Delivery, after the signature was
        checked.
        """

        def add(handler: H) -> H:
            self.deliveries.add(self, model, handler)
            return handler

        return add

    def add_url_rule(self, rule: str, *_args: Any, **_options: Any) -> NoReturn:
        """Flask's own way around the guards is closed."""
        raise RouteDefinitionError(f"{rule}: define routes with route_model, which asks for a guard")

    def _add(self, route: Route) -> None:
        def view(**path_values: str) -> Response:
            if request.method != route.method and not health.is_probe(route.path):
                # Flask answers HEAD as if it were GET, and some GETs are no mere looks.
                raise MethodNotAllowed([route.method])
            self._admit(route)
            result = route.handler(**route.arguments(request, path_values, g.get("principal")))
            return self._show(result, route) if isinstance(result, pages.Page) else route.respond(result)

        super().add_url_rule(route.path, route.endpoint, view, methods=[route.method])
        self.routes.append(route)

    # A request

    def check_limit(self, limit: str, *key: str, counted: Counted = "strict") -> None:
        """Count a request against a limit of the handler's own; TooManyRequests when it is used up. Fails closed unless
        `counted` says otherwise.
        """
        self._count(":".join(key), Limit.parse(limit), counted)

    def client_address(self) -> str:
        """The address of the client of this request."""
        return client_address(request.remote_addr, request.headers.getlist("X-Forwarded-For"), self._networks)

    def _admit(self, route: Route) -> None:
        guard = route.guard
        acts.arrive(self.client_address())
        if guard.is_public:
            if guard.limit is not None:
                self._count(f"{route.endpoint}:{limit_key(self.client_address())}", guard.limit, guard.counted)
            return
        g.principal = self._principal()
        acts.identify(g.principal)
        if g.principal is not None:
            self._count(*counting.of_principal(g.principal))
        guard.admit(g.principal)

    def _principal(self) -> Principal | None:
        try:
            return authenticate(request, self._started_database, self.session_policy)
        except Unauthenticated:
            self._count(f"unknown:{limit_key(self.client_address())}", counting.OF_UNKNOWN_TOKENS, "here")
            raise

    def _started_database(self) -> Database:
        self.start()  # what a database that was away at the start put off
        return self.database()

    def _count(self, key: str, limit: Limit, counted: Counted) -> None:
        wait = (self.limiter or self._limiters.of(counted)).hit(key, limit)
        if wait is not None:
            raise TooManyRequests("Too many requests from here; wait a moment.", retry_after=wait)

    def _finish(self, response: Response) -> Response:
        apply(self._security_headers(), response)
        requestlog.finish(response)
        return response

    def _show(self, page: pages.Page, route: Route) -> Response:
        if pages.wanted(request):
            link = self.settings().public_url.rstrip("/") + page.path
            return pages.page(page.title, page.text, link=link, status=route.status)
        return route.respond(page.data)

    @cached_property
    def session_policy(self) -> SessionSettings:
        return load(SessionSettings, self.name)

    @cached_property
    def _limiters(self) -> counting.Limiters:
        return counting.Limiters(self.database() if isinstance(self.settings(), DatabaseSettings) else None)

    @cached_property
    def _networks(self) -> tuple[Any, ...]:
        try:
            return parse_networks(self.settings().trusted_proxies)
        except ValueError as error:
            raise ConfigurationError(f"{self.name}: the setting trusted_proxies is wrong: {error}.") from error

    def _security_headers(self) -> Secure:
        try:
            return self._headers
        except ConfigurationError:  # the answer is the problem that says so; it has its headers too
            return api_headers(https=False)

    @cached_property
    def _headers(self) -> Secure:
        return api_headers(https=self.settings().public_url.startswith("https://"))


def create_function(name: str, settings_model: type[S]) -> Function[S]:
    """A function of this name, which is also that of its process and its database role."""
    return cast("Function[S]", Function(name, settings_model))
