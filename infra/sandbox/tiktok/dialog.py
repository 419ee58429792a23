"""The authorization page that an advertiser sees, and where it sends them."""

from __future__ import annotations

from html import escape

from starlette.responses import Response

from infra.sandbox.apps import App
from infra.sandbox.facts.model import Account
from infra.sandbox.pages import account_lines, back, choice, is_address, page, question, split
from infra.sandbox.tiktok import auth
from infra.sandbox.tiktok.oauth import CODE_SECONDS
from infra.sandbox.tokens import Codes

_HIDDEN = ("app_id", "redirect_uri", "state")


def fault(params: dict[str, str], app: App) -> Response | None:
    """A page that says what is wrong. Nobody is redirected to an address that is none."""
    if not app.secret or params.get("app_id") != app.id:
        return _page("Invalid app", "<p>This app does not exist.</p>", 400)
    if not is_address(params.get("redirect_uri", "")):
        return _page("Invalid redirect", "<p>The redirect address is not one of the app's.</p>", 400)
    return None


def consent(params: dict[str, str], accounts: list[Account]) -> Response:
    """The page with the advertisers, what the app asks for, and the two buttons."""
    listed = "".join(choice("advertiser", account.id, account_lines(account)) for account in accounts)
    scopes = "".join(choice("granted", str(scope), escape(name)) for scope, name in auth.SCOPE_NAMES.items())
    asked = {name: params.get(name, "") for name in _HIDDEN}
    form = question(asked, f"{listed}<p>Permissions</p>{scopes}", yes="Confirm", no="Cancel")
    who = f"<p>Adloom asks for access to the ad accounts of <b>{auth.PERSON_NAME}</b>:</p>"
    return _page("Authorize an app", who + form, 200)


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
    granted, declined = split([str(scope) for scope in auth.DEFAULT_SCOPES], scopes)
    withheld = tuple(a.id for a in accounts if advertisers is not None and a.id not in advertisers)
    redirect_uri = params["redirect_uri"]
    code = codes.issue(redirect_uri, auth.PERSON_ID, granted, declined, withheld=withheld, seconds=CODE_SECONDS)
    answer = {"auth_code": code, "code": code}
    if params.get("state"):
        answer["state"] = params["state"]
    return back(redirect_uri, answer)


def _page(title: str, body: str, status: int) -> Response:
    return page(title, body, status, "TikTok")
