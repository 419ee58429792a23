"""The Graph API over HTTP: parameters in, faults of the script, the request log, headers out."""

from __future__ import annotations

import traceback
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from infra.sandbox import forms, scripted
from infra.sandbox.faults import Script, Seen
from infra.sandbox.jsonlog import log
from infra.sandbox.meta import batch, dialog, paging
from infra.sandbox.meta.call import Call
from infra.sandbox.meta.errors import GraphError, unknown_error
from infra.sandbox.meta.graph import Graph
from infra.sandbox.meta.usage import Usage
from infra.sandbox.requestlog import RequestLog
from infra.sandbox.tokens import Codes
from infra.sandbox.wire import Reply
from infra.sandbox.world import World

_LEVELS = {"campaigns": "campaign", "adsets": "adset", "ads": "ad"}


class Endpoint:
    """Answers every path below a version."""

    def __init__(self, world: World, graph: Graph, codes: Codes, script: Script, requests: RequestLog) -> None:
        self.world = world
        self.graph = graph
        self.codes = codes
        self.script = script
        self.requests = requests
        self.usage = Usage()

    async def serve(self, request: Request) -> Reply | Response:
        """One HTTP request, batch or not."""
        params = await forms.parameters(request)
        version, path = request.path_params["version"], request.path_params.get("path", "").strip("/")
        if path == "dialog/oauth":
            return await self._dialog(request, params)
        call = Call(
            request.method,
            version,
            path,
            params,
            str(request.base_url).rstrip("/"),
            request.headers.get("authorization", "").partition(" ")[2],
            await self.world.catch_up(),
        )
        if request.method == "POST" and not path and "batch" in params:
            return await self._batch(call)
        return await self._one(call)

    async def _one(self, call: Call, batch_seq: int | None = None) -> Reply:
        entry = self.requests.open(call.method, call.path, call.params, batch_seq)
        call.fault = self.script.take(_seen(call, in_batch=batch_seq is not None))
        return await scripted.answer(call.fault, entry, lambda: self._answered(call))

    async def _answered(self, call: Call) -> Reply:
        try:
            status, body = 200, msgspec.json.encode(self.graph.answer(call))
        except GraphError as exc:
            status, body = exc.status, exc.body()
        except Exception:  # noqa: BLE001 - the boundary: a mistake of ours is logged and looks like one of Meta's
            log("fault_of_ours", path=call.path, trace=traceback.format_exc())
            status, body = 500, unknown_error().body()
        headers = self.usage.headers(call.account_id, is_insights=call.is_insights)
        return Reply(status, body, {"facebook-api-version": call.version, **headers})

    async def _batch(self, call: Call) -> Reply:
        entry = self.requests.open("POST", "", call.params)
        call.fault = self.script.take(Seen("", "POST"))
        return await scripted.answer(call.fault, entry, lambda: self._parts(call, entry.seq))

    async def _parts(self, call: Call, seq: int) -> Reply:
        try:
            answers = [await self._part(call, part, seq) for part in batch.parts(call.params["batch"])]
        except GraphError as exc:
            return Reply(exc.status, exc.body(), self.usage.headers("", is_insights=False))
        return Reply(200, msgspec.json.encode(answers), self.usage.headers("", is_insights=False))

    async def _part(self, outer: Call, part: batch.Part, seq: int) -> dict[str, Any] | None:
        path, params = part.path_and_params()
        for name in ("access_token", "appsecret_proof"):
            if name in outer.params:
                params.setdefault(name, outer.params[name])
        call = Call(part.method.upper(), outer.version, path, params, outer.base_url, outer.bearer, outer.now)
        reply = await self._one(call, seq)
        if reply.hang is not None or (call.fault is not None and call.fault.kind == "null_in_batch"):
            return None  # how Meta says that this call of the batch timed out
        return batch.part_answer(reply.status, {"Content-Type": reply.content_type, **reply.headers}, reply.body)

    async def _dialog(self, request: Request, params: dict[str, str]) -> Response:
        entry = self.requests.open(request.method, "dialog/oauth", params)
        ask = dialog.read(params)
        answer = dialog.fault(ask, self.graph.app)
        if answer is None and request.method == "POST":
            form = await request.form()
            answer = dialog.decide(
                ask,
                allowed=form.get("decision") == "allow",
                granted=forms.chosen(form, "granted"),
                codes=self.codes,
            )
        if answer is None:
            now = await self.world.catch_up()
            answer = dialog.consent(ask, self.world.living("meta", now))
        entry.status = answer.status_code
        return answer


def _seen(call: Call, *, in_batch: bool) -> Seen:
    edge = call.path.rpartition("/")[2]
    try:
        page = paging.decode(call.params.get("after", "")).page
    except GraphError:
        page = 1
    is_insights = edge == "insights"
    level = call.params.get("level", "account" if call.path.startswith("act_") and is_insights else "")
    creates_job = is_insights and call.method == "POST"
    return Seen(call.path, call.method, level or _LEVELS.get(edge, ""), page, creates_job, in_batch)
