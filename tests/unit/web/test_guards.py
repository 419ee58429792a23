"""Every route has a guard, and what a guard lets through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from adloom.errors import Forbidden, Unauthenticated
from adloom.identity.principal import Principal
from adloom.identity.roles import ROLES, Role, includes
from adloom.identity.scopes import SCOPES
from adloom.web import Guard, RequestModel
from adloom.web.counting import of_principal
from adloom.web.routes import RouteDefinitionError
from tests.unit.web.probe import Answer, anyone, probe

if TYPE_CHECKING:
    from flask.testing import FlaskClient


def member(role: str) -> Principal:
    return Principal("user", uuid4(), uuid4(), role, session_id=uuid4())  # type: ignore[arg-type]


def key(role: str, *scopes: str) -> Principal:
    return Principal("key", None, uuid4(), role, key_id=uuid4(), scopes=frozenset(scopes), per_minute=100)  # type: ignore[arg-type]


OPERATOR = Principal("operator", None, None, "owner")


class Loose(BaseModel):
    text: str


class Tight(RequestModel):
    text: str


def test_a_route_without_a_guard_cannot_be_defined() -> None:
    app = probe()

    with pytest.raises(TypeError):
        app.route_model("GET", "/open", summary="No guard")  # type: ignore[call-arg]
    with pytest.raises(RouteDefinitionError):
        app.route_model("GET", "/open", guard=None, summary="No guard")(lambda: None)  # type: ignore[arg-type]


def test_flasks_own_routes_are_closed() -> None:
    app = probe()

    with pytest.raises(RouteDefinitionError):
        app.route("/open")(lambda: "open")
    with pytest.raises(RouteDefinitionError):
        app.get("/open")(lambda: "open")
    with pytest.raises(RouteDefinitionError):
        app.add_url_rule("/open", "open", lambda: "open")
    assert app.test_client().get("/open").status_code == 404


def test_a_body_that_accepts_unknown_fields_cannot_be_defined() -> None:
    def take(body: Loose) -> Answer:
        return Answer(heard=body.text)

    with pytest.raises(RouteDefinitionError, match="Loose"):
        probe().route_model("POST", "/loose", guard=anyone(), summary="Loose")(take)


def test_an_argument_that_means_nothing_cannot_be_defined() -> None:
    def take(text: Tight) -> Answer:
        return Answer(heard=text.text)

    with pytest.raises(RouteDefinitionError, match="text"):
        probe().route_model("POST", "/tight", guard=anyone(), summary="Tight")(take)


def test_a_public_route_knows_no_principal() -> None:
    def take(principal: Principal) -> Answer:
        return Answer(heard=principal.kind)

    with pytest.raises(RouteDefinitionError, match="principal"):
        probe().route_model("GET", "/who", guard=anyone(), summary="Who")(take)


def test_a_guarded_route_without_a_credential_is_closed(client: FlaskClient) -> None:
    answer = client.get("/private")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("place", [{"query_string": {"token": "adl_s_x"}}, {"headers": {"Cookie": "session=adl_s_x"}}])
def test_a_token_counts_only_in_its_header(client: FlaskClient, place: dict[str, Any]) -> None:
    answer = client.get("/private", **place)

    assert answer.get_json()["detail"].startswith("Send a session token")


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "Bearer ", "adl_s_x"])
def test_another_scheme_is_no_credential(client: FlaskClient, header: str) -> None:
    assert client.get("/private", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    ("held", "allowed"),
    [
        ("viewer", {"viewer"}),
        ("editor", {"viewer", "editor"}),
        ("approver", {"viewer", "approver"}),
        ("admin", {"viewer", "editor", "approver", "admin"}),
        ("owner", set(ROLES)),
        ("superuser", set()),
        (None, set()),
    ],
)
def test_what_each_role_includes(held: str | None, allowed: set[Role]) -> None:
    assert {role for role in ROLES if includes(held, role)} == allowed


def test_a_role_that_does_not_suffice_is_forbidden() -> None:
    Guard.role("editor").admit(member("admin"))

    with pytest.raises(Forbidden):
        Guard.role("editor").admit(member("viewer"))
    with pytest.raises(Forbidden):
        Guard.role("approver").admit(member("editor"))
    with pytest.raises(Forbidden):
        Guard.role("viewer").admit(member("unheard-of"))


@pytest.mark.parametrize("guard", [Guard.session(), Guard.role("viewer"), Guard.operator()])
def test_every_guard_but_public_fails_closed(guard: Guard) -> None:
    with pytest.raises(Unauthenticated):
        guard.admit(None)


def test_the_operator_passes_every_guard_and_an_owner_not_the_operators() -> None:
    for guard in (Guard.session(), Guard.role("owner"), Guard.operator()):
        guard.admit(OPERATOR)

    with pytest.raises(Forbidden):
        Guard.operator().admit(member("owner"))


def test_a_session_suffices_for_a_session_guard() -> None:
    Guard.session().admit(member("viewer"))


def test_a_key_passes_with_the_scope_and_the_role() -> None:
    guard = Guard.role("editor", scope="runs:write")

    guard.admit(key("editor", "runs:write"))
    guard.admit(key("owner", "members:read", "runs:write"))
    guard.admit(member("editor"))

    with pytest.raises(Forbidden, match=r"lacks the scope runs:write") as lacking:
        guard.admit(key("owner", "members:read", "connections:read"))
    assert lacking.value.code == "scope_missing"
    with pytest.raises(Forbidden, match=r"the role editor") as lower:
        guard.admit(key("viewer", "runs:write"))
    assert lower.value.code == "forbidden"


@pytest.mark.parametrize(
    "guard",
    [
        Guard.session(),
        Guard.session(fresh=True),
        Guard.role("viewer"),
        Guard.role("viewer", fresh=True),
        Guard.operator(),
    ],
)
def test_a_key_passes_no_guard_without_a_scope(guard: Guard) -> None:
    with pytest.raises(Forbidden) as refused:
        guard.admit(key("owner", *SCOPES))

    assert refused.value.code == "scope_missing"


def test_a_route_that_asks_for_a_new_proof_cannot_be_opened_to_keys() -> None:
    with pytest.raises(ValueError, match="cannot prove"):
        Guard.role("admin", fresh=True, scope="members:read")
    with pytest.raises(ValueError, match="role alone"):
        Guard("session", scope="members:read")


def test_a_key_is_counted_for_itself_and_never_without_the_store() -> None:
    one, other = key("viewer"), key("viewer")

    name, limit, counted = of_principal(one)

    assert (limit.count, limit.seconds, counted) == (100, 60, "strict")
    assert name not in (of_principal(other)[0], of_principal(member("viewer"))[0], of_principal(OPERATOR)[0])
