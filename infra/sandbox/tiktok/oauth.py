"""Token exchange, the granted advertisers, revocation."""

from __future__ import annotations

from typing import Any

from infra.sandbox.apps import App
from infra.sandbox.tiktok import auth, errors
from infra.sandbox.tiktok.call import Call
from infra.sandbox.tiktok.errors import TikTokError
from infra.sandbox.tokens import Code, Codes, Issued, Tokens
from infra.sandbox.world import World

# An authorization code is good for an hour, once.
CODE_SECONDS = 3600.0
# What the control API and the endpoint below note as the reason.
_REVOKED = 40105


class OAuth:
    """The endpoints below `oauth2/`, and `user/info/`. Tokens never expire by themselves and cannot be refreshed."""

    def __init__(self, world: World, app: App, tokens: Tokens, codes: Codes) -> None:
        self.world = world
        self.app = app
        self.tokens = tokens
        self.codes = codes

    def access_token(self, call: Call) -> dict[str, Any]:
        """A code against a token, with the advertisers of that moment unless they are not wanted."""
        if not self.app.is_this(call.needed("app_id"), call.needed("secret")):
            raise errors.wrong_app()
        code = self._code(call.needed("auth_code"))
        token = self.tokens.issue(auth.PLATFORM, "", code, call.now, None)
        issued = self.tokens.find(token)
        found: dict[str, Any] = {
            "access_token": token,
            "token_type": "Bearer",
            "scope": [int(scope) for scope in code.scopes],
        }
        if issued is not None and call.text("return_advertiser_ids").lower() != "false":
            found["advertiser_ids"] = [account.id for account in auth.granted(self.world, issued, call)]
        return found

    def form_token(self, call: Call) -> dict[str, Any]:
        """The same under OAuth's own names, as a form."""
        if call.needed("grant_type") not in {"authorization_code", "auth_code"}:
            raise TikTokError(40108, "Grant type is invalid.")
        names = {"app_id": "client_id", "secret": "client_secret", "auth_code": "code"}
        call.params = {**call.params, **{ours: call.needed(theirs) for ours, theirs in names.items()}}
        return self.access_token(call)

    def _code(self, text: str) -> Code:
        if self.codes.was_used(text):
            raise TikTokError(40110, "Auth_code is used.")
        found = self.codes.peek(text)
        if found is None:
            raise TikTokError(40110, "Auth_code is invalid.")
        if not found.is_fresh():
            raise TikTokError(40115, "Auth_code has expired.")
        self.codes.use(text)
        return found

    def advertisers(self, call: Call) -> dict[str, Any]:
        """Every advertiser of the token, also those that were shared after the log-in."""
        issued = auth.authorize(call, self.tokens)
        if not self.app.is_this(call.needed("app_id"), call.needed("secret")):
            raise TikTokError(40000, "The app_id does not match the access token.")
        listed = [
            {"advertiser_id": account.id, "advertiser_name": account.name}
            for account in auth.granted(self.world, issued, call)
        ]
        return {"list": listed}

    def person(self, call: Call) -> dict[str, Any]:
        """Who agreed."""
        auth.authorize(call, self.tokens)
        return {
            "core_user_id": auth.PERSON_ID,
            "display_name": auth.PERSON_NAME,
            "email": auth.PERSON_EMAIL,
            "create_time": 1609459200,
        }

    def revoke(self, call: Call) -> dict[str, Any]:
        """Kill a token for good."""
        if not self.app.is_this(call.needed("app_id"), call.needed("secret")):
            raise errors.wrong_app()
        call.token_text = call.needed("access_token")
        issued = auth.authorize(call, self.tokens)
        covered = [account.id for account in auth.granted(self.world, issued, call)]
        self.tokens.change(lambda token: token is issued, _revoke)
        return {"app_id": self.app.id, "advertiser_ids": covered}

    def refresh(self, _call: Call) -> dict[str, Any]:
        """Tokens of this API have no refresh token."""
        raise TikTokError(40107, "Refresh token is invalid.")


def _revoke(token: Issued) -> None:
    token.revoked = _REVOKED
