"""Resend's API over HTTP: send a mail, look at one. Errors as https://resend.com/docs/api-reference/errors has them."""

from __future__ import annotations

import hmac
from email.utils import parseaddr
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from infra.sandbox import scripted
from infra.sandbox.faults import Script, Seen
from infra.sandbox.requestlog import RequestLog
from infra.sandbox.resend.mails import Mails, Params, SameKeyOtherMailError
from infra.sandbox.wire import Reply

PATH = "resend/emails"
_CONTENT_TYPE = "application/json; charset=utf-8"
_LONGEST_BODY = 2_000_000


class Endpoint:
    """`/resend/emails`. The key is the one that `auth` was given."""

    def __init__(self, key: str, mails: Mails, script: Script, requests: RequestLog) -> None:
        self._key = key
        self._mails = mails
        self._script = script
        self._requests = requests

    def routes(self) -> list[Route]:
        return [
            Route(f"/{PATH}", self.send, methods=["POST"]),
            Route(f"/{PATH}/{{mail_id}}", self.look, methods=["GET"]),
        ]

    async def send(self, request: Request) -> Reply:
        """Take a mail, unless the script says otherwise."""
        body = await request.body()
        key = request.headers.get("idempotency-key", "")
        entry = self._requests.open("POST", PATH, {"idempotency_key": key})
        fault = self._script.take(Seen(PATH, "POST"))

        async def own() -> Reply:
            return self._refusal(request) or self._taken(body, key)

        return await scripted.answer(fault, entry, own)

    async def look(self, request: Request) -> Reply:
        """One mail."""
        mail = self._mails.get(request.path_params["mail_id"])
        if (refusal := self._refusal(request)) is not None:
            return refusal
        return _json(mail.shown(), 200) if mail else _error(404, "not_found", "Email not found")

    def _refusal(self, request: Request) -> Reply | None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            return _error(401, "missing_api_key", "Missing API Key")
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            return _error(403, "invalid_api_key", "API key is invalid")
        return None

    def _taken(self, body: bytes, key: str) -> Reply:
        if len(body) > _LONGEST_BODY:
            return _error(413, "validation_error", "The mail is too large.")
        try:
            params = msgspec.json.decode(body, type=Params)
        except msgspec.ValidationError as exc:
            return _error(422, "missing_required_field", f"Missing or wrong field: {exc}")
        except msgspec.DecodeError:
            return _error(400, "validation_error", "The request body is not JSON.")
        return self._kept(params, key)

    def _kept(self, params: Params, key: str) -> Reply:
        wrong = [address for address in params.addresses if "@" not in parseaddr(address)[1]]
        if wrong or not params.addresses:
            return _error(422, "validation_error", "Invalid `to` field.")
        if not params.html and not params.text:
            return _error(422, "validation_error", "Missing `html` or `text` field.")
        try:
            return _json({"id": self._mails.take(params, key)}, 200)
        except SameKeyOtherMailError:
            return _error(
                409, "invalid_idempotent_request", "This idempotency key has been used with other parameters."
            )


def _error(status: int, name: str, message: str) -> Reply:
    return _json({"statusCode": status, "name": name, "message": message}, status)


def _json(value: Any, status: int) -> Reply:
    return Reply(status, msgspec.json.encode(value), content_type=_CONTENT_TYPE)
