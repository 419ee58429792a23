"""No way around the second factor, whatever the order of things: logging in, setting up, losing, resetting, switching,
revoking. Whoever does them knows the password and reads the person's mails; only what is marked so has the app too.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import UUID

import psycopg
import pyotp
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from adloom.clock import real_now
from adloom.db import Database
from adloom.identity import mfa, totp
from adloom.identity.tokens import token_hash
from adloom.keyring import KeyRing
from adloom.mail.sender import Postbox
from functions.auth.handler import AuthSettings, app
from tests.integration.auth_rig import OPERATOR_KEY, auth, headers
from tests.integration.cast import (
    MAIL_RING,
    PASSWORD,
    Connect,
    MakeOrganisation,
    Person,
    auth_settings,
    cheap_hashes,
    person,
)

if TYPE_CHECKING:
    from tests.conftest import Postgres

__all__ = ["auth"]


class Unlimited:
    """Limits would end most runs early; they have tests of their own."""

    def hit(self, _key: str, _limit: Any) -> float | None:
        return None


@dataclass
class World:
    """What all runs share."""

    auth: Database
    admin: psycopg.Connection[Any]
    make_organisation: MakeOrganisation


@dataclass
class Held:
    """Everything that was ever handed out, and the codes that were taken; `proofs` says of each session which factor it
    was proved with, if any.
    """

    sessions: list[str] = field(default_factory=list)
    challenges: list[str] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    proofs: dict[bytes, int | None] = field(default_factory=dict)


def newest_first(data: st.DataObject, held: list[str]) -> str:
    """Mostly the newest, which is likely to be alive; sometimes any."""
    newest = st.sampled_from(held[-2:])
    return data.draw(st.one_of(newest, newest, newest, st.sampled_from(held)))


class SecondFactor(RuleBasedStateMachine):
    """`generation` is the present factor's number, `secret` what the app holds; both None without a factor."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.client = app.test_client()
        self.org, self.elsewhere = self.world.make_organisation("Acme"), self.world.make_organisation("Other")
        self.boss = person(self.world.auth, self.org, "boss", "owner")
        self.who: Person = person(self.world.auth, self.org, "who", "viewer")
        self.roles: dict[UUID, str] = {self.org: "viewer"}
        self.password, self.count = PASSWORD, 0
        self.secret: str | None = None
        self.generation: int | None = None
        self.factors = 0
        self.held = Held()
        self._keep(self.who.token, None)
        self.now = real_now()
        mfa.real_now = lambda: self.now  # type: ignore[assignment]

    # What is known

    @property
    def privileged(self) -> bool:
        return bool({"owner", "admin"} & set(self.roles.values()))

    def _keep(self, token: str, proof: int | None) -> None:
        self.held.sessions.append(token)
        self.held.proofs[token_hash(token)] = proof

    def _code(self) -> str:
        """What the app shows; it is read in another half minute each time."""
        assert self.secret is not None
        self.now += timedelta(seconds=totp.STEP_S)
        return pyotp.TOTP(self.secret).at(self.now)

    def _new_factor(self, secret: str) -> int:
        self.factors += 1
        self.secret, self.generation = secret, self.factors
        return self.factors

    def _post(self, path: str, body: dict[str, Any], token: str | None = None) -> Any:
        return self.client.post(path, json=body, headers=headers(token) if token else {})

    # How it begins

    @initialize(with_an_app=st.booleans())
    def begin(self, with_an_app: bool) -> None:
        """Left to chance, most runs would never come to have a factor."""
        if with_an_app:
            self._set_up(self.who.token)
            assert self.secret is not None

    # Logging in

    @rule()
    def log_in(self) -> None:
        answer = self._post("/login", {"email": self.who.email, "password": self.password}).get_json()
        if self.secret is not None:
            assert answer.get("next") == "code"
        elif self.privileged:
            assert answer.get("next") == "enrol"
        else:
            self._keep(answer["token"], None)
            return
        self.held.challenges.append(answer["challenge"])

    @precondition(lambda self: self.held.challenges)
    @rule(data=st.data(), kind=st.sampled_from(["wrong", "replayed", "none"]))
    def give_a_code_that_is_none(self, data: st.DataObject, kind: str) -> None:
        challenge = newest_first(data, self.held.challenges)
        codes = self.held.codes if kind == "replayed" and self.held.codes else ["000000" if kind == "wrong" else "-"]
        answer = self._post("/login/code", {"challenge": challenge, "code": data.draw(st.sampled_from(codes))})
        assert answer.status_code in (401, 429), answer.get_json()

    @precondition(lambda self: self.held.challenges and self.secret is not None)
    @rule(data=st.data())
    def give_the_code(self, data: st.DataObject) -> None:
        """With the app."""
        challenge = newest_first(data, self.held.challenges)
        code = self._code()
        answer = self._post("/login/code", {"challenge": challenge, "code": code})
        if answer.status_code == 200:
            self.held.codes.append(code)
            self._keep(answer.get_json()["token"], self.generation)

    @precondition(lambda self: self.held.challenges)
    @rule(data=st.data())
    def enrol_with_a_challenge(self, data: st.DataObject) -> None:
        challenge = newest_first(data, self.held.challenges)
        shown = self._post("/login/enrol", {"challenge": challenge})
        if shown.status_code != 200:
            return
        secret = shown.get_json()["secret"]
        code = pyotp.TOTP(secret).at(self.now)
        answer = self._post("/login/enrol/confirm", {"challenge": challenge, "code": code})
        assert self.secret is None, "a factor that is there was replaced without a code of it"
        if answer.status_code == 200:
            self._keep(answer.get_json()["token"], self._new_factor(secret))

    # With a session

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data())
    def set_an_app_up(self, data: st.DataObject) -> None:
        self._set_up(newest_first(data, self.held.sessions))

    def _set_up(self, token: str) -> None:
        shown = self._post("/mfa/authenticator", {}, token)
        if shown.status_code != 201:
            return
        before = self.held.proofs[token_hash(token)]
        assert self.secret is None or before == self.generation, "replaced by a session that never proved it"
        secret = shown.get_json()["secret"]
        answer = self._post("/mfa/authenticator/confirm", {"code": pyotp.TOTP(secret).at(self.now)}, token)
        if answer.status_code == 200:
            self._keep(answer.get_json()["token"], self._new_factor(secret))

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data())
    def do_without(self, data: st.DataObject) -> None:
        token = newest_first(data, self.held.sessions)
        had = self.secret is not None
        answer = self.client.delete("/mfa/authenticator", headers=headers(token))
        if answer.status_code == 204:
            assert not self.privileged
            assert not had or self.held.proofs[token_hash(token)] == self.generation
            self.secret = self.generation = None

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data(), with_the_app=st.booleans())
    def prove_again(self, data: st.DataObject, with_the_app: bool) -> None:
        token = newest_first(data, self.held.sessions)
        body = {"password": self.password}
        if with_the_app and self.secret is not None:
            body["code"] = self._code()
        answer = self._post("/session/step-up", body, token)
        if answer.status_code == 200:
            assert self.secret is None or "code" in body
            self.held.codes.extend([body["code"]] if "code" in body else [])
            self._keep(answer.get_json()["token"], self.generation if "code" in body else None)

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data(), back=st.booleans())
    def switch(self, data: st.DataObject, back: bool) -> None:
        token = newest_first(data, self.held.sessions)
        target = self.org if back else self.elsewhere
        answer = self._post("/session/switch", {"org_id": str(target)}, token)
        if answer.status_code == 200:
            self._keep(answer.get_json()["token"], self.held.proofs[token_hash(token)])

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data(), path=st.sampled_from(["/logout", "/sessions"]))
    def revoke(self, data: st.DataObject, path: str) -> None:
        token = data.draw(st.sampled_from(self.held.sessions))
        self.client.open(path, method="POST" if path == "/logout" else "DELETE", headers=headers(token))

    # With the mailbox

    @rule()
    def forget(self) -> None:
        assert self._post("/password/forgotten", {"email": self.who.email}).status_code == 202
        row = self.world.admin.execute(
            "select link from mail_outbox where user_id = %s and link is not null order by created_at desc limit 1",
            (self.who.user_id,),
        ).fetchone()
        assert row is not None
        self.held.resets.append(KeyRing(MAIL_RING, "mail-ring").open(bytes(row[0])).partition("?token=")[2])

    @precondition(lambda self: self.held.resets)
    @rule(data=st.data())
    def reset(self, data: st.DataObject) -> None:
        self.count += 1
        chosen = f"sentence number {self.count} of this run"
        link = newest_first(data, self.held.resets)
        answer = self._post("/password/reset", {"token": link, "password": chosen})
        assert answer.get_data() == b"" or answer.status_code == 404
        if answer.status_code == 204:
            self.password = chosen
            assert self._alive() == [], "a session outlived the password"

    # What others do

    @rule(role=st.sampled_from(["viewer", "editor", "admin"]))
    def another_role(self, role: str) -> None:
        path = f"/members/{self.who.user_id}"
        answer = self.client.patch(path, json={"role": role}, headers=self.boss.headers)
        assert answer.status_code == 200, answer.get_json()
        self.roles[self.org] = role

    @precondition(lambda self: self.elsewhere not in self.roles)
    @rule(role=st.sampled_from(["viewer", "admin"]))
    def invited_elsewhere(self, role: str) -> None:
        self.world.admin.execute(
            "insert into memberships (org_id, user_id, role) values (%s, %s, %s)",
            (self.elsewhere, self.who.user_id, role),
        )
        self.roles[self.elsewhere] = role

    @rule(really=st.sampled_from([False, False, True]))
    def the_factor_is_taken_away(self, really: bool) -> None:
        if not really:  # seldom, or there would be no factor most of the time
            return
        answer = self.client.delete(f"/members/{self.who.user_id}/mfa", headers=self.boss.headers)
        assert answer.status_code == 204
        self.secret = self.generation = None
        assert self._alive() == []

    # What holds after each step

    def _alive(self) -> list[tuple[bytes, UUID]]:
        rows = self.world.admin.execute(
            "select token_hash, org_id from sessions where user_id = %s and revoked_at is null and expires_at > now()",
            (self.who.user_id,),
        )
        return [(bytes(row[0]), row[1]) for row in rows]

    @invariant()
    def every_session_has_proved_what_is_asked_of_it(self) -> None:
        for digest, org in self._alive():
            proof = self.held.proofs[digest]
            if self.secret is not None:
                assert proof == self.generation, "a session that never gave a code of the present factor"
            else:
                assert self.roles[org] not in ("owner", "admin"), "a privileged session without any factor"


