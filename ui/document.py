"""Plain HTML pages outside NiceGUI, and what they share with the others."""

from __future__ import annotations

from markupsafe import Markup
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from ui.i18n import _, current
from ui.icons import LOGO
from ui.markup import Child, h, join
from ui.theme import head as theme_head
from ui.theme import theme_of

FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 22 22" fill="none"><rect width="22" height="22" rx="6" '
    'fill="#3a56d4"/><g stroke="#fff" stroke-linecap="round"><path d="M7 6.5v9M11 6.5v9M15 6.5v9" stroke-width="1.2" '
    'opacity=".6"/><path d="M3.8 12.4C5 8.4 5.9 8.4 7 11s2.6 2.7 4 0 2.7-2.7 4 0 2.2 2.4 3.2-1.4" stroke-width="1.7"/>'
    "</g></svg>"
)

# In force beside what holds for every page: here no script runs but the file of ours.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def title(name: str) -> str:
    return f"{name} · Adloom"


def brand() -> Markup:
    return join(LOGO, h("span", "Adloom"))


def sandbox_mark(*, link: bool) -> Markup:
    """On every page while the numbers come from the sandbox."""
    what = _("Connect an ad account")
    shown = h("a", what, href="/connections") if link else h("b", what)
    before, _sep, after = _("Sandbox data. {connect} to see your own numbers.").partition("{connect}")
    return h("p", before, shown, after, class_="sandbox", data_sandbox=True)


def door_card(heading: str, *children: Child) -> Markup:
    """A card with our name on it, for what stands before the pages."""
    return h("div", h("div", brand(), class_="brand"), h("h1", heading), children, class_="card login-card")


def document(
    name: str,
    shown: Markup,
    request: HTTPConnection | None,
    *,
    sandbox: bool,
    status: int = 200,
    onward: str | None = None,
) -> HTMLResponse:
    """A light, narrow page: no script is needed for it to work. It goes on to the address `onward` by itself."""
    mark = sandbox_mark(link=False) if sandbox else None
    page = h(
        "html",
        h(
            "head",
            h("meta", charset="utf-8"),
            h("meta", name="viewport", content="width=device-width, initial-scale=1"),
            h("meta", http_equiv="refresh", content=f"0;url={onward}") if onward else None,
            h("title", title(name)),
            h("link", rel="icon", href="/favicon.ico", type="image/svg+xml"),
            theme_head(),
        ),
        h("body", h("main", h("div", shown, mark), class_="login")),
        lang=current().tag,
        data_theme=None if request is None else theme_of(request),
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY}
    return HTMLResponse(f"<!doctype html>{page}", status, headers)
