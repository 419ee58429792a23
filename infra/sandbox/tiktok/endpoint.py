"""The Marketing API over HTTP: parameters in, faults of the script, the request log, envelopes out."""

from __future__ import annotations

import secrets
import traceback
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.sandbox import forms, scripted
from infra.sandbox.apps import App
from infra.sandbox.faults import Script, Seen
from infra.sandbox.jsonlog import log
from infra.sandbox.requestlog import RequestLog
from infra.sandbox.tiktok import auth, dialog
from infra.sandbox.tiktok.api import Api
from infra.sandbox.tiktok.call import Call
from infra.sandbox.tiktok.errors import SYSTEM_ERROR, TikTokError
from infra.sandbox.tiktok.oauth import OAuth
from infra.sandbox.tokens import Codes, Tokens
from infra.sandbox.wire import Reply
from infra.sandbox.world import World

VERSIONS = frozenset({"v1.3"})
_METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]
_TEXT = "text/plain; charset=utf-8"
_LEVELS = {
    "campaign/get": "campaign",
    "adgroup/get": "adgroup",
    "ad/get": "ad",
    "AUCTION_ADVERTISER": "account",
    "AUCTION_CAMPAIGN": "campaign",
    "AUCTION_ADGROUP": "adgroup",
    "AUCTION_AD": "ad",
}
# Money goes out as a JSON number with all of its digits.
_encoder = msgspec.json.Encoder(decimal_format="number")


class Endpoint:
    """Answers every path below `open_api/`, and the authorization page."""

    def __init__(
        self, world: World, app: App, tokens: Tokens, codes: Codes, *, script: Script, requests: RequestLog
    ) -> None:
        self.world = world
        self.app = app
        self.tokens = tokens
        self.codes = codes
        self.script = script
        self.requests = requests
        self._base_url = ""
        self.api = Api(world, tokens, OAuth(world, app, tokens, codes), lambda: self._base_url)
        self._shifts: dict[str, int] = {}

    def routes(self) -> list[Route]:
        """The API, its files, and the page on which a person agrees (under its present and its older address)."""
        return [
            Route("/open_api/files/{key}", self.file),
            Route("/open_api/{version}/{path:path}", self.serve, methods=_METHODS),
            Route("/portal/auth", self.dialog, methods=["GET", "POST"]),
            Route("/marketing_api/auth", self.dialog, methods=["GET", "POST"]),
        ]

    async def serve(self, request: Request) -> Reply:
        """One HTTP request."""
        self._base_url = str(request.base_url).rstrip("/")
        raw, version = request.path_params["path"], request.path_params["version"]
        path = raw.rstrip("/")
        params = await _parameters(request)
        token = request.headers.get("access-token", "")
        call = Call(request.method, path, params, token, await self.world.catch_up())
        entry = self.requests.open(call.method, path, {name: _shown(value) for name, value in params.items()})
        call.fault = self.script.take(_seen(call))
        self._shift(call)
        is_closed = raw.endswith("/")
        return await scripted.answer(call.fault, entry, lambda: self._answered(call, version, is_closed=is_closed))

    async def _answered(self, call: Call, version: str, *, is_closed: bool) -> Reply:
        methods = self.api.knows(call.path)
        if not is_closed or not methods:
            return Reply(404, b"404 page not found", content_type=_TEXT)
        if call.method not in methods:
            return Reply(405, b"405 method not allowed", content_type=_TEXT)
        if version not in VERSIONS:
            return self._envelope(40006, f"The API version {version} is not supported.", {}, call)
        try:
            return self._envelope(0, "OK", self.api.answer(call), call)
        except TikTokError as error:
            return self._envelope(error.code, error.message, {}, call)
        except Exception:  # noqa: BLE001 - the boundary: a mistake of ours is logged and looks like one of TikTok's
            log("fault_of_ours", path=call.path, trace=traceback.format_exc())
            return self._envelope(SYSTEM_ERROR, "System error", {}, call)

    def _envelope(self, code: int, message: str, data: dict[str, Any], call: Call) -> Reply:
        request_id = call.now.strftime("%Y%m%d%H%M%S") + secrets.token_hex(10).upper()
        body = _encoder.encode({"code": code, "message": message, "request_id": request_id, "data": data})
        return Reply(200, body, {**call.headers, "X-Tt-Logid": request_id})

    def _shift(self, call: Call) -> None:
        """Note by how many rows a list has moved since its first page, until it is walked from the start again."""
        key = f"{call.path}{sorted((name, str(value)) for name, value in call.params.items() if name != 'page')}"
        if call.text("page") in ("", "1"):
            self._shifts.pop(key, None)
        if call.fault is not None and call.fault.kind == "shifted_pages":
            self._shifts[key] = call.fault.rows
        call.shift = self._shifts.get(key, 0)

    async def file(self, request: Request) -> Reply:
        """The file of a report task."""
        found = self.api.tasks.file(request.path_params["key"])
        if found is None:
            return Reply(403, b"Request has expired", content_type=_TEXT)
        return Reply(200, found, content_type="text/csv; charset=utf-8")

    async def dialog(self, request: Request) -> Response:
        """The authorization page, and what becomes of it."""
        params = await forms.parameters(request)
        entry = self.requests.open(request.method, "portal/auth", params)
        answer = dialog.fault(params, self.app)
        if answer is None:
            accounts = self.world.living(auth.PLATFORM, await self.world.catch_up())
            if request.method == "POST":
                form = await request.form()
                answer = dialog.decide(
                    params,
                    self.codes,
                    accounts,
                    allowed=form.get("decision") == "allow",
                    advertisers=forms.chosen(form, "advertiser"),
                    scopes=forms.chosen(form, "granted"),
                )
            else:
                answer = dialog.consent(params, accounts)
        entry.status = answer.status_code
        return answer


async def _parameters(request: Request) -> dict[str, Any]:
    params: dict[str, Any] = dict(request.query_params)
    if request.method != "POST":
        return params
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {**params, **await forms.texts(request)}
    try:
        body = msgspec.json.decode(await request.body() or b"{}")
    except msgspec.DecodeError:
        return params
    return {**params, **body} if isinstance(body, dict) else params


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _seen(call: Call) -> Seen:
    page = call.text("page") or "1"
    level = _LEVELS.get(call.path) or _LEVELS.get(call.text("data_level"), "")
    creates_job = call.path == "report/task/create"
    return Seen(
        call.path,
        call.method,
        level,
        int(page) if page.isdigit() else 1,
        creates_job,
        params="\n".join(_shown(value) for value in call.params.values()),
    )
