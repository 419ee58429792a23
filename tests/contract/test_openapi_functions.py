"""Every function's interface: guarded, described truly, and closed to what it does not name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from adloom import settings
from adloom.web import Function
from adloom.web.openapi import describe
from adloom.web.public import EVERY_FUNCTION, PUBLIC_ROUTES, PublicRoute

FOLDERS = sorted(path.parent.name for path in Path(__file__).resolve().parents[2].glob("functions/*/handler.py"))


def load(folder: str) -> Function[Any]:
    app = importlib.import_module(f"functions.{folder}.handler").app
    assert isinstance(app, Function)
    return app


@pytest.fixture(params=FOLDERS)
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Function[Any]:
    """A function whose every setting is made up: nothing here gets as far as using one."""
    function = load(request.param)
    for name in function._settings_model.model_fields:
        if function._settings_model.model_fields[name].is_required():
            scheme = "postgresql" if name == "database_url" else "http"
            monkeypatch.setenv(f"ADLOOM_{name.upper()}", f"{scheme}://127.0.0.1:1")
    function.use(settings.load(function._settings_model, function.name))
    return function


def test_the_public_routes_are_those_of_the_list() -> None:
    found, defined = set(), set()
    for folder in FOLDERS:
        function = load(folder)
        for route in function.routes:
            defined.add((function.name, route.method, route.path))
            if route.guard.is_public:
                found.add((function.name, route.method, route.path, route.guard.reason, route.guard.limit))

    from adloom.web.limits import Limit

    listed = {
        (name, route.method, route.path, route.reason, Limit.parse(route.limit))
        for route in PUBLIC_ROUTES
        for name in names(route)
        if (name, route.method, route.path) in defined
    }
    assert found == listed


def names(route: PublicRoute) -> Iterator[str]:
    if route.function != EVERY_FUNCTION:
        yield route.function
    else:
        yield from (load(folder).name for folder in FOLDERS)


def test_no_listed_route_is_left_over() -> None:
    defined = {(load(folder).name, route.method, route.path) for folder in FOLDERS for route in load(folder).routes}

    for route in PUBLIC_ROUTES:
        assert any((name, route.method, route.path) in defined for name in names(route)), route


def test_nothing_answers_beside_the_guarded_routes(app: Function[Any]) -> None:
    """Every address that the router knows belongs to a route with a guard."""
    guarded = {(route.path, route.method) for route in app.routes}

    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD"}:
            assert (rule.rule, method) in guarded


def test_without_a_credential_every_other_route_is_closed(app: Function[Any]) -> None:
    closed = [route for route in app.routes if not route.guard.is_public]

    for route in closed:
        path = route.path.replace("<", "").replace(">", "")
        answer = app.test_client().open(path, method=route.method, json={})

        assert answer.status_code == 401, route.endpoint


def test_the_description_is_openapi_3_1(app: Function[Any]) -> None:
    document = describe(app)

    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == f"Adloom: {app.name}"
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
        assert name
    assert set(references(document)) <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item
            else:
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_every_operation_has_a_name_of_its_own_and_documents_its_problems(app: Function[Any]) -> None:
    operations = [each for path in describe(app)["paths"].values() for each in path.values()]

    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    for operation in operations:
        assert operation["summary"]
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"]


def test_no_request_accepts_what_it_does_not_name(app: Function[Any]) -> None:
    """Models inside a body refuse unknown fields too."""
    document = describe(app)
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            body = operation.get("requestBody")
            for reference in {*references(body)} if body else ():
                assert_closed(schemas, reference.rpartition("/")[2])


def assert_closed(schemas: dict[str, Any], name: str) -> None:
    schema = schemas[name]
    if "properties" in schema:
        assert schema.get("additionalProperties") is False, name
    for reference in references(schema):
        if reference != f"#/components/schemas/{name}":
            assert_closed(schemas, reference.rpartition("/")[2])


def test_the_description_is_served_to_anyone(app: Function[Any]) -> None:
    answer = app.test_client().get("/openapi.json", headers={"X-Forwarded-For": "203.0.113.77"})

    assert answer.get_json() == describe(app)
