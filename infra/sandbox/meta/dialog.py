"""The consent page that a person sees, and where it sends them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from starlette.responses import Response

from infra.sandbox.facts.model import Account
from infra.sandbox.meta import auth
from infra.sandbox.pages import account_lines, back, choice, is_address, page, question, split
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


def fault(ask: Ask, app: auth.MetaApp) -> Response | None:
    """A page that says what is wrong. Nobody is redirected to an address that the app did not ask for."""
    if ask.client_id != app.id:
        return page("Invalid App ID", "<p>The provided app ID does not look like a valid app ID.</p>", 400)
    if not is_address(ask.redirect_uri):
        return page("URL blocked", "<p>The redirect failed because its address is not an http(s) URL.</p>", 400)
    return None


def consent(ask: Ask, accounts: list[Account]) -> Response:
    """The page with the accounts and the two buttons."""
    listed = "".join(f"<li>{account_lines(account)}</li>" for account in accounts)
    asked = {
        "client_id": ask.client_id,
        "redirect_uri": ask.redirect_uri,
        "state": ask.state,
        "scope": ",".join(ask.scopes),
    }
    form = question(
        asked, "".join(choice("granted", scope, escape(scope)) for scope in ask.scopes), yes="Allow", no="Deny"
    )
    who = f"<p>Adloom asks for access to the ad accounts of <b>{auth.PERSON_NAME}</b>:</p><ul>{listed}</ul>"
    return page("Connect ad accounts", who + form, 200)


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
        answer = {"code": codes.issue(ask.redirect_uri, auth.PERSON_ID, *split(ask.scopes, granted))}
    if ask.state:
        answer["state"] = ask.state
    return back(ask.redirect_uri, answer)
