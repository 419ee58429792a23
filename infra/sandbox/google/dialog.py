"""The page on which a person lets Adloom see their Google Ads accounts, and where it sends them."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from infra.sandbox.facts.model import Account
from infra.sandbox.google import auth, oauth
from infra.sandbox.pages import account_lines, page
from infra.sandbox.tokens import Codes

_HIDDEN = (
    *("client_id", "redirect_uri", "state", "scope", "response_type", "access_type", "prompt"),
    *("code_challenge", "code_challenge_method"),
)


def fault(params: dict[str, str], app: auth.App) -> Response | None:
    """A page that says what is wrong. Nobody is redirected to an address that is none."""
    target = urlsplit(params.get("redirect_uri", ""))
    if not app.secret or params.get("client_id") != app.id:
        return _page("Error 401: invalid_client", "<p>The OAuth client was not found.</p>", 401)
    if target.scheme not in ("http", "https") or not target.netloc or target.fragment:
        return _page("Error 400: redirect_uri_mismatch", "<p>The redirect address is not one of the app's.</p>", 400)
    if params.get("response_type") != "code" or not params.get("scope"):
        return _page("Error 400: invalid_request", "<p>response_type must be code, and a scope is needed.</p>", 400)
    unknown = [scope for scope in params["scope"].split() if scope not in auth.SCOPE_NAMES]
    if unknown:
        return _page("Error 400: invalid_scope", f"<p>Unknown: {escape(' '.join(unknown))}</p>", 400)
    if params.get("code_challenge") and params.get("code_challenge_method") != "S256":
        return _page("Error 400: invalid_request", "<p>Only S256 challenges are accepted here.</p>", 400)
    return None


def consent(params: dict[str, str], accounts: list[Account]) -> Response:
    """The page with the accounts, what the app asks for, and the two buttons."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(params.get(name, ""), quote=True)}">' for name in _HIDDEN
    )
    listed = "".join(f"<li>{account_lines(account)}</li>" for account in accounts)
    scopes = "".join(
        f'<label><input type="checkbox" name="granted" value="{escape(scope, quote=True)}" checked> '
        f"{escape(auth.SCOPE_NAMES[scope])}</label>"
        for scope in params["scope"].split()
    )
    body = (
        f"<p>Adloom wants to access the Google Account of <b>{auth.PERSON_NAME}</b> ({auth.PERSON_EMAIL}), with these"
        f" Google Ads accounts:</p><ul>{listed}</ul>"
        f'<form method="post">{hidden}<input type="hidden" name="choices" value="1">{scopes}'
        '<button class="allow" name="decision" value="allow">Continue</button>'
        '<button name="decision" value="deny">Cancel</button></form>'
    )
    return _page("Sign in with Google", body, 200)


def decide(params: dict[str, str], codes: Codes, *, allowed: bool, scopes: list[str] | None) -> Response:
    """Send the person back with a code, or with `error=access_denied`. None for `scopes` grants all of them."""
    redirect_uri = params["redirect_uri"]
    answer = {"state": params["state"]} if params.get("state") else {}
    if allowed:
        asked = params["scope"].split()
        granted = [scope for scope in asked if scopes is None or scope in scopes]
        declined = [scope for scope in asked if scope not in granted]
        code = codes.issue(redirect_uri, auth.PERSON_ID, granted, declined, note=oauth.note(params))
        answer |= {"code": code, "scope": " ".join(granted)}
    else:
        answer |= {"error": "access_denied"}
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(answer)}", 302)


def _page(title: str, body: str, status: int) -> Response:
    return page(title, body, status, "Google")
