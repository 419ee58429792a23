"""Google Ads over gRPC: SearchStream, Search and ListAccessibleCustomers, with the faults of the script in them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import traceback
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

import grpc

from infra.sandbox.faults import Fault, Script, Seen
from infra.sandbox.google import auth, errors, messages, rows, tls
from infra.sandbox.google.customers import Customers
from infra.sandbox.google.errors import GoogleError
from infra.sandbox.google.nodes import Manager, Node
from infra.sandbox.google.plan import plan
from infra.sandbox.jsonlog import log
from infra.sandbox.requestlog import Request, RequestLog
from infra.sandbox.tokens import Tokens
from infra.sandbox.world import World

# Rows of a chunk of a stream, and of a page.
CHUNK = 10_000
_LEVELS = {"customer": "account", "campaign": "campaign", "ad_group": "adgroup", "ad_group_ad": "ad"}
_REQUEST_ID = "request-id"


class _Call:
    """A request under way."""

    def __init__(self, context: Any, entry: Request, fault: Fault | None, now: Any) -> None:
        self.context = context
        self.entry = entry
        self.fault = fault
        self.now = now
        self.request_id = secrets.token_urlsafe(16)

    @property
    def breaks_after(self) -> int | None:
        """The rows that still go out before the scripted error; None where there is none."""
        return self.fault.after if self.fault is not None and self.fault.kind in {"grpc_error", "hang"} else None

    @property
    def chunk(self) -> int:
        return self.fault.rows if self.fault is not None and self.fault.kind == "small_chunks" else CHUNK

    @property
    def pause_s(self) -> float:
        """Seconds between two chunks."""
        return self.fault.seconds if self.fault is not None and self.fault.kind == "small_chunks" else 0

    async def end(self, error: GoogleError) -> None:
        """Send the error; never returns."""
        status = grpc.StatusCode[error.status]
        self.entry.status = int(status.value[0])
        metadata: list[tuple[str, str | bytes]] = [(_REQUEST_ID, self.request_id)]
        failure = error.failure(self.request_id)
        if failure is not None:
            metadata.append((messages.FAILURE_KEY, failure))
        await self.context.abort(status, error.message, tuple(metadata))

    async def meet(self) -> None:
        """The scripted fault itself, once its rows are out."""
        if self.fault is None:
            return
        if self.fault.kind == "hang":
            await asyncio.sleep(self.fault.seconds)
            await self.end(GoogleError("UNAVAILABLE", "", "Socket closed"))
        await self.end(errors.scripted(self.fault.error))


class Service:
    """The handlers. One event loop serves these and the pages of the sandbox, so nothing here is locked."""

    def __init__(self, world: World, tokens: Tokens, *, script: Script, requests: RequestLog) -> None:
        self.world = world
        self.tokens = tokens
        self.script = script
        self.requests = requests
        self.customers = Customers(world)

    async def search_stream(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Chunks of rows until there are none; a broken stream breaks where the script says."""
        call = await self._open("GoogleAdsService/SearchStream", request, context)
        left = call.breaks_after
        if left == 0:
            await call.meet()
        found, names = await self._answer(call, request)
        while chunk := list(islice(found, call.chunk if left is None else min(call.chunk, left))):
            made = messages.StreamResponse(results=chunk, request_id=call.request_id)
            made.field_mask.paths.extend(names)
            yield made
            # Let others be served between two chunks.
            await asyncio.sleep(call.pause_s)
            if left is not None:
                left -= len(chunk)
                if left == 0:
                    break
        if left is not None:
            await call.meet()
        await self._good(call)

    async def search(self, request: Any, context: Any) -> Any:
        """One page of 10,000 rows."""
        call = await self._open("GoogleAdsService/Search", request, context)
        if call.breaks_after is not None:
            await call.meet()
        if request.page_size:
            await call.end(
                GoogleError(
                    errors.INVALID,
                    "request_error.PAGE_SIZE_NOT_SUPPORTED",
                    "Setting the page size is not supported. Search responses have a fixed page size of '10000' rows.",
                )
            )
        start = await self._start(call, request)
        found, names = await self._answer(call, request)
        rest = iter(islice(found, start, None))
        page = list(islice(rest, call.chunk))
        made = messages.SearchResponse(results=page)
        made.field_mask.paths.extend(names)
        more = sum(1 for _ in rest)
        if more:
            made.next_page_token = _page_token(request, start + len(page))
        if request.search_settings.return_total_results_count:
            made.total_results_count = start + len(page) + more
        await self._good(call)
        return made

    async def accessible(self, request: Any, context: Any) -> Any:
        """The accounts that the person was added to. `login-customer-id` changes nothing here."""
        call = await self._open("CustomerService/ListAccessibleCustomers", request, context)
        if call.breaks_after is not None:
            await call.meet()
        try:
            caller = auth.authorize(self.tokens, _metadata(context), call.now)
        except GoogleError as error:
            await call.end(error)
            raise
        made = messages.AccessibleResponse()
        made.resource_names.extend(f"customers/{one}" for one in self.customers.accessible(caller))
        await self._good(call)
        return made

    async def _open(self, path: str, request: Any, context: Any) -> _Call:
        now = await self.world.catch_up()
        metadata = _metadata(context)
        params = {name: str(getattr(request, name, "")) for name in ("customer_id", "query", "page_token")}
        params["login_customer_id"] = metadata.get("login-customer-id", "")
        entry = self.requests.open("GRPC", path, {name: value for name, value in params.items() if value})
        start = _offset(request)
        fault = self.script.take(
            Seen(
                path, "GRPC", _LEVELS.get(_resource(params["query"]), ""),
                1 + (start or 0) // CHUNK, params="\n".join(params.values()),
            )
        )  # fmt: skip
        entry.fault = fault.kind if fault else None
        if fault is not None and fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        return _Call(context, entry, fault, now)

    async def _answer(self, call: _Call, request: Any) -> tuple[Iterator[Any], tuple[str, ...]]:
        try:
            return self._rows(call, request)
        except GoogleError as error:
            await call.end(error)
            raise
        except Exception:  # the boundary: a mistake of ours is logged and looks like one of Google's
            log("fault_of_ours", query=request.query, trace=traceback.format_exc())
            await call.end(GoogleError(errors.INTERNAL, "internal_error.INTERNAL_ERROR", "An internal error."))
            raise

    def _rows(self, call: _Call, request: Any) -> tuple[Iterator[Any], tuple[str, ...]]:
        caller = auth.authorize(self.tokens, _metadata(call.context), call.now)
        customer = self.customers.customer(caller, request.customer_id)
        is_manager = isinstance(customer, Manager)
        today = call.now.date() if isinstance(customer, Manager) else customer.today(call.now)
        wanted = plan(request.query, today)
        if is_manager and (wanted.wants_metrics or wanted.query.has("segments")):
            raise errors.query(
                "REQUESTED_METRICS_FOR_MANAGER",
                "Metrics cannot be requested for a manager account. To retrieve metrics, issue separate requests "
                "against each client account under the manager account.",
            )
        if wanted.query.resource == "customer_client":
            nodes = self.customers.client_nodes(caller, customer)
        elif isinstance(customer, Manager):
            nodes = [Node(customer, call.now)] if wanted.query.resource == "customer" else []
        else:
            nodes = rows.nodes_of(customer, wanted.query.resource, call.now)
        return rows.rows(wanted, nodes, call.now), wanted.query.fields

    @staticmethod
    async def _start(call: _Call, request: Any) -> int:
        start = _offset(request)
        if start is None:
            await call.end(GoogleError(errors.INVALID, "request_error.INVALID_PAGE_TOKEN", "Invalid page token."))
        return start or 0

    @staticmethod
    async def _good(call: _Call) -> None:
        call.entry.status = 0
        call.context.set_trailing_metadata(((_REQUEST_ID, call.request_id),))


