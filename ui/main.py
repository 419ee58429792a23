"""Start the dashboard: `python -m ui.main` from the project's root."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup
from nicegui import app, ui
from secure.middleware import SecureASGIMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adloom import logs
from adloom.settings import load
from ui import audit_export, confirm, forms, login, security, sockets
from ui.components import states
from ui.deeds import routes as deeds
from ui.document import FAVICON, document
from ui.doors import routes as doors
from ui.i18n import _
from ui.pages import audit, campaigns, connection, connections, data_health, keys, member, members, overview, profile
from ui.pages import security as security_page
from ui.security import SessionGuard
from ui.services import Services, open_services
from ui.settings import DashboardSettings
from ui.theme import STATIC

log = logs.get(__name__)

PROCESS = "dashboard"
# A laptop that wakes up finds its page still there.
RECONNECT_S = 30.0


def build(services: Services) -> None:
    """Routes, pages and what stands before them. The guard is outermost but for the headers."""
    # Quasar's bar for requests in flight: our pages say themselves when they wait.
    app.config.quasar_config["loadingBar"]["skipHijack"] = True
    app.add_static_files("/static", STATIC, max_cache_age=31_536_000)
    _plain_routes(services)
    sockets.guard()
    for page in (
        overview,
        campaigns,
        connections,
        connection,
        data_health,
        profile,
        security_page,
        members,
        member,
        keys,
        audit,
    ):
        page.register(services)
    app.add_middleware(
        SessionGuard,
        sessions=services.sessions,
        origins=services.origins,
        https=services.https,
        unreachable=_errors(services),
    )
    app.add_middleware(security.Speaking, https=services.https)
    app.add_middleware(SecureASGIMiddleware, secure=security.headers(https=services.https))
    app.on_startup(services.hub.start)
    app.on_shutdown(services.hub.stop)
    app.on_shutdown(services.gateway.close)
    app.on_shutdown(services.database.close)


def _plain_routes(services: Services) -> None:
    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "events": "connected" if services.hub.connected else "away"})

    async def login_form(request: Request) -> Response:
        target = forms.safe_next(request.query_params.get("next"))
        return await login.greet(services, request, target)

    async def log_in(request: Request) -> Response:
        return await login.enter(services, request)

    async def log_out(request: Request) -> Response:
        return await login.leave(services, request)

    async def confirm_form(request: Request) -> Response:
        return confirm.ask(services, request)

    async def confirm_it(request: Request) -> Response:
        return await confirm.take(services, request)

    app.add_route("/_/health", health, methods=["GET"])
    app.add_route("/login", login_form, methods=["GET"])
    app.add_route("/login", log_in, methods=["POST"])
    app.add_route("/logout", log_out, methods=["POST"])
    app.add_route("/confirm", confirm_form, methods=["GET"])
    app.add_route("/confirm", confirm_it, methods=["POST"])
    doors.register(services)
    deeds.register(services)
    audit_export.register(services)


def _errors(services: Services) -> Callable[[str], Response]:
    """Pages for what has none: in our look, without NiceGUI, so that they work when it does not. Returns the 503."""

    def plain(request: Request | None, name: str, state: Markup, status: int) -> Response:
        return document(name, state, request, sandbox=services.sandbox, status=status)

    async def missing(request: Request, _error: Exception) -> Response:
        return plain(request, _("This is not here"), states.no_page(), 404)

    async def broken(request: Request, error: Exception) -> Response:
        request_id = security.caller(request).request_id
        log.error("page_failed", path=request.url.path, page_request_id=request_id, exc_info=error)
        return plain(request, _("Not available"), states.failed(request_id, retry="/", surprise=True), 500)

    app.add_exception_handler(404, missing)
    app.add_exception_handler(Exception, broken)
    return lambda request_id: plain(None, _("Not available"), states.failed(request_id, retry="/"), 503)


def main() -> None:
    settings = load(DashboardSettings, PROCESS)
    logs.configure(PROCESS, settings)
    build(open_services(settings))
    ui.run(
        host=settings.dashboard_host,
        port=settings.dashboard_port,
        title="Adloom",
        favicon=FAVICON,
        dark=None,
        tailwind=False,
        reload=False,
        show=False,
        show_welcome_message=False,
        reconnect_timeout=RECONNECT_S,
        binding_refresh_interval=None,
        # We pass on the whole way a request came, and read it nowhere.
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
