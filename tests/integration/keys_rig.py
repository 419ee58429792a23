"""API keys under test: who makes them, what they ask for, all functions on one database."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

from adloom import logs
from adloom.db import Database
from adloom.identity.scopes import SCOPES
from functions.auth.handler import app
from functions.oauth_callback import handler as oauth_callback
from functions.sync_meta import handler as sync_meta
from tests.integration.auth_rig import admin, administrator, auth, client, org_id, owner, viewer
from tests.integration.cast import MFA_RING, Connect, MakeOrganisation, Person, common_settings, person

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Postgres

__all__ = ["admin", "administrator", "auth", "client", "functions", "log", "org_id", "outsider", "owner", "viewer"]


@pytest.fixture
def outsider(auth: Database, make_organisation: MakeOrganisation) -> Person:
    return person(auth, make_organisation("Other"), "outsider", "owner")


@pytest.fixture
def functions(client: FlaskClient, postgres: Postgres, connect: Connect) -> Iterator[None]:
    """The functions beside auth, with the same limits."""
    for name, other in (("oauth-callback", oauth_callback.app), ("sync-meta", sync_meta.app)):
        more = {"token_ring": MFA_RING, "meta_app_id": "1", "meta_app_secret": "x"}
        settings = common_settings(database_url=postgres.url(name), **more)
        other.use(other._settings_model(**settings), connect(name))  # type: ignore[attr-defined]
        other.limiter = app.limiter  # type: ignore[attr-defined]
    yield
    for other in (oauth_callback.app, sync_meta.app):
        other.limiter = None  # type: ignore[attr-defined]


@pytest.fixture
def log(client: FlaskClient) -> Iterator[io.StringIO]:
    """What the function logs, every level of it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("auth", app.settings())
    root.setLevel(logging.DEBUG)
    stream = io.StringIO()
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


@contextmanager
def served(**functions: Any) -> Iterator[str]:
    """The address at which functions answer as behind the gateway; `auth=app`."""
    mounted = {f"/function/{name.replace('_', '-')}": function for name, function in functions.items()}
    server = make_server("127.0.0.1", 0, DispatcherMiddleware(NotFound(), mounted), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask_for_key(client: FlaskClient, by: Person, **what: Any) -> Any:
    """A key with every scope, unless something else is said."""
    body = {"name": "Reporting", "scopes": list(SCOPES)} | what
    return client.post("/keys", json=body, headers=by.headers)


def make_key(client: FlaskClient, by: Person, **what: Any) -> dict[str, Any]:
    answer = ask_for_key(client, by, **what)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def bearer(key: dict[str, Any], **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key['token']}", **more}


def members(client: FlaskClient, key: dict[str, Any], **more: str) -> Any:
    """What needs the scope members:read and the role admin."""
    return client.get("/members", headers=bearer(key, **more))


def connections(key: dict[str, Any]) -> Any:
    """What needs the scope connections:read and the role viewer."""
    return oauth_callback.app.test_client().get("/connections", headers=bearer(key))


def runs(key: dict[str, Any], *accounts: int) -> Any:
    """What needs the scope runs:write and the role editor."""
    body = {"accounts": [str(account) for account in accounts]}
    return sync_meta.app.test_client().post("/runs", json=body, headers=bearer(key))


def listed(client: FlaskClient, by: Person, key: dict[str, Any]) -> dict[str, Any]:
    """How the list shows a key."""
    answer = client.get("/keys", headers=by.headers)
    assert answer.status_code == 200, answer.text
    [found] = [each for each in answer.get_json()["keys"] if each["key_id"] == key["key_id"]]
    return dict(found)


def everything(admin: psycopg.Connection[Any]) -> str:
    """All rows of all tables, as text."""
    tables = admin.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    rows = [admin.execute(f"select t::text from {table} t").fetchall() for (table,) in tables]  # type: ignore[arg-type]
    return str(rows)