@pytest.fixture
def world(
    postgres: Postgres,
    auth: Database,
    make_organisation: MakeOrganisation,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    monkeypatch.setattr(mfa, "real_now", mfa.real_now)
    monkeypatch.setattr(Postbox, "wake", lambda _self: None)
    monkeypatch.setattr(app, "limiter", Unlimited())
    told = auth_settings(
        postgres.url("auth"), OPERATOR_KEY, sandbox_url=None, mail_from="a@example.com", mail_key="re_x"
    )
    app.use(AuthSettings(**told), auth)
    with ExitStack() as stack:
        stack.enter_context(cheap_hashes())
        admin = stack.enter_context(psycopg.connect(postgres.admin_url, autocommit=True))
        yield World(auth, admin, make_organisation)


def run(world: World, examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    with patch.object(SecondFactor, "world", world, create=True):
        run_state_machine_as_test(
            SecondFactor,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                phases=phases,
                report_multiple_bugs=False,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_there_is_no_way_around_the_second_factor(world: World) -> None:
    run(world, examples=25, steps=30)


@pytest.mark.parametrize(
    ("target", "without"),
    [
        ("adloom.accounts.second_step.is_required", lambda *_: False),
        ("adloom.accounts.second_step.require_where_there_is_one", lambda *_: []),
        ("adloom.identity.totp.step_of", lambda _secret, _code, now, _last: int(now.timestamp()) // 30),
    ],
)
def test_a_way_around_would_be_found(world: World, monkeypatch: pytest.MonkeyPatch, target: str, without: Any) -> None:
    """Each control switched off is noticed, mostly within fifty runs. Rarer ways have tests in test_mfa.py."""
    monkeypatch.setattr(target, without)

    with pytest.raises(AssertionError):
        run(world, examples=500, steps=30, phases=(Phase.generate,))