def server(service: Service, host: str, port: int, identity: tls.Identity) -> Any:
    """A server that is not started yet."""
    made = grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 64 << 20)])
    made.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                messages.ADS_SERVICE,
                {
                    "SearchStream": grpc.unary_stream_rpc_method_handler(
                        service.search_stream, messages.StreamRequest.FromString, _bytes
                    ),
                    "Search": grpc.unary_unary_rpc_method_handler(
                        service.search, messages.SearchRequest.FromString, _bytes
                    ),
                },
            ),
            grpc.method_handlers_generic_handler(
                messages.CUSTOMER_SERVICE,
                {
                    "ListAccessibleCustomers": grpc.unary_unary_rpc_method_handler(
                        service.accessible, messages.AccessibleRequest.FromString, _bytes
                    )
                },
            ),
        )
    )
    credentials = grpc.ssl_server_credentials([(identity.key, identity.certificate)])
    if made.add_secure_port(f"{host}:{port}", credentials) != port:
        raise OSError(f"port {port} of {host} is taken; set ADLOOM_SANDBOX_GOOGLE_PORT to a free one")
    return made


def _bytes(message: Any) -> bytes:
    found: bytes = message.SerializeToString()
    return found


def _metadata(context: Any) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}


def _resource(query: str) -> str:
    words = query.split()
    names = [word.upper() for word in words]
    at = names.index("FROM") + 1 if "FROM" in names else len(words)
    return words[at] if at < len(words) else ""


def _page_token(request: Any, start: int) -> str:
    return base64.urlsafe_b64encode(f"{start}:{_digest(request)}".encode()).decode()


def _offset(request: Any) -> int | None:
    """Where a page begins; None for a token that does not belong to this query."""
    token = getattr(request, "page_token", "")
    if not token:
        return 0
    try:
        start, _, digest = base64.urlsafe_b64decode(token).decode().partition(":")
    except ValueError:
        return None
    return int(start) if digest == _digest(request) and start.isdigit() else None


def _digest(request: Any) -> str:
    return hashlib.sha256(f"{request.customer_id}\n{request.query}".encode()).hexdigest()[:16]
