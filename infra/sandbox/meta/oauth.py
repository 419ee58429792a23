"""Token exchange, inspection and revocation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.sandbox.meta import auth, errors
from infra.sandbox.meta.call import Call
from infra.sandbox.meta.errors import GraphError
from infra.sandbox.tokens import Code, Codes, Issued, Tokens

SHORT_LIVED = timedelta(hours=1)
LONG_LIVED = timedelta(seconds=5183944)
# Access to the person's data lapses apart from the token, 90 days after the last login.
DATA_ACCESS = timedelta(days=90)
_PREFIX = "EAA"


class OAuth:
    """The endpoints below `oauth/` and `debug_token`."""

    def __init__(self, app: auth.MetaApp, tokens: Tokens, codes: Codes) -> None:
        self.app = app
        self.tokens = tokens
        self.codes = codes

    def access_token(self, call: Call) -> dict[str, Any]:
        """A code or a short-lived token against a token."""
        params = call.params
        if params.get("client_id", "") != self.app.id:
            raise GraphError(400, 101, "Error validating application. Cannot get application info.")
        if not self.app.is_this(params["client_id"], params.get("client_secret", "")):
            raise GraphError(400, 1, "Error validating client secret.")
        grant_type = params.get("grant_type", "authorization_code")
        if grant_type == "client_credentials":
            return {"access_token": self.app.token, "token_type": "bearer"}
        if grant_type == "fb_exchange_token":
            short = auth.check(self.tokens.find(params.get("fb_exchange_token", "")), self.app, call.now)
            return self._issue(short, call.now, LONG_LIVED)
        return self._issue(self._code(params), call.now, SHORT_LIVED)

    def _code(self, params: dict[str, str]) -> Code:
        code = params.get("code", "")
        if not code:
            raise errors.parameter("Missing authorization code")
        if self.codes.was_used(code):
            raise GraphError(400, 100, "This authorization code has been used.", error_subcode=36009)
        found = self.codes.peek(code)
        if found is None:
            raise GraphError(400, 100, "Invalid verification code format.")
        if not found.is_fresh():
            raise GraphError(400, 100, "This authorization code has expired.", error_subcode=36007)
        if params.get("redirect_uri") != found.redirect_uri:
            message = (
                "Error validating verification code. Please make sure your redirect_uri is identical to the one you "
                "used in the OAuth dialog request"
            )
            raise GraphError(400, 100, message, error_subcode=36008)
        self.codes.use(code)
        return found

    def _issue(self, grant: Issued | Code, now: datetime, lifetime: timedelta) -> dict[str, Any]:
        token = self.tokens.issue(auth.PLATFORM, _PREFIX, grant, now, lifetime)
        return {"access_token": token, "token_type": "bearer", "expires_in": int(lifetime.total_seconds())}

    def debug_token(self, call: Call) -> dict[str, Any]:
        """What a token is and whether it is still good."""
        self._app_or_person(call)
        text = call.params.get("input_token", "")
        if text == self.app.token:
            return {"data": {"app_id": self.app.id, "type": "APP", "is_valid": True, "scopes": []}}
        issued = self.tokens.find(text)
        try:
            auth.check(issued, self.app, call.now)
        except GraphError as exc:
            error = {name: value for name, value in exc.error.items() if name in ("code", "message")}
            if "error_subcode" in exc.error:
                error["subcode"] = exc.error["error_subcode"]
            return {"data": {**self._about(issued), "error": error, "is_valid": False}}
        return {"data": {**self._about(issued), "is_valid": True}}

    def _about(self, issued: Issued | None) -> dict[str, Any]:
        if issued is None:
            return {"scopes": []}
        return {
            "app_id": self.app.id,
            "type": "SYSTEM_USER" if issued.person_id == auth.SYSTEM_USER_ID else "USER",
            "application": "Sandbox app",
            "issued_at": int(issued.issued_at.timestamp()),
            "expires_at": int(issued.expires_at.timestamp()) if issued.expires_at else 0,
            "data_access_expires_at": self._data_access(issued),
            "scopes": issued.scopes,
            "user_id": issued.person_id,
        }

    def _data_access(self, issued: Issued) -> int:
        """A machine's never lapses."""
        is_machine = issued.person_id == auth.SYSTEM_USER_ID
        return 0 if is_machine else int((issued.issued_at + DATA_ACCESS).timestamp())

    def system_user_token(self, call: Call) -> dict[str, Any]:
        """A token for the system user, by an administrator's: for good, or for sixty days."""
        if call.token is None or "business_management" not in call.token.scopes:
            raise errors.no_permission()
        if call.params.get("business_app") != self.app.id:
            raise errors.parameter("business_app is not this app")
        scopes = [scope for scope in call.params.get("scope", "").split(",") if scope]
        grant = Code("", auth.SYSTEM_USER_ID, scopes, [], 0.0)
        if call.params.get("set_token_expires_in_60_days") == "true":
            return self._issue(grant, call.now, LONG_LIVED)
        return {"access_token": self.tokens.issue(auth.PLATFORM, _PREFIX, grant, call.now, None)}

    def revoke(self, call: Call) -> dict[str, Any]:
        """Kill one token."""
        if not self.app.is_this(call.params.get("client_id", ""), call.params.get("client_secret", "")):
            raise GraphError(400, 1, "Error validating client secret.")
        self._app_or_person(call)
        issued = auth.check(self.tokens.find(call.params.get("revoke_token", "")), self.app, call.now)
        self.tokens.change(lambda token: token is issued, _revoked_for(467))
        return {"success": True}

    def _app_or_person(self, call: Call) -> None:
        if auth.token_text(call) != self.app.token:
            auth.authorize(call, self.tokens, self.app)

    def permissions(self, call: Call) -> dict[str, Any]:
        """What the person granted and declined."""
        issued = call.token
        if issued is None:
            raise errors.no_token()
        granted = [{"permission": scope, "status": "granted"} for scope in issued.scopes]
        return {"data": granted + [{"permission": scope, "status": "declined"} for scope in issued.declined]}

    def remove_app(self, call: Call, permission: str = "") -> dict[str, Any]:
        """Take back the person's whole grant, or one permission of it: it goes for every token of the person."""
        person = call.token.person_id if call.token else ""

        def without(token: Issued) -> None:
            token.scopes = [scope for scope in token.scopes if scope != permission]

        change = without if permission else _revoked_for(458)
        self.tokens.change(lambda token: token.platform == auth.PLATFORM and token.person_id == person, change)
        return {"success": True}


def _revoked_for(subcode: int) -> Callable[[Issued], None]:
    def change(token: Issued) -> None:
        if token.revoked is None:
            token.revoked = subcode

    return change
