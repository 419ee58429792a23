"""Connections from their first log-in to their end: PKCE, accounts by choice, two people, prolonging, warnings."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adloom.connections import store
from adloom.connections.vault import Vault
from adloom.events import AccountsConnected, publish
from adloom.platforms.grant import Grant
from functions.oauth_callback.handler import app as callback_app
from tests.conftest import Postgres
from tests.integration.cast import person
from tests.integration.connections_rig import ACCOUNTS, NOON, PLATFORMS, RING, House, Team, World, world_in

NOW = datetime.fromisoformat(NOON)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("platforms")) as made:
        yield made


@pytest.fixture
def house(postgres: Postgres, world: World) -> Iterator[House]:
    world.sandbox.faults()
    made = House(postgres, world)
    yield made
    made.close()


@pytest.fixture
def team(house: House) -> Team:
    return house.organisation("Acme")


def rows(team: Team, query: str) -> list[dict[str, Any]]:
    return team.house.admin.execute(query, (team.org_id,)).fetchall()  # type: ignore[arg-type]


def works(team: Team, platform: str, token: str) -> bool:
    """Whether the platform still takes a token."""
    sandbox = team.house.world.sandbox
    login = {"google": "google_oauth", "meta": "meta_oauth", "tiktok": "tiktok_oauth"}[platform]
    from adloom.errors import ConnectionBroken
    from adloom.platforms import apps

    assert sandbox.url
    try:
        getattr(apps, login)(callback_app.settings()).inspect(token)
    except ConnectionBroken:
        return False
    return True


def test_google_is_asked_with_pkce_and_the_verifier_stays_here(team: Team) -> None:
    query = parse_qs(urlsplit(team.begin("google")).query)

    [state] = rows(team, "select verifier from oauth_states where org_id = %s")
    verifier = Vault(RING).decrypt(bytes(state["verifier"]))
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert (query["code_challenge"], query["code_challenge_method"]) == ([digest], ["S256"])
    assert verifier not in str(query)
    assert "code_challenge" not in team.begin("meta") + team.begin("tiktok")


def test_a_verifier_is_forgotten_when_it_was_used(team: Team) -> None:
    team.connect("google")

    [state] = rows(team, "select verifier, used_at is not null as used from oauth_states where org_id = %s")
    assert state == {"verifier": None, "used": True}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_who_wants_to_choose_is_asked_first_and_only_the_chosen_are_read(team: Team, platform: str) -> None:
    made = team.connect(platform, accounts="chosen")["connection_id"]
    team.house.settle()
    shown = team.detail(made)
    assert (shown["is_choice_open"], shown["chosen"], shown["accounts"]) == (True, 0, 2)
    assert (shown["trouble"]["code"], shown["trouble"]["remedy"]) == ("accounts_to_choose", "choose")
    assert set(team.synced_at().values()) == {None}

    first = next(one["account_id"] for one in shown["reached"] if one["external_id"] == ACCOUNTS[platform][0])
    shown = team.call("PUT", f"/connections/{made}/accounts", {"accounts": [first]})
    team.house.settle()

    assert (shown["is_choice_open"], shown["chosen"], shown["trouble"]) == (False, 1, None)
    assert {one for one, at in team.synced_at().items() if at} == {ACCOUNTS[platform][0]}


def test_only_accounts_of_the_connection_can_be_chosen(team: Team) -> None:
    mine, other = team.connect("meta")["connection_id"], team.connect("tiktok")["connection_id"]
    team.house.settle()
    foreign = team.detail(other)["reached"][0]["account_id"]

    refused = team.call("PUT", f"/connections/{mine}/accounts", {"accounts": [foreign]}, status=404)

    assert refused["code"] == "account_unknown"
    assert team.detail(other)["chosen"] == 2


def test_googles_manager_is_remembered_with_the_account(team: Team) -> None:
    made = team.connect("google")["connection_id"]
    team.house.settle()

    assert {one["login_id"] for one in team.detail(made)["reached"]} == {"9000000001"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_disconnecting_ends_the_grant_at_the_platform_and_keeps_the_numbers(team: Team, platform: str) -> None:
    made = team.connect(platform)["connection_id"]
    team.house.settle()
    token = team.token(made)
    query = "select count(*) as n from metrics where org_id = %s"
    [before] = rows(team, query)

    ended = team.call("DELETE", f"/connections/{made}")

    assert ended == {"at_platform": "revoked", "detail": None}
    assert not works(team, platform, token)
    assert rows(team, "select ciphertext from connection_tokens where org_id = %s") == []
    assert rows(team, query) == [before]
    shown = team.detail(made)
    assert (shown["status"], shown["trouble"], shown["accounts"]) == ("revoked", None, 2)
    assert team.call("DELETE", f"/connections/{made}", status=409)["code"] == "connection_ended"

    again = team.connect(platform, mends=made)["connection_id"]

    assert (again, team.detail(again)["accounts"]) == (made, 2)


@pytest.mark.parametrize(
    ("platform", "answer"), [("google", "kept_for_others"), ("tiktok", "kept_for_others"), ("meta", "revoked")]
)
def test_disconnecting_ends_nobody_elses_log_in_of_the_same_person(team: Team, platform: str, answer: str) -> None:
    neighbours = team.house.organisation("Neighbours")
    mine, theirs = team.connect(platform)["connection_id"], neighbours.connect(platform)["connection_id"]
    own = team.token(mine)

    assert team.call("DELETE", f"/connections/{mine}")["at_platform"] == answer

    assert works(team, platform, neighbours.token(theirs))
    assert works(team, platform, own) == (answer != "revoked")


def test_a_platform_that_does_not_answer_is_told_later(team: Team) -> None:
    made = team.connect("meta")["connection_id"]
    token = team.token(made)
    html = {"kind": "html_502"}
    team.house.world.sandbox.faults({"match": {"path": "me/permissions", "times": 1}, "fault": html})

    ended = team.call("DELETE", f"/connections/{made}")
    assert (ended["at_platform"], works(team, "meta", token)) == ("later", True)
    assert team.detail(made)["status"] == "revoked"

    team.house.tick("oauth-callback")

    assert not works(team, "meta", token)
    assert rows(team, "select ciphertext from connection_tokens where org_id = %s") == []


def another_person(team: Team, platform: str, token: str) -> str:
    """What the log-in of somebody else leaves, who sees the same accounts."""
    grant = Grant(token, "another-person", "Another Person", ("ads_read",), None)
    with callback_app.database().tenant(team.org_id) as connection:
        made = store.save(connection, Vault(RING), team.org_id, platform, grant)
        publish(connection, AccountsConnected(org_id=team.org_id, account_id=None, connection_id=made, platform="meta"))
    return str(made)


def test_an_account_that_two_people_reach_stays_with_the_first_and_goes_on_by_the_second(team: Team) -> None:
    first = team.connect("meta")["connection_id"]
    team.house.settle()
    second = another_person(team, "meta", team.house.world.sandbox.lasting())
    team.house.settle()
    assert (team.detail(first)["accounts"], team.detail(second)["accounts"]) == (2, 0)
    assert {one["read_by_name"] for one in team.detail(second)["reached"]} == {"Sandbox Person"}

    team.house.world.sandbox.control("POST", "tokens/revoke", {"token": team.token(first)})
    team.call("POST", f"/connections/{first}/check")

    old, new = team.detail(first), team.detail(second)
    assert (old["status"], old["accounts"], old["is_replaced"], old["trouble"]) == ("broken", 0, True, None)
    assert (new["accounts"], new["trouble"]) == (2, None)
    team.house.world.at(NOW + timedelta(hours=2))
    team.make_due()
    team.house.tick("sync-meta")
    team.house.settle()
    assert set(team.synced_at().values()) == {NOW + timedelta(hours=2)}


def test_a_check_finds_an_access_that_ended_and_one_that_works_again(team: Team) -> None:
    made = team.connect("meta")["connection_id"]
    team.house.admin.execute("update connections set status = 'broken' where connection_id = %s", (made,))

    assert team.call("POST", f"/connections/{made}/check")["status"] == "active"
    team.house.world.sandbox.control("POST", "tokens/revoke", {"token": team.token(made), "subcode": 460})
    broken = team.call("POST", f"/connections/{made}/check")

    assert (broken["status"], broken["trouble"]["remedy"]) == ("broken", "reconnect")


def test_metas_access_is_prolonged_by_itself_before_it_ends(team: Team) -> None:
    made = team.connect("meta")["connection_id"]
    before, ends = team.token(made), datetime.fromisoformat(team.detail(made)["token_expires_at"])

    team.house.world.at(ends - timedelta(days=21))
    team.house.tick("oauth-callback")
    assert team.token(made) == before
    team.house.world.at(ends - timedelta(days=19))
    team.house.tick("oauth-callback")

    shown = team.detail(made)
    assert team.token(made) != before
    assert datetime.fromisoformat(shown["token_expires_at"]) > ends + timedelta(days=30)
    assert shown["refreshed_at"] is not None
    assert mails(team) == []


def mails(team: Team) -> list[tuple[str, str]]:
    found = rows(team, "select address, data from mail_outbox where org_id = %s order by created_at, address")
    return [(row["address"], row["data"]["left"]) for row in found]


def test_administrators_are_warned_a_week_and_a_day_before_the_end_once_each(team: Team) -> None:
    made = team.connect("google")["connection_id"]
    person(team.house.auth, team.org_id, "viewer", "viewer")
    ends = NOW + timedelta(days=30)
    team.house.admin.execute("update connections set token_expires_at = %s where connection_id = %s", (ends, made))

    told = []
    for left in (8.0, 6.9, 6.0, 0.9, 0.5):
        team.house.world.at(ends - timedelta(days=left))
        team.house.tick("oauth-callback")
        team.house.tick("oauth-callback")
        told.append(len(mails(team)))

    assert told == [0, 1, 1, 2, 2]
    assert mails(team) == [(team.admin.email, "7 days"), (team.admin.email, "22 hours")]


def test_a_system_users_token_connects_and_a_persons_does_not(team: Team) -> None:
    sandbox = team.house.world.sandbox
    for_good = sandbox.system_user_token()

    made = team.call("POST", "/connections/tokens", {"token": for_good}, status=201)["connection_id"]
    team.house.settle()

    shown = team.detail(made)
    assert (shown["token_kind"], shown["token_expires_at"], shown["accounts"]) == ("system_user", None, 2)
    refused = team.call("POST", "/connections/tokens", {"token": sandbox.lasting()}, status=409)
    assert refused["code"] == "not_a_system_user"
    bad = team.call("POST", "/connections/tokens", {"token": "EAA" + "x" * 60}, status=409)
    assert bad["code"] == "token_invalid"


def test_a_system_users_token_of_sixty_days_is_prolonged(team: Team) -> None:
    token = team.house.world.sandbox.system_user_token(set_token_expires_in_60_days="true")
    made = team.call("POST", "/connections/tokens", {"token": token}, status=201)["connection_id"]
    ends = datetime.fromisoformat(team.detail(made)["token_expires_at"])

    team.house.world.at(ends - timedelta(days=10))
    team.house.tick("oauth-callback")

    shown = team.detail(made)
    assert datetime.fromisoformat(shown["token_expires_at"]) > ends + timedelta(days=40)
    assert shown["token_kind"] == "system_user"


def test_pages_and_accounts_are_subscribed_with_the_connection_and_unsubscribed_with_its_end(team: Team) -> None:
    """The rights to write come with a token that has them; the log-in asks for those of leads."""
    sandbox = team.house.world.sandbox
    query = parse_qs(urlsplit(team.begin("meta", extras=["leads"])).query)
    assert "leads_retrieval" in query["scope"][0].split(",")
    rights = f"{query['scope'][0]},ads_management"
    token = sandbox.system_user_token(rights)
    body = {"token": token, "extras": ["leads"]}
    made = team.call("POST", "/connections/tokens", body, status=201)["connection_id"]
    team.house.settle()

    team.house.tick("oauth-callback")

    told = {(one["target"], one["name"]): one["fields"] for one in team.detail(made)["subscriptions"]}
    assert told[("page", "Sandbox Shop")] == told[("page", "Sandbox Blog")] == ["leadgen"]
    assert [len(fields) for (target, _), fields in told.items() if target == "account"] == [2, 2]
    assert sandbox.get("act_11/subscribed_apps", token).json()["data"] != []
    [page] = rows(team, "select ciphertext from connection_subscriptions where org_id = %s and name = 'Sandbox Shop'")
    of_page = Vault(RING).decrypt(bytes(page["ciphertext"]))

    team.house.world.sandbox.control("DELETE", "requests")
    team.call("DELETE", f"/connections/{made}")

    asked = [(one["method"], one["path"]) for one in sandbox.control("GET", "requests?after=0")["requests"]]
    undone = [path for method, path in asked if method == "DELETE" and path.endswith("subscribed_apps")]
    assert len(undone) == 4
    assert rows(team, "select 1 from connection_subscriptions where org_id = %s") == []
    assert sandbox.get("me", of_page).status_code == 400


def test_without_the_rights_for_leads_the_connection_says_what_is_missing(team: Team) -> None:
    made = team.connect("meta", extras=["leads"], granted=["ads_read"])["connection_id"]
    team.house.settle()

    shown = team.detail(made)

    assert "leads_retrieval" in shown["missing_scopes"]
    assert (shown["status"], shown["trouble"]["remedy"]) == ("active", "reconnect")
    assert set(team.synced_at().values()) == {NOW}
