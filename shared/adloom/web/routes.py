"""A route: what its handler's signature says, and how a request becomes the handler's arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, get_type_hints

from flask import Request, Response
from pydantic import BaseModel, TypeAdapter, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from adloom.errors import InvalidRequest, ValidationFailed
from adloom.identity.principal import Principal
from adloom.web import body, strict_json
from adloom.web.guards import Guard
from adloom.web.models import ForeignQuery, RequestModel

_PATH_PARAMETER = re.compile(r"<([a-z_]+)>")
_NO_BODY = 204


class RouteDefinitionError(TypeError):
    """A route's handler or guard does not fit; raised when the function is defined."""


@dataclass(frozen=True)
class Route:
    """One method and path. `path` is Flask's, with plain parameters: `/users/<user_id>`."""

    method: str
    path: str
    guard: Guard
    summary: str
    status: int
    handler: Callable[..., Any]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    parameters: dict[str, TypeAdapter[Any]] = field(default_factory=dict)
    wants_principal: bool = False
    response: type[BaseModel] | None = None
    produces: str = "application/json"  # several with a comma between
    problems: tuple[int, ...] = ()

    @property
    def endpoint(self) -> str:
        return f"{self.method} {self.path}"

    def arguments(self, request: Request, path_values: dict[str, str], principal: Principal | None) -> dict[str, Any]:
        """The handler's arguments; ValidationFailed lists every wrong field of path, query and body at once."""
        values: dict[str, Any] = {}
        faults: list[dict[str, str]] = []
        readers: dict[str, Callable[[], Any]] = {
            name: partial(_read_parameter, adapter, path_values[name]) for name, adapter in self.parameters.items()
        }
        if self.query is not None:
            readers["query"] = partial(read_query, request, self.query)
        if self.body is not None:
            readers["body"] = partial(read_body, request, self.body)
        for name, read in readers.items():
            try:
                values[name] = read()
            except ValidationError as error:
                faults += explain(error, name)
        if faults:
            raise ValidationFailed(_sentence(faults), fields=faults)
        if self.wants_principal:
            values["principal"] = principal
        return values

    def respond(self, result: Any) -> Response:
        if isinstance(result, Response):
            return result
        if result is None and self.status == _NO_BODY:
            return Response(status=_NO_BODY)
        if not isinstance(result, BaseModel):
            raise TypeError(f"{self.endpoint} returned {type(result).__name__}, not a model")
        return Response(result.model_dump_json(by_alias=True), status=self.status, content_type="application/json")


def define(
    handler: Callable[..., Any],
    *,
    method: str,
    path: str,
    guard: Guard,
    summary: str,
    status: int,
    produces: str,
    problems: tuple[int, ...],
) -> Route:
    """Read the handler's signature; RouteDefinitionError where it does not fit."""
    if not isinstance(guard, Guard):
        raise RouteDefinitionError(f"{method} {path} has no guard")
    hints = get_type_hints(handler, include_extras=True)
    response = hints.pop("return", None)
    in_path = set(_PATH_PARAMETER.findall(path))
    names = set(inspect.signature(handler).parameters)
    if unknown := names - in_path - {"body", "query", "principal"}:
        raise RouteDefinitionError(f"{method} {path}: no argument is called {', '.join(sorted(unknown))}")
    if unused := in_path - names:
        raise RouteDefinitionError(f"{method} {path}: the handler does not take {', '.join(sorted(unused))}")
    if "principal" in names and guard.is_public:
        raise RouteDefinitionError(f"{method} {path}: a public route has no principal")
    return Route(
        method=method,
        path=path,
        guard=guard,
        summary=summary,
        status=status,
        handler=handler,
        body=_request_model(hints.get("body"), f"{method} {path}", (RequestModel,)),
        query=_request_model(hints.get("query"), f"{method} {path}", (RequestModel, ForeignQuery)),
        parameters={name: TypeAdapter(hints[name]) for name in sorted(in_path)},
        wants_principal="principal" in names,
        response=response if inspect.isclass(response) and issubclass(response, BaseModel) else None,
        produces=produces,
        problems=problems,
    )


def _read_parameter(adapter: TypeAdapter[Any], text: str) -> Any:
    return adapter.validate_python(_checked(text))


def read_body(request: Request, model: type[BaseModel]) -> BaseModel:
    """The body as the model: strict JSON of content type application/json."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    text = body.read(request)
    try:
        strict_json.parse(text)
    except strict_json.InvalidJsonError as error:
        raise InvalidRequest(f"The body is no JSON that is accepted here: {error}.", code="malformed_json") from None
    # Strict: a number is no text and a text no number, as the schema says.
    return model.model_validate_json(text, strict=True)


def read_query(request: Request, model: type[BaseModel]) -> BaseModel:
    """The query as the model. A parameter comes once, unless its field is a list."""
    values: dict[str, Any] = {}
    for name, given in request.args.lists():
        checked = [_checked(text) for text in given]
        field_info = model.model_fields.get(name)
        is_list = field_info is not None and str(field_info.annotation).startswith(("list", "tuple", "set"))
        if not is_list and len(checked) > 1:
            raise InvalidRequest(f"The query has {name[:64]!r} more than once.")
        values[name] = checked if is_list else checked[0]
    return model.model_validate(values)


def explain(error: ValidationError, root: str) -> list[dict[str, str]]:
    """One entry per wrong field. Never repeats the input: it may be a password."""
    return [
        {"field": ".".join([root, *map(str, fault["loc"])])[:200], "problem": fault["msg"]}
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _sentence(faults: list[dict[str, str]]) -> str:
    first = faults[0]
    more = f" And {len(faults) - 1} more, see fields." if len(faults) > 1 else ""
    return f"{first['field']}: {first['problem']}.{more}"


def _checked(text: str) -> str:
    try:
        strict_json.check_text(text)
    except strict_json.InvalidJsonError as error:
        raise InvalidRequest(f"The address cannot be read: {error}.") from None
    return text


def _request_model(hint: Any, where: str, bases: tuple[type[BaseModel], ...]) -> type[BaseModel] | None:
    if hint is None:
        return None
    if not (inspect.isclass(hint) and issubclass(hint, bases)):
        raise RouteDefinitionError(f"{where}: derive {hint} from {bases[0].__name__}, which refuses unknown fields")
    return hint
