"""Auth answers what its description says, whatever is sent that the description allows or forbids."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args
from unittest.mock import patch
from uuid import uuid4

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.config import GenerationConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from adloom.db import Database
from adloom.identity import operator_keys, sessions
from adloom.identity.policy import SessionSettings
from adloom.identity.proof import Proven
from adloom.identity.scopes import SCOPES
from adloom.identity.tokens import new_key_token, token_hash
from adloom.mail.sender import Postbox
from adloom.web.authentication import ORGANISATION_HEADER
from adloom.web.openapi import describe
from functions.auth.handler import AuthSettings, app
from tests.integration.cast import Person, auth_settings, cheap_hashes, person
from tests.integration.routes_rig import NEW_KEY

if TYPE_CHECKING:
    from adloom.web.limits import Limit
    from adloom.web.routes import Route
    from tests.conftest import Postgres

OPERATOR_KEY = "adl_o_the-operators-key-of-this-test"


class Unlimited:
    """The limits have tests of their own."""

    def hit(self, _key: str, _limit: Limit) -> float | None:
        return None


def load() -> Any:
    """The description without credentials: the test brings good ones, so that requests get past the guards."""
    document = describe(app)
    for operation in operations(document):
        operation["security"] = []
        operation["parameters"] = [each for each in operation["parameters"] if each["in"] != "header"]
    # A NUL is legal JSON and no legal text of Postgres; it is refused, and tested elsewhere.
    config = SchemathesisConfig()
    config.projects.default.generation = GenerationConfig(allow_x00=False)
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = app
    return schema


def path_of(route: Route) -> str:
    """The path as the description writes it."""
    return route.path.replace("<", "{").replace(">", "}")


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


SCHEMA = load()
DESCRIBED: dict[str, Any] = describe(app)["paths"]
ALL = [(path, method) for path, methods in DESCRIBED.items() for method in methods]
WITH_BODY = [(path, method) for path, method in ALL if "requestBody" in DESCRIBED[path][method]]
GUARDS = {(path_of(route), route.method.lower()): route.guard for route in app.routes}
# No schema can say which passwords are common, nor that an address is nobody's yet.
REFUSES_SOME_PASSWORDS = {("/setup", "post"), ("/users", "post")}

# Cases for each of the four ways to come, over all operations: the full count is 2,000.
CASES = int(os.environ.get("ADLOOM_SCHEMATHESIS_CASES", "300"))
SEED = int(os.environ.get("ADLOOM_SCHEMATHESIS_SEED", "1"))
# Some operations have fewer different requests than this; the others make up for them.
OF_EACH = math.ceil(2 * CASES / (len(ALL) + len(WITH_BODY)))

Way = Literal["nobody", "session", "key", "operator"]
WAYS: tuple[Way, ...] = get_args(Way)
made: Counter[Way] = Counter()


@dataclass(frozen=True)
class House:
    """An organisation with an owner; `headers` are those of somebody who comes in one of the ways."""

    auth: Database
    admin: psycopg.Connection[Any]
    owner: Person

    def headers(self, way: Way) -> dict[str, str]:
        """A session and a key are new each time: one request may end them."""
        token = {"nobody": lambda: "", "session": self._session, "key": self._key, "operator": lambda: OPERATOR_KEY}[
            way
        ]()
        named = {ORGANISATION_HEADER: str(self.owner.org_id)} if way == "operator" else {}
        return named | ({"Authorization": f"Bearer {token}"} if token else {})

    def _session(self) -> str:
        who = Proven(self.owner.user_id, self.owner.org_id)
        with self.auth.tenant(who.org_id) as connection:
            return sessions.begin(connection, who, SessionSettings(), sessions.Arrival(), ["password"]).token

    def _key(self) -> str:
        token = new_key_token()[0]
        values = (uuid4(), self.owner.org_id, self.owner.user_id, token_hash(token), list(SCOPES), "owner")
        self.admin.execute(NEW_KEY, values)
        return token


@pytest.fixture(scope="module")
def house(postgres: Postgres) -> Iterator[House]:
    auth = Database(postgres.url("auth"), pool_size=3)
    told = auth_settings(postgres.url("auth"), OPERATOR_KEY, registration="on", mail_from="a@example.com", mail_key="x")
    app.use(AuthSettings(**told), auth)
    operator_keys.register(auth, OPERATOR_KEY, "deployment")
    org_id = uuid4()
    with ExitStack() as stack:
        stack.enter_context(cheap_hashes())
        # Mails stay in the outbox.
        for way_out in ("wake", "send_due"):
            stack.enter_context(patch.object(Postbox, way_out, lambda _self: None))
        stack.enter_context(patch.object(app, "limiter", Unlimited()))
        admin = stack.enter_context(psycopg.connect(postgres.admin_url, autocommit=True))
        admin.execute("insert into organisations (org_id, name) values (%s, 'Acme')", (org_id,))
        yield House(auth, admin, person(auth, org_id, "owner", "owner"))
    auth.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("path", "method"), ALL)
def test_what_the_description_allows_gets_an_answer_it_names(house: House, path: str, method: str, way: Way) -> None:
    left_out = [positive_data_acceptance] if (path, method) in REFUSES_SOME_PASSWORDS else []
    check(house, path, method, way, GenerationMode.POSITIVE, left_out)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("path", "method"), WITH_BODY)
def test_what_the_description_forbids_is_refused(house: House, path: str, method: str, way: Way) -> None:
    check(house, path, method, way, GenerationMode.NEGATIVE)


def test_there_were_as_many_cases_as_were_asked_for() -> None:
    assert set(made) == set(WAYS), "run the whole module"
    print(dict(made))  # noqa: T201 - for whoever runs the full count
    assert all(count >= CASES for count in made.values()), made


def check(house: House, path: str, method: str, way: Way, mode: GenerationMode, left_out: Sequence[Any] = ()) -> None:
    cases: SearchStrategy[schemathesis.Case[Any]] = SCHEMA[path][method].as_strategy(generation_mode=mode)

    @seed(SEED)
    @settings(max_examples=OF_EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def each(case: schemathesis.Case[Any]) -> None:
        made[way] += 1
        answer = case.call_and_validate(
            base_url="http://localhost", headers=house.headers(way), excluded_checks=list(left_out)
        )
        closed(path, method, way, answer.status_code, answer.json() if answer.status_code in (401, 403) else {})

    each()


def closed(path: str, method: str, way: Way, status: int, body: dict[str, Any]) -> None:
    """Whatever is sent: nobody gets past a guard, and no key past one without its scope."""
    guard = GUARDS[path, method]
    if not guard.is_public and way == "nobody":
        assert (status, body.get("code")) == (401, "unauthenticated")
    if not guard.is_public and way == "key" and guard.scope is None:
        assert (status, body.get("code")) == (403, "scope_missing")
    if not guard.is_public and way in ("session", "operator"):
        assert status != 401
