"""Connections that end, or change, just while something else is done with them; and members who see a part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from adloom import clock
from adloom.connecting.settings import oauth, vault
from adloom.connections import ending, subscriptions
from adloom.errors import OperatorMustAct
from adloom.platforms.meta.hooks import MetaHooks
from functions.oauth_callback.handler import app as callback_app
from tests.conftest import Postgres
from tests.integration.cast import person
from tests.integration.connections_rig import House, Team, World, world_in
from tests.unit.sandbox.support import APP_ID, APP_SECRET

RIGHTS = "ads_read,ads_management,pages_show_list,pages_manage_metadata,pages_read_engagement,leads_retrieval"
HTML = {"kind": "html_502"}


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


def by_system_user(team: Team) -> str:
    body = {"token": team.house.world.sandbox.system_user_token(RIGHTS), "extras": ["leads"]}
    made = str(team.call("POST", "/connections/tokens", body, status=201)["connection_id"])
    team.house.settle()
    return made


def end_later(team: Team, platform: str, path: str) -> str:
    """A connection that was ended here while the platform did not answer."""
    made = str(team.connect(platform)["connection_id"])
    team.house.world.sandbox.faults({"match": {"path": path, "times": 1}, "fault": HTML})
    assert team.call("DELETE", f"/connections/{made}")["at_platform"] == "later"
    return made


def test_an_app_that_is_not_set_up_any_more_keeps_no_other_access_from_its_end(team: Team) -> None:
    other = team.house.organisation("Neighbours")
    first, second = end_later(team, "meta", "me/permissions"), end_later(other, "tiktok", "oauth2/revoke_token")

    def without_meta(platform: Any) -> Any:
        if platform == "meta":
            raise OperatorMustAct("Meta is not set up here.", code="platform_not_set_up")
        return oauth(callback_app, platform)

    ending.go_on(callback_app.database(), vault(callback_app), without_meta)

    left = team.house.admin.execute(
        "select connection_id::text as id from connection_tokens where connection_id = any (%s::uuid[])",
        ([first, second],),
    ).fetchall()
    assert [row["id"] for row in left] == [first]


def test_the_platforms_are_told_in_turn_so_that_nobody_waits_behind_what_never_works(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = end_later(team, "meta", "me/permissions"), end_later(team, "tiktok", "oauth2/revoke_token")
    told = []

    def silent(platform: Any) -> Any:
        told.append(platform)
        raise OperatorMustAct("It is not set up here.", code="platform_not_set_up")

    monkeypatch.setattr(ending, "MOST_PER_TICK", 1)
    for _ in range(3):
        ending.go_on(callback_app.database(), vault(callback_app), silent)

    # The third finds nobody who has waited for long enough.
    assert told == ["meta", "tiktok"]
    team.house.admin.execute(
        "update connections set forget_tried_at = forget_tried_at - interval '6 minutes'"
        " where connection_id = any (%s::uuid[])",
        ([first, second],),
    )
    ending.go_on(callback_app.database(), vault(callback_app), silent)
    assert told == ["meta", "tiktok", "meta"]


def test_a_token_that_no_key_opens_keeps_nobody_else_from_what_a_tick_does(team: Team) -> None:
    lost, other = by_system_user(team), team.house.organisation("Neighbours")
    made = by_system_user(other)
    team.house.admin.execute(
        "update connection_tokens set ciphertext = 'no such thing' where connection_id = %s::uuid", (lost,)
    )
    ended = end_later(other, "tiktok", "oauth2/revoke_token")

    team.house.tick("oauth-callback")

    assert team.detail(lost)["subscriptions"] == []
    assert other.detail(made)["subscriptions"] != []
    query = "select 1 from connection_tokens where connection_id = %s::uuid"
    assert team.house.admin.execute(query, (ended,)).fetchall() == []


def test_people_are_warned_before_a_platform_that_may_not_answer_is_asked_for_subscriptions(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = str(team.connect("google")["connection_id"])
    team.house.admin.execute(
        "update connections set token_expires_at = %s where connection_id = %s::uuid",
        (clock.now() + timedelta(hours=12), made),
    )
    written = []

    def silent(*_: Any) -> None:
        query = "select count(*) as n from mail_outbox where org_id = %s and template = 'access_ending'"
        written.extend(team.house.admin.execute(query, (team.org_id,)).fetchall())

    monkeypatch.setattr(subscriptions, "settle_due", silent)
    team.house.tick("oauth-callback")

    assert written == [{"n": 1}]


def test_who_connects_again_just_before_the_platform_is_told_keeps_the_new_access(team: Team) -> None:
    made = end_later(team, "meta", "me/permissions")
    team.connect("meta", mends=made)
    token = team.token(made)

    # What a tick does that has read its list before the person came back.
    ending._tell(callback_app.database(), vault(callback_app), partial(oauth, callback_app), team.org_id, UUID(made))

    assert team.house.world.sandbox.get("me", token).status_code == 200
    assert team.token(made) == token


class EndsMeanwhile(MetaHooks):
    """Meta's subscriptions, in whose first answer's time the person disconnects."""

    team: Team
    ended: str = ""

    def subscribe(self, target: str, token: str, fields: tuple[str, ...]) -> None:
        super().subscribe(target, token, fields)
        if self.ended:
            made, self.ended = self.ended, ""
            self.team.call("DELETE", f"/connections/{made}")


def test_a_connection_that_ends_while_it_is_subscribed_leaves_nothing_behind(team: Team) -> None:
    made = by_system_user(team)
    url = team.house.world.sandbox.url
    hooks = EndsMeanwhile(app_id=APP_ID, app_secret=APP_SECRET, graph_url=url, dialog_url=url)
    hooks.team, hooks.ended = team, made

    subscriptions._settle(callback_app.database(), vault(callback_app), hooks, team.org_id, UUID(made))

    query = "select name from connection_subscriptions where org_id = %s"
    assert team.house.admin.execute(query, (team.org_id,)).fetchall() == []
    # Asked again by a tick that has read its list before, nothing is begun.
    subscriptions._settle(callback_app.database(), vault(callback_app), hooks, team.org_id, UUID(made))


def test_whoever_sees_some_accounts_chooses_among_those_and_hears_of_no_other(team: Team) -> None:
    made = by_system_user(team)
    team.house.tick("oauth-callback")
    inside, outside = (one["account_id"] for one in team.detail(made)["reached"])
    narrowed = replace(team, admin=person(team.house.auth, team.org_id, "part", "admin", str(inside)))

    narrowed.call("PUT", f"/connections/{made}/accounts", {"accounts": []})

    chosen = {one["account_id"]: one["is_chosen"] for one in team.detail(made)["reached"]}
    assert chosen == {inside: False, outside: True}
    refused = narrowed.call("PUT", f"/connections/{made}/accounts", {"accounts": [outside]}, status=404)
    assert refused["code"] == "account_unknown"
    targets = [one["target"] for one in narrowed.detail(made)["subscriptions"]]
    assert targets.count("account") == 1
    assert [one["target"] for one in team.detail(made)["subscriptions"]].count("account") == 2
