"""Pages of the person, and what the app is told of by webhook: a page's leads, an ad account's states."""

from __future__ import annotations

from typing import Any

from infra.sandbox.meta import auth, errors
from infra.sandbox.meta.call import Call
from infra.sandbox.meta.errors import GraphError
from infra.sandbox.tokens import Code, Tokens

PAGES = {"10160000000000201": "Sandbox Shop", "10160000000000202": "Sandbox Blog"}
_EDGE = "subscribed_apps"
_PAGE = "page:"


class Hooks:
    """Subscriptions by what they are of, as long as the sandbox runs."""

    def __init__(self, app: auth.MetaApp, tokens: Tokens) -> None:
        self.app = app
        self.tokens = tokens
        self.fields: dict[str, list[str]] = {}

    def pages(self, call: Call) -> dict[str, Any]:
        """`GET /me/accounts`: each page with a token of its own, which ends with the person's grant."""
        if call.token is None or "pages_show_list" not in call.token.scopes:
            return {"data": []}
        grant = Code("", call.token.person_id, call.token.scopes, [], 0.0)
        listed = [
            {
                "id": page,
                "name": name,
                "access_token": self.tokens.issue(auth.PLATFORM, "EAA", grant, call.now, None, parent=_PAGE + page),
            }
            for page, name in PAGES.items()
        ]
        return {"data": listed}

    def answer(self, call: Call) -> dict[str, Any] | None:
        """What is asked of a subscription; None where something else is asked."""
        target, _, edge = call.path.partition("/")
        if edge != _EDGE or call.token is None:
            return None
        if target.startswith("act_"):
            self._need(call, "ads_management")
        elif target in PAGES:
            if call.token.parent != _PAGE + target:
                raise GraphError(403, 210, "(#210) A page access token is required to request this resource.")
            self._need(call, "pages_manage_metadata")
            if "leadgen" in call.params.get("subscribed_fields", ""):
                self._need(call, "leads_retrieval")
        else:
            raise errors.unknown_object(target)
        return self._changed(call, target)

    def _changed(self, call: Call, target: str) -> dict[str, Any]:
        if call.method == "POST":
            self.fields[target] = call.params.get("subscribed_fields", "").split(",")
        elif call.method == "DELETE":
            self.fields.pop(target, None)
        else:
            known = self.fields.get(target)
            return {"data": [{"id": self.app.id, "subscribed_fields": known}] if known is not None else []}
        return {"success": True}

    def _need(self, call: Call, scope: str) -> None:
        if call.token is None or scope not in call.token.scopes:
            raise GraphError(403, 200, f"(#200) Requires {scope} permission")
