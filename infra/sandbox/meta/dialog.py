"""The consent page that a person sees, and where it sends them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from infra.sandbox.facts.model import Account
from infra.sandbox.meta import auth
from infra.sandbox.pages import account_lines, page
from infra.sandbox.tokens import Codes


@dataclass(frozen=True)
class Ask:
    """What the product asks the person for."""

    client_id: str
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]


def read(params: dict[str, str]) -> Ask:
    """The request as the dialog's address carries it; scopes by comma or space, the defaults where none is named."""
    named = params.get("scope", "").replace(",", " ").split()
    scopes = dict.fromkeys(named) if named else dict.fromkeys(auth.DEFAULT_SCOPES)
    return Ask(params.get("client_id", ""), params.get("redirect_uri", ""), params.get("state", ""), tuple(scopes))


def fault(ask: Ask, app: auth.App) -> Response | None:
    """A page that says what is wrong. Nobody is redirected to an address that the app did not ask for."""
    target = urlsplit(ask.redirect_uri)
    if ask.client_id != app.id:
        return page("Invalid App ID", "<p>The provided app ID does not look like a valid app ID.</p>", 400)
    if target.scheme not in ("http", "https") or not target.netloc or target.fragment:
        return page("URL blocked", "<p>The redirect failed because its address is not an http(s) URL.</p>", 400)
    return None


def consent(ask: Ask, accounts: list[Account]) -> Response:
    """The page with the accounts and the two buttons."""
    listed = "".join(f"<li>{account_lines(account)}</li>" for account in accounts)
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">'
        for name, value in (
            ("client_id", ask.client_id),
            ("redirect_uri", ask.redirect_uri),
            ("state", ask.state),
            ("scope", ",".join(ask.scopes)),
        )
    )
    scopes = "".join(
        f'<label><input type="checkbox" name="granted" value="{escape(scope, quote=True)}" checked> '
        f"{escape(scope)}</label>"
        for scope in ask.scopes
    )
    body = (
        f"<p>Adloom asks for access to the ad accounts of <b>{auth.PERSON_NAME}</b>:</p><ul>{listed}</ul>"
        f'<form method="post">{hidden}<input type="hidden" name="choices" value="1">{scopes}'
        '<button class="allow" name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny">Deny</button></form>'
    )
    return page("Connect ad accounts", body, 200)


def decide(ask: Ask, *, allowed: bool, granted: list[str] | None, codes: Codes) -> Response:
    """Send the person back with a code, or with Meta's words for a denial. `granted` None grants all that was asked."""
    if not allowed:
        answer = {
            "error": "access_denied",
            "error_code": "200",
            "error_description": "Permissions error",
            "error_reason": "user_denied",
        }
    else:
        scopes = [scope for scope in ask.scopes if granted is None or scope in granted]
        declined = [scope for scope in ask.scopes if scope not in scopes]
        answer = {"code": codes.issue(ask.redirect_uri, auth.PERSON_ID, scopes, declined)}
    if ask.state:
        answer["state"] = ask.state
    joint = "&" if urlsplit(ask.redirect_uri).query else "?"
    return RedirectResponse(f"{ask.redirect_uri}{joint}{urlencode(answer)}", 302)
