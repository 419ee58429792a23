"""The OpenAPI 3.1 description of a function, from its routes and their models."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from flask import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from adloom import __version__
from adloom.identity.scopes import MEANINGS
from adloom.web.authentication import ORGANISATION_HEADER
from adloom.web.problems import CONTENT_TYPE, Problem
from adloom.web.public import OPENAPI

if TYPE_CHECKING:
    from adloom.web.function import Function
    from adloom.web.guards import Guard
    from adloom.web.routes import Route

_REF = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"<([a-z_]+)>")

_EVERYWHERE = {429: "A limit is used up; Retry-After says when", 500: "A fault on our side", 503: "Try again later"}
_GUARDED = {401: "No credential, or one that has ended", 403: "The role or the key's scopes do not suffice"}
_WITH_INPUT = {400: "The request cannot be read", 422: "Fields are wrong; fields lists them"}
_WITH_BODY = {413: "The body is too large", 415: "The body is no application/json"}


def add(app: Function[Any]) -> None:
    """Add `/openapi.json`. The description is made at the first request for it."""
    made: dict[str, bytes] = {}

    @app.public(OPENAPI, summary="This description")
    def openapi() -> Response:
        if "json" not in made:
            made["json"] = json.dumps(describe(app), ensure_ascii=False, separators=(",", ":")).encode()
        return Response(made["json"], content_type="application/json")


def describe(app: Function[Any]) -> dict[str, Any]:
    """The description as a JSON-able dict."""
    inputs = {model for route in app.routes for model in (route.body, route.query) if model is not None}
    outputs = {route.response for route in app.routes if route.response is not None} | {Problem}
    ordered = [(model, "validation") for model in sorted(inputs, key=_name)]
    ordered += [(model, "serialization") for model in sorted(outputs, key=_name)]
    schemas, definitions = models_json_schema(ordered, ref_template=_REF)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for route in app.routes:
        operation = _operation(route, schemas, definitions.get("$defs", {}))
        paths.setdefault(_PATH_PARAMETER.sub(r"{\1}", route.path), {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Adloom: {app.name}", "version": __version__},
        "servers": [{"url": f"/function/{app.name}"}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": _security_schemes(app),
        },
    }


def _security_schemes(app: Function[Any]) -> dict[str, Any]:
    """Both go as `Authorization: Bearer`; what names a scope beside `key` asks for it (OpenAPI 3.1 calls it a role)."""
    schemes = {"bearer": {"type": "http", "scheme": "bearer", "description": "A session's token or an operator key"}}
    used = sorted({route.guard.scope for route in app.routes if route.guard.scope})
    if used:
        scopes = "".join(f"\n- `{scope}`: {MEANINGS[scope].description}" for scope in used)
        text = f"An API key, `adl_k_...`, that has the scope that the route names.\n{scopes}"
        schemes["key"] = {"type": "http", "scheme": "bearer", "description": text}
    return schemes


def _operation(route: Route, schemas: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "description": _who(route.guard),
        "operationId": route.handler.__name__,
        "parameters": _parameters(route, schemas, definitions),
        "responses": {str(route.status): _success(route, schemas), **_problems(route)},
        "security": _security(route.guard),
    }
    if route.body is not None:
        content = {"application/json": {"schema": schemas[route.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _security(guard: Guard) -> list[dict[str, list[str]]]:
    """Any one of these."""
    if guard.is_public:
        return []
    ways: list[dict[str, list[str]]] = [{"bearer": []}]
    return [*ways, {"key": [guard.scope]}] if guard.scope else ways


def _who(guard: Guard) -> str:
    """Who may call, in words."""
    if guard.is_public:
        return f"Public: {guard.reason}."
    keys = f"An API key needs the scope `{guard.scope}`." if guard.scope else "Not open to API keys."
    if guard.kind == "operator":
        return "Needs an operator key."
    if guard.needed:
        return f"Needs the role {guard.needed}, or an operator key. {keys}"
    return f"Needs a session. {keys}"


def _parameters(route: Route, schemas: Any, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": adapter.json_schema()}
        for name, adapter in route.parameters.items()
    ]
    if route.query is not None:
        schema = definitions[schemas[route.query, "validation"]["$ref"].rpartition("/")[2]]
        parameters += [
            {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": part}
            for name, part in schema["properties"].items()
        ]
    if not route.guard.is_public:
        what = "The organisation's id; the operator needs it where there are several"
        parameters.append(
            {
                "name": ORGANISATION_HEADER,
                "in": "header",
                "required": False,
                "description": what,
                "schema": {"type": "string", "format": "uuid"},
            }
        )
    return parameters


def _success(route: Route, schemas: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": route.summary}
    if route.response is not None:
        answer["content"] = {route.produces: {"schema": schemas[route.response, "serialization"]}}
    elif route.status != 204:  # noqa: PLR2004
        answer["content"] = {kind: {} for kind in route.produces.split(", ")}
    return answer


def _problems(route: Route) -> dict[str, Any]:
    statuses = dict(_EVERYWHERE)
    if not route.guard.is_public:
        statuses |= _GUARDED | {400: _WITH_INPUT[400], 404: "There is no such thing here"}
    if route.parameters:
        statuses |= _WITH_INPUT | {404: "There is no such thing here"}
    if route.query is not None:
        statuses |= _WITH_INPUT
    if route.body is not None:
        statuses |= _WITH_INPUT | _WITH_BODY
    for status in route.problems:
        statuses.setdefault(status, "See the problem's code")
    content = {CONTENT_TYPE: {"schema": {"$ref": _REF.format(model=Problem.__name__)}}}
    return {str(status): {"description": text, "content": content} for status, text in sorted(statuses.items())}


def _name(model: type[BaseModel]) -> str:
    return model.__qualname__
