"""Auth answers what its description says, whatever is sent that the description allows or forbids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.config import GenerationConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from adloom.identity import operator_keys
from adloom.web.authentication import ORGANISATION_HEADER
from adloom.web.openapi import describe
from functions.auth.handler import AuthSettings, app
from tests.integration.cast import Connect, MakeOrganisation, auth_settings, cheap_hashes

if TYPE_CHECKING:
    from adloom.web.limits import Limit
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


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


SCHEMA = load()
# No schema can say which passwords are common.
REFUSES_SOME_PASSWORDS = {("/setup", "post"), ("/users", "post")}
ALL = [(path, method) for path, methods in describe(app)["paths"].items() for method in methods]
WITH_BODY = [(path, method) for path, method in ALL if "requestBody" in describe(app)["paths"][path][method]]


@pytest.fixture
def operators_organisation(
    postgres: Postgres, connect: Connect, make_organisation: MakeOrganisation, monkeypatch: pytest.MonkeyPatch
) -> UUID:
    auth = connect("auth")
    app.use(AuthSettings(**auth_settings(postgres.url("auth"), OPERATOR_KEY)), auth)
    monkeypatch.setattr(app, "limiter", Unlimited())
    operator_keys.register(auth, OPERATOR_KEY, "deployment")
    return make_organisation("Acme")


@pytest.mark.parametrize(("path", "method"), ALL)
def test_what_the_description_allows_gets_an_answer_it_names(
    operators_organisation: UUID, path: str, method: str
) -> None:
    left_out = [positive_data_acceptance] if (path, method) in REFUSES_SOME_PASSWORDS else []
    check(SCHEMA[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE), operators_organisation, left_out)


@pytest.mark.parametrize(("path", "method"), WITH_BODY)
def test_what_the_description_forbids_is_refused(operators_organisation: UUID, path: str, method: str) -> None:
    check(SCHEMA[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE), operators_organisation)


def check(cases: SearchStrategy[schemathesis.Case[Any]], org_id: UUID, left_out: Sequence[Any] = ()) -> None:
    headers = {"Authorization": f"Bearer {OPERATOR_KEY}", ORGANISATION_HEADER: str(org_id)}

    @hypothesis_settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def each(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(base_url="http://localhost", headers=headers, excluded_checks=list(left_out))

    with cheap_hashes():
        each()
