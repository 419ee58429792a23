"""The page on which a person lets Adloom see their Google Ads accounts, and where it sends them."""

from __future__ import annotations

from html import escape

from starlette.responses import Response

from infra.sandbox.apps import App
from infra.sandbox.facts.model import Account
from infra.sandbox.google import auth, oauth
from infra.sandbox.pages import account_lines, back, choice, is_address, page, question, split
from infra.sandbox.tokens import Codes

_HIDDEN = (
    *("client_id", "redirect_uri", "state", "scope", "response_type", "access_type", "prompt"),
    *("code_challenge", "code_challenge_method"),
)


def fault(params: dict[str, str], app: App) -> Response | None:
    """A page that says what is wrong. Nobody is redirected to an address that is none."""
    if not app.secret or params.get("client_id") != app.id:
        return _page("Error 401: invalid_client", "<p>The OAuth client was not found.</p>", 401)
    if not is_address(params.get("redirect_uri", "")):
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
    listed = "".join(f"<li>{account_lines(account)}</li>" for account in accounts)
    scopes = "".join(choice("granted", scope, escape(auth.SCOPE_NAMES[scope])) for scope in params["scope"].split())
    form = question({name: params.get(name, "") for name in _HIDDEN}, scopes, yes="Continue", no="Cancel")
    body = (
        f"<p>Adloom wants to access the Google Account of <b>{auth.PERSON_NAME}</b> ({auth.PERSON_EMAIL}), with these"
        f" Google Ads accounts:</p><ul>{listed}</ul>{form}"
    )
    return _page("Sign in with Google", body, 200)


def decide(params: dict[str, str], codes: Codes, *, allowed: bool, scopes: list[str] | None) -> Response:
    """Send the person back with a code, or with `error=access_denied`. None for `scopes` grants all of them."""
    redirect_uri = params["redirect_uri"]
    answer = {"state": params["state"]} if params.get("state") else {}
    if allowed:
        granted, declined = split(params["scope"].split(), scopes)
        code = codes.issue(redirect_uri, auth.PERSON_ID, granted, declined, note=oauth.note(params))
        answer |= {"code": code, "scope": " ".join(granted)}
    else:
        answer |= {"error": "access_denied"}
    return back(redirect_uri, answer)


def _page(title: str, body: str, status: int) -> Response:
    return page(title, body, status, "Google")
