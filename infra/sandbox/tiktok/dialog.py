"""The authorization page that an advertiser sees, and where it sends them."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from infra.sandbox.facts.model import Account
from infra.sandbox.pages import account_lines, page
from infra.sandbox.tiktok import auth
from infra.sandbox.tiktok.oauth import CODE_SECONDS
from infra.sandbox.tokens import Codes

_HIDDEN = ("app_id", "redirect_uri", "state")


def fault(params: dict[str, str], app: auth.App) -> Response | None:
    """A page that says what is wrong. Nobody is redirected to an address that is none."""
    target = urlsplit(params.get("redirect_uri", ""))
    if not app.secret or params.get("app_id") != app.id:
        return _page("Invalid app", "<p>This app does not exist.</p>", 400)
    if target.scheme not in ("http", "https") or not target.netloc or target.fragment:
        return _page("Invalid redirect", "<p>The redirect address is not one of the app's.</p>", 400)
    return None


def consent(params: dict[str, str], accounts: list[Account]) -> Response:
    """The page with the advertisers, what the app asks for, and the two buttons."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(params.get(name, ""), quote=True)}">' for name in _HIDDEN
    )
    listed = "".join(
        f'<label><input type="checkbox" name="advertiser" value="{escape(account.id, quote=True)}" checked> '
        f"{account_lines(account)}</label>"
        for account in accounts
    )
    scopes = "".join(
        f'<label><input type="checkbox" name="granted" value="{scope}" checked> {escape(name)}</label>'
        for scope, name in auth.SCOPE_NAMES.items()
    )
    body = (
        f"<p>Adloom asks for access to the ad accounts of <b>{auth.PERSON_NAME}</b>:</p>"
        f'<form method="post">{hidden}<input type="hidden" name="choices" value="1">{listed}<p>Permissions</p>{scopes}'
        '<button class="allow" name="decision" value="allow">Confirm</button>'
        '<button name="decision" value="deny">Cancel</button></form>'
    )
    return _page("Authorize an app", body, 200)


def decide(
    params: dict[str, str],
    codes: Codes,
    accounts: list[Account],
    *,
    allowed: bool,
    advertisers: list[str] | None,
    scopes: list[str] | None,
) -> Response:
    """Send the person back with `auth_code` (and `code`, which is the same). None for a choice grants all of it.

    TikTok tells the app nothing about a person who cancels: they stay on its page.
    """
    if not allowed:
        return _page("Cancelled", "<p>The app was not authorized. You can close this page.</p>", 200)
    granted = [str(scope) for scope in auth.DEFAULT_SCOPES if scopes is None or str(scope) in scopes]
    declined = [str(scope) for scope in auth.DEFAULT_SCOPES if str(scope) not in granted]
    withheld = tuple(a.id for a in accounts if advertisers is not None and a.id not in advertisers)
    redirect_uri = params["redirect_uri"]
    code = codes.issue(redirect_uri, auth.PERSON_ID, granted, declined, withheld=withheld, seconds=CODE_SECONDS)
    answer = {"auth_code": code, "code": code}
    if params.get("state"):
        answer["state"] = params["state"]
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(answer)}", 302)


def _page(title: str, body: str, status: int) -> Response:
    return page(title, body, status, "TikTok")
