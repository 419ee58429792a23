"""Accesses that end, were taken back or lack a right: what the person is told, what mends it, and who goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Postgres
from tests.integration.connections_rig import ACCOUNTS, NOON, PLATFORMS, House, Team, World, world_in

# The rights that are left where the one for reading was taken away.
TOO_FEW = {"google": ["openid", "email"], "meta": ["business_management"], "tiktok": ["1"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("platforms")) as made:
        yield made


@dataclass
class Town:
    """Two organisations, each with a connection to every platform, whose accounts were synced once. Each test leaves
    them so, two hours later.
    """

    house: House
    team: Team
    neighbours: Team
    connected: dict[str, str]
    now: datetime

    def sync_again(self) -> datetime:
        """Two hours later, everything that is due, and what follows from it."""
        self.now += timedelta(hours=2)
        self.house.world.at(self.now)
        for team in (self.team, self.neighbours):
            team.make_due()
        for _ in range(2):
            self.house.tick("sync-google", "sync-meta", "sync-tiktok")
            self.house.settle()
        return self.now

    def mend(self, platform: str) -> dict[str, Any]:
        made: dict[str, Any] = self.team.connect(platform, mends=self.connected[platform])
        self.house.settle()
        return made


@pytest.fixture(scope="module")
def town(postgres: Postgres, world: World) -> Iterator[Town]:
    house = House(postgres, world)
    team, neighbours = house.organisation("Acme"), house.organisation("Neighbours")
    made = {platform: str(team.connect(platform)["connection_id"]) for platform in PLATFORMS}
    for platform in PLATFORMS:
        neighbours.connect(platform)
    house.settle()
    for each in (team, neighbours):
        assert len(each.synced_at()) == 6
        assert None not in each.synced_at().values()
    yield Town(house, team, neighbours, made, datetime.fromisoformat(NOON))
    house.close()


def expire(town: Town, platform: str) -> None:
    town.house.world.sandbox.control("POST", "tokens/expire", {"token": town.team.token(town.connected[platform])})


def revoke(town: Town, platform: str) -> None:
    body = {"token": town.team.token(town.connected[platform]), "subcode": 40105 if platform == "tiktok" else 458}
    town.house.world.sandbox.control("POST", "tokens/revoke", body)


def narrow(town: Town, platform: str) -> None:
    body = {"token": town.team.token(town.connected[platform]), "scopes": TOO_FEW[platform]}
    town.house.world.sandbox.control("POST", "tokens/narrow", body)


CASES = [
    *[(name, revoke, "revoked") for name in PLATFORMS],
    *[(name, narrow, "scope-less") for name in PLATFORMS],
    ("google", expire, "expired"),
    ("meta", expire, "expired"),
]


@pytest.mark.parametrize(("platform", "spoil"), [case[:2] for case in CASES], ids=[f"{c[0]}-{c[2]}" for c in CASES])
def test_the_person_is_told_and_one_button_mends_it_while_others_go_on(town: Town, platform: str, spoil: Any) -> None:
    connected = town.connected
    spoil(town, platform)
    later = town.sync_again()

    broken = town.team.detail(connected[platform])
    trouble = broken["trouble"]
    assert (broken["status"], trouble["remedy"], trouble["acts"]) == ("broken", "reconnect", "user"), broken
    if spoil is narrow and platform != "tiktok":  # its refusal does not say whether a right or the whole is missing
        assert trouble["code"] == "scopes_missing"
    assert "{" not in trouble["happened"] + trouble["step"]
    assert trouble["said"]
    others = [name for name in PLATFORMS if name != platform]
    assert [town.team.detail(connected[name])["trouble"] for name in others] == [None, None]
    synced = town.team.synced_at()
    assert {one for one, at in synced.items() if at == later} == {one for name in others for one in ACCOUNTS[name]}
    assert set(town.neighbours.synced_at().values()) == {later}

    again = town.mend(platform)

    assert (again["connection_id"], again["is_another_person"]) == (connected[platform], False)
    assert town.team.detail(connected[platform])["trouble"] is None
    assert set(town.team.synced_at().values()) == {later}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_log_in_without_the_right_to_read_connects_nothing_and_says_why(town: Town, platform: str) -> None:
    nobody = town.house.organisation("Nobody")

    refused = nobody.connect(platform, status=409, granted=TOO_FEW[platform])

    assert refused["code"] == "scopes_missing"
    assert "connect again" in refused["detail"]
    assert nobody.call("GET", "/connections") == {"connections": []}


@pytest.mark.parametrize("platform", ["google", "tiktok"])
def test_an_account_that_leaves_the_grant_stops_alone(town: Town, platform: str) -> None:
    gone, stays = ACCOUNTS[platform]
    body = {"token": town.team.token(town.connected[platform]), "account": gone}
    town.house.world.sandbox.control("POST", "tokens/revoke", body)
    later = town.sync_again()

    shown = town.team.detail(town.connected[platform])
    accounts = {one["external_id"]: one for one in shown["reached"]}
    assert (shown["status"], shown["trouble"], shown["in_trouble"]) == ("active", None, 1)
    assert accounts[gone]["lost_at"] is not None
    assert accounts[gone]["trouble"]["code"] == "account_left"
    assert accounts[stays]["trouble"] is None
    assert {one for one, at in town.team.synced_at().items() if at != later} == {gone}

    town.mend(platform)

    assert set(town.team.synced_at().values()) == {later}


def test_an_access_that_ends_soon_says_so(town: Town) -> None:
    query = "update connections set token_expires_at = %s where connection_id = %s"
    town.house.admin.execute(query, (town.now + timedelta(days=5), town.connected["meta"]))

    trouble = town.team.detail(town.connected["meta"])["trouble"]

    assert (trouble["code"], trouble["remedy"]) == ("access_ending", "reconnect")
    assert f"{town.now + timedelta(days=5):%Y-%m-%d}" in trouble["happened"]
