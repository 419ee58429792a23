"""No way around the second factor, whatever the order of things: logging in, setting up, losing, resetting, switching,
revoking. Whoever does them knows the password and reads the person's mails; only what is marked so has the app or the
recovery codes too.
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
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, text

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
    was proved with, if any, `passwords` of each challenge which password it was given for. `recovery` are the present
    factor's codes that nobody has used, `spent` those that were used or belonged to another factor.
    """

    sessions: list[str] = field(default_factory=list)
    challenges: list[str] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    recovery: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    proofs: dict[bytes, int | None] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)


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

    def _new_factor(self, secret: str, answer: Any) -> int:
        self.factors += 1
        self.secret, self.generation = secret, self.factors
        self._new_recovery(answer.get_json()["recovery_codes"])
        return self.factors

    def _new_recovery(self, codes: list[str]) -> None:
        self.held.spent += self.held.recovery
        self.held.recovery = list(codes)

    def _no_factor(self) -> None:
        self.secret = self.generation = None
        self._new_recovery([])

    def _entered(self, challenge: str, answer: Any) -> None:
        """A challenge was good for a session: for one only, and for no other password than it was given for."""
        assert self.held.passwords.pop(challenge, None) == self.password, "a challenge that was used or is too old"
        self._keep(answer.get_json()["token"], self.generation)

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
        self.held.passwords[answer["challenge"]] = self.password

    @precondition(lambda self: self.held.challenges)
    @rule(data=st.data(), kind=st.sampled_from(["wrong", "replayed", "spent", "none"]))
    def give_a_code_that_is_none(self, data: st.DataObject, kind: str) -> None:
        challenge = newest_first(data, self.held.challenges)
        codes = {"wrong": ["000000"], "replayed": self.held.codes, "spent": self.held.spent}.get(kind) or ["-"]
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
            self._entered(challenge, answer)

    @precondition(lambda self: self.held.challenges and self.held.recovery)
    @rule(data=st.data())
    def give_a_recovery_code(self, data: st.DataObject) -> None:
        """With the codes that were written down."""
        challenge = newest_first(data, self.held.challenges)
        code = data.draw(st.sampled_from(self.held.recovery))
        answer = self._post("/login/code", {"challenge": challenge, "code": code})
        if answer.status_code == 200:
            self.held.recovery.remove(code)
            self.held.spent.append(code)
            self._entered(challenge, answer)

    @precondition(lambda self: self.secret is not None)
    @rule(recovery=st.booleans())
    def give_one_code_twice(self, recovery: bool) -> None:
        """Two log-ins at the same moment; whoever looked over the shoulder has the same code."""
        self.log_in()
        self.log_in()
        one, other = self.held.challenges[-2:]
        code = self.held.recovery.pop() if recovery and self.held.recovery else self._code()
        first = self._post("/login/code", {"challenge": one, "code": code})
        if first.status_code == 200:
            (self.held.spent if "-" in code else self.held.codes).append(code)
            self._entered(one, first)
        second = self._post("/login/code", {"challenge": other, "code": code})
        assert second.status_code in (401, 429), "one code was good for two log-ins"

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
            self._new_factor(secret, answer)
            self._entered(challenge, answer)

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
            self._keep(answer.get_json()["token"], self._new_factor(secret, answer))

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data())
    def write_new_codes_down(self, data: st.DataObject) -> None:
        token = newest_first(data, self.held.sessions)
        answer = self._post("/mfa/recovery-codes", {}, token)
        if answer.status_code == 200:
            assert self.held.proofs[token_hash(token)] == self.generation
            self._new_recovery(answer.get_json()["recovery_codes"])

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data())
    def do_without(self, data: st.DataObject) -> None:
        token = newest_first(data, self.held.sessions)
        had = self.secret is not None
        answer = self.client.delete("/mfa/authenticator", headers=headers(token))
        if answer.status_code == 204:
            assert not self.privileged
            assert not had or self.held.proofs[token_hash(token)] == self.generation
            self._no_factor()

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data(), how=st.sampled_from(["app", "app", "password", "replayed", "spent"]))
    def prove_again(self, data: st.DataObject, how: str) -> None:
        token = newest_first(data, self.held.sessions)
        body = {"password": self.password}
        if how == "app" and self.secret is not None:
            body["code"] = self._code()
        if used := {"replayed": self.held.codes, "spent": self.held.spent}.get(how):
            body["code"] = data.draw(st.sampled_from(used))
        answer = self._post("/session/step-up", body, token)
        if answer.status_code == 200:
            assert self.secret is None or (how == "app" and "code" in body)
            self.held.codes.extend([body["code"]] if how == "app" and "code" in body else [])
            assert self._is_dead(token), "the token from before the proof lives on"
            self._keep(answer.get_json()["token"], self.generation if how == "app" and "code" in body else None)

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data())
    def change_the_password(self, data: st.DataObject) -> None:
        token = newest_first(data, self.held.sessions)
        self.count += 1
        chosen = f"sentence number {self.count} of this run"
        answer = self._post("/password", {"current": self.password, "password": chosen}, token)
        if answer.status_code == 200:
            self.password = chosen
            self._keep(answer.get_json()["token"], self.held.proofs[token_hash(token)])
            assert len(self._alive()) == 1, "another session outlived the password"

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data(), back=st.booleans())
    def switch(self, data: st.DataObject, back: bool) -> None:
        token = newest_first(data, self.held.sessions)
        target = self.org if back else self.elsewhere
        answer = self._post("/session/switch", {"org_id": str(target)}, token)
        if answer.status_code == 200:
            assert self._is_dead(token), "two sessions of one"
            self._keep(answer.get_json()["token"], self.held.proofs[token_hash(token)])

    @precondition(lambda self: self.elsewhere not in self.roles and self.secret is None and not self.privileged)
    @rule()
    def go_where_more_is_asked(self) -> None:
        """With a session from before, whose log-in nobody asked for a factor."""
        self.log_in()
        self._join_elsewhere("admin")
        before = self.held.sessions[-1]
        answer = self._post("/session/switch", {"org_id": str(self.elsewhere)}, before)
        if answer.status_code == 200:
            self._keep(answer.get_json()["token"], self.held.proofs[token_hash(before)])

    @precondition(lambda self: self.secret is not None)
    @rule()
    def prove_with_the_password_alone(self) -> None:
        self.log_in()
        code = self._code()
        entered = self._post("/login/code", {"challenge": self.held.challenges[-1], "code": code})
        if entered.status_code == 200:
            self.held.codes.append(code)
            self._entered(self.held.challenges[-1], entered)
            answer = self._post("/session/step-up", {"password": self.password}, self.held.sessions[-1])
            assert answer.status_code == 403, "the password alone was a proof"

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data(), path=st.sampled_from(["/logout", "/sessions"]))
    def revoke(self, data: st.DataObject, path: str) -> None:
        token = data.draw(st.sampled_from(self.held.sessions))
        answer = self.client.open(path, method="POST" if path == "/logout" else "DELETE", headers=headers(token))
        if answer.status_code == 204:
            assert self._is_dead(token)
        if answer.status_code == 200:
            assert [digest for digest, _ in self._alive()] == [token_hash(token)]

    @precondition(lambda self: self.held.sessions)
    @rule(data=st.data())
    def use_a_token_that_is_over(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(self.held.sessions))
        if self._is_dead(token):
            assert self.client.get("/session", headers=headers(token)).status_code == 401

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

    @rule(data=st.data())
    def reset_between_the_two_steps(self, data: st.DataObject) -> None:
        """What was proved with the password from before proves nothing now."""
        self.log_in()
        self.forget()
        self.reset(data)

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
        self._join_elsewhere(role)

    def _join_elsewhere(self, role: str) -> None:
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
        self._no_factor()
        assert self._alive() == []

    @rule()
    def the_sessions_are_ended_by_an_administrator(self) -> None:
        answer = self.client.delete(f"/members/{self.who.user_id}/sessions", headers=self.boss.headers)
        assert answer.status_code == 200
        assert not [org for _, org in self._alive() if org == self.org]

    # What holds after each step

    def _alive(self) -> list[tuple[bytes, UUID]]:
        rows = self.world.admin.execute(
            "select token_hash, org_id from sessions where user_id = %s and revoked_at is null and expires_at > now()",
            (self.who.user_id,),
        )
        return [(bytes(row[0]), row[1]) for row in rows]

    def _is_dead(self, token: str) -> bool:
        return token_hash(token) not in {digest for digest, _ in self._alive()}

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


