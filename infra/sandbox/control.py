"""The control API below `/_sandbox/`: faults, request log, tokens, clock. Guarded by a key; fails closed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from adloom import clock
from infra.sandbox.facts.errors import FactsError
from infra.sandbox.faults import Script, ScriptError
from infra.sandbox.oidc.codes import Behaviour
from infra.sandbox.oidc.endpoint import Provider
from infra.sandbox.requestlog import RequestLog
from infra.sandbox.resend.mails import Mails
from infra.sandbox.tokens import Issued, Tokens
from infra.sandbox.wire import Reply
from infra.sandbox.world import World

Handler = Callable[[Request], Awaitable[Reply]]
# Meta's reason for a token that went because the person removed the app.
_APP_REMOVED = 458


class _Which(msgspec.Struct, forbid_unknown_fields=True):
    """Which tokens: one by its text, those of a platform, or all. `subcode` is the reason given from then on.

    With `account` the token stays good and only that account is taken out of its grant. `scopes` are what is left
    of its rights.
    """

    token: str = ""
    platform: str = ""
    subcode: int = _APP_REMOVED
    account: str = ""
    scopes: list[str] | None = None

    def chooses(self, issued: Issued) -> bool:
        digest = hashlib.sha256(self.token.encode()).hexdigest()
        return self.platform in ("", issued.platform) and (not self.token or issued.digest == digest)


class Control:
    """The handlers."""

    def __init__(
        self,
        key: str,
        world: World,
        tokens: Tokens,
        script: Script,
        requests: RequestLog,
        *,
        mails: Mails,
        provider: Provider,
    ) -> None:
        self._key = key
        self.world = world
        self.tokens = tokens
        self.script = script
        self.requests = requests
        self.mails = mails
        self.provider = provider

    def routes(self) -> list[Route]:
        """Every route, each behind the key."""
        handlers: list[tuple[str, str, Handler]] = [
            ("POST", "faults", self.set_faults),
            ("GET", "faults", self.get_faults),
            ("GET", "requests", self.get_requests),
            ("DELETE", "requests", self.clear_requests),
            ("POST", "tokens/expire", self.expire_tokens),
            ("POST", "tokens/revoke", self.revoke_tokens),
            ("POST", "tokens/narrow", self.narrow_tokens),
            ("GET", "mails", self.get_mails),
            ("DELETE", "mails", self.clear_mails),
            ("POST", "oidc", self.set_behaviour),
            ("GET", "clock", self.get_clock),
            ("POST", "reload", self.reload),
        ]
        return [
            Route(f"/_sandbox/{path}", self._guarded(handler), methods=[method]) for method, path, handler in handlers
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Reply:
            given = request.headers.get("x-sandbox-key", "")
            if not hmac.compare_digest(given.encode(), self._key.encode()):
                return _json({"error": "X-Sandbox-Key is missing or wrong"}, 403)
            try:
                return await handler(request)
            except (ScriptError, msgspec.DecodeError, ValueError) as exc:
                return _json({"error": str(exc)}, 422)

        return guarded

    async def set_faults(self, request: Request) -> Reply:
        """Replace the script."""
        return _json({"faults": self.script.replace(await request.body())})

    async def get_faults(self, _request: Request) -> Reply:
        """The script and how often each line has matched."""
        return _json(self.script.state())

    async def get_requests(self, request: Request) -> Reply:
        """The requests after a number."""
        return _json({"requests": self.requests.after(int(request.query_params.get("after", "0")))})

    async def clear_requests(self, _request: Request) -> Reply:
        """Forget the requests."""
        self.requests.clear()
        return _json({"requests": []})

    async def expire_tokens(self, request: Request) -> Reply:
        """Let tokens run out now."""
        which = await _which(request)
        now = clock.now()

        def expire(issued: Issued) -> None:
            issued.expires_at = now

        return _json({"expired": self.tokens.change(which.chooses, expire)})

    async def revoke_tokens(self, request: Request) -> Reply:
        """Take tokens back, for a reason, or one account out of them."""
        which = await _which(request)

        def revoke(issued: Issued) -> None:
            if which.account:
                issued.withheld = [*issued.withheld, which.account]
            else:
                issued.revoked = which.subcode

        return _json({"revoked": self.tokens.change(which.chooses, revoke)})

    async def narrow_tokens(self, request: Request) -> Reply:
        """Take rights away from tokens, which stay good for the others."""
        which = await _which(request)
        left = which.scopes or []

        def narrow(issued: Issued) -> None:
            issued.scopes = [scope for scope in issued.scopes if scope in left]

        return _json({"narrowed": self.tokens.change(which.chooses, narrow)})

    async def get_mails(self, _request: Request) -> Reply:
        """The mails that were handed over, the newest first."""
        return _json({"mails": [mail.shown() for mail in self.mails.newest_first()]})

    async def clear_mails(self, _request: Request) -> Reply:
        """Empty the mailbox."""
        self.mails.clear()
        return _json({"mails": []})

    async def set_behaviour(self, request: Request) -> Reply:
        """How the identity provider behaves from now on; `{}` is as it should."""
        self.provider.behaviour = msgspec.json.decode(await request.body() or b"{}", type=Behaviour)
        return _json(self.provider.behaviour)

    async def get_clock(self, _request: Request) -> Reply:
        """The business clock and the accounts' today."""
        now = await self.world.catch_up()
        accounts = self.world.folder.accounts.values()
        today = {f"{account.platform}/{account.id}": account.today(now).isoformat() for account in accounts}
        return _json({"now": now.isoformat(), "today": today})

    async def reload(self, _request: Request) -> Reply:
        """Read the facts folder again; with faults in it the present one stays."""
        try:
            await self.world.reload()
        except FactsError as exc:
            return _json({"error": "the folder is refused", "faults": [str(fault) for fault in exc.faults]}, 422)
        return _json({"accounts": len(self.world.folder.accounts)})


async def _which(request: Request) -> _Which:
    return msgspec.json.decode(await request.body() or b"{}", type=_Which)


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(status, msgspec.json.encode(value))