class Seeded(SecondFactor):
    """Its search begins at a place of its own, and not anywhere."""


def run(
    world: World,
    examples: int,
    steps: int,
    phases: tuple[Phase, ...] = tuple(Phase),
    machine: type[SecondFactor] = SecondFactor,
) -> None:
    with patch.object(SecondFactor, "world", world, create=True):
        run_state_machine_as_test(
            machine,
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


totp_step = totp.step_of


def _is_recovery_code(connection: Connection, user_id: UUID, code: str) -> bool:
    """Looked at and not used up."""
    query = text("select 1 from recovery_codes where user_id = :user and code_hash = :hash")
    found = connection.execute(query, {"user": user_id, "hash": token_hash(totp.compact(code))})
    return found.scalar() is not None


# What is switched off, what takes its place, and a seed that comes to it soon. With others some take a hundred runs.
WAYS_AROUND: dict[str, tuple[str, Any, int]] = {
    "roles ask for nothing": ("adloom.accounts.second_step.is_required", lambda *_: False, 0),
    "a proof needs the password alone": (
        "adloom.accounts.second_step.require_where_there_is_one",
        lambda *_: [],
        1,
    ),
    "a code is good twice": (
        "adloom.identity.totp.step_of",
        lambda secret, code, now, _last: totp_step(secret, code, now, None),
        1,
    ),
    "a recovery code is good twice": ("adloom.identity.mfa._use_recovery_code", _is_recovery_code, 0),
    "another organisation asks for nothing": ("adloom.accounts.second_step.admits", lambda *_: lambda _role: None, 2),
    "a password leaves sessions alone": ("adloom.identity.mailed.sessions.end_all", lambda *_, **__: 0, 0),
    "a challenge can be used again": ("adloom.identity.challenges.claim", lambda *_: None, 1),
}


@pytest.mark.parametrize("way", WAYS_AROUND)
def test_a_way_around_would_be_found(world: World, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Each control switched off is noticed."""
    target, without, begin = WAYS_AROUND[way]
    monkeypatch.setattr(target, without)

    with pytest.raises(AssertionError):
        run(world, examples=200, steps=30, phases=(Phase.generate,), machine=seed(begin)(Seeded))
