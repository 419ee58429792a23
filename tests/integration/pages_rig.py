"""The running dashboard, the routes it has, and two organisations whose every name holds a word of their own."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from adloom import audit
from adloom.db import Database
from adloom.identity import sessions
from adloom.identity.policy import SessionSettings
from adloom.identity.proof import Proven
from adloom.identity.roles import ROLES, Role
from adloom.identity.scopes import SCOPES
from adloom.identity.tokens import (
    new_key_token,
    token_hash,
)
from tests.integration.cast import Person, person
from tests.integration.guess_rig import guess_rig
from tests.integration.routes_rig import NEW_IDENTITY, NEW_INVITATION, NEW_KEY
from tests.ui import seed
from tests.ui.routes import routes
from ui.security import is_public

if TYPE_CHECKING:
    from tests.conftest import Postgres

SESSION, FORM = "adloom_session", "adloom_form"
_PATIENCE_S = 90


@dataclass(frozen=True)
class Account:
    account_id: int
    external_id: str
    word: str


@dataclass(frozen=True)
class Side:
    """An organisation, a member of each role, two accounts; every name in it holds one of `words`. `things` are the
    ids by which addresses name what else there is: a member and that member's session, an invitation, a key, an
    identity at a provider.
    """

    word: str
    org_id: UUID
    people: dict[Role, Person]
    accounts: tuple[Account, Account]
    things: dict[str, str]

    @property
    def words(self) -> set[str]:
        return {self.word, *(account.word for account in self.accounts)}


@dataclass(frozen=True)
class Page:
    """`shows` is the word, in small letters, by which one sees that the content has come, for a member of a side."""

    role: Role
    shows: Callable[[Side, Role], str]


def first_account(side: Side, _role: Role) -> str:
    return side.accounts[0].word


def own_address(side: Side, role: Role) -> str:
    return side.people[role].email


def other_member(side: Side, role: Role) -> str:
    return side.people["editor" if role != "editor" else "viewer"].email


def the_viewer(side: Side, _role: Role) -> str:
    return side.people["viewer"].email


def the_key(side: Side, _role: Role) -> str:
    return f"{side.word} key"


def the_login(side: Side, _role: Role) -> str:
    return f"{side.word} login"


def the_event(side: Side, _role: Role) -> str:
    return f"{side.word} event"


DEEDS = ("reconnect", "accounts", "disconnect")
CAMPAIGN = "/campaigns/{account_id:int}/{campaign_id}"
PAGES = {
    "/": Page("viewer", first_account),
    "/campaigns": Page("viewer", first_account),
    CAMPAIGN: Page("viewer", first_account),
    CAMPAIGN + "/{ad_group_id}": Page("viewer", first_account),
    "/connections": Page("viewer", the_login),
    "/connections/{connection_id}": Page("viewer", first_account),
    "/data-health": Page("viewer", first_account),
    "/confirm": Page("viewer", own_address),
    "/settings/profile": Page("viewer", own_address),
    "/settings/security": Page("viewer", own_address),
    "/settings/members": Page("admin", other_member),
    "/settings/members/{user_id}": Page("admin", the_viewer),
    "/settings/keys": Page("admin", the_key),
    "/settings/audit": Page("admin", the_event),
    "/settings/audit/export": Page("admin", the_event),
}
# Forms that lie below no page: whom they are for.
FORMS_ALONE: dict[str, Role] = {"/logout": "viewer", "/settings/step-up": "viewer"}
# Everybody sees connections; who changes them is an administrator.
CONNECTION = "/connections/{connection_id:uuid}"
OPEN = ("/connections/connect", "/connections/token")
FORMS_ALONE |= dict.fromkeys((*OPEN, *(f"{CONNECTION}/{deed}" for deed in DEEDS)), "admin")
FORMS_ALONE[f"{CONNECTION}/check"] = "editor"
FORMS_ALONE["/connections/accounts/{account_id:int}/conversion"] = "editor"
# Under these lie files and sockets of the framework: the ones without anybody's data are public, the others have a test
# of their own below.
NO_PAGES = ("/_nicegui", "/static")

HERE = [path for method, path in routes() if method == "GET" and path in PAGES]
GUARDED = [path for method, path in routes() if method == "GET" and not is_public(path)]
FORMS = [path for method, path in routes() if method == "POST"]
SETTINGS = [path for path in FORMS if path.startswith(("/settings/", "/connections/"))]


def address(path: str, side: Side, account: Account | None = None) -> str:
    """The path for something of this side; a parameter that is not known here says itself that it is missing."""
    account = account or side.accounts[0]
    below = f"{account.external_id}{0:05d}"
    values = {"account_id": str(account.account_id), "campaign_id": below, "ad_group_id": f"{below}00"}
    values |= dict.fromkeys(("path", "key", "name"), "x")  # of files
    values |= side.things
    narrowed = "?action=key.made" if path == "/settings/audit" else ""  # every session of these tests is an event too
    return re.sub(r"\{([^}:]+)(?::[a-z]+)?\}", lambda found: values[found[1]], path) + narrowed


class House:
    """The running dashboard, spoken to as its front door does, and what is in the tables behind it."""

    def __init__(self, url: str, postgres: Postgres, operator_key: str) -> None:
        self.url, self.operator_key = url, operator_key
        self.admin = psycopg.connect(postgres.admin_url, autocommit=True)
        self.auth = Database(postgres.url("auth"), pool_size=2)
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=60)
        # Whoever tries many tokens is slowed down: each request comes from another address.
        self._addresses = (f"198.18.{n // 250}.{n % 250}" for n in itertools.count())

    def close(self) -> None:
        self.client.close()
        self.auth.close()
        self.admin.close()

    def ask(
        self,
        method: str,
        path: str,
        token: str | None = None,
        *,
        origin: str = "",
        cookies: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> httpx.Response:
        """One request, without following where it leads."""
        given = (cookies or {}) | ({SESSION: token} if token else {})
        sent = {"Accept": "text/html", "X-Forwarded-For": next(self._addresses)} | (headers or {})
        sent |= {"Cookie": "; ".join(f"{name}={value}" for name, value in given.items())} if given else {}
        sent |= {"Origin": origin} if origin else {}
        return self.client.request(method, path, headers=sent, **how)

    def post(self, path: str, token: str | None = None, **how: Any) -> httpx.Response:
        return self.ask("POST", path, token, origin=self.url, **how)

    def see(self, path: str, token: str, word: str) -> tuple[int, str]:
        """The page as soon as its content is there: a busy machine sends its skeleton first."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            self.admin.execute("delete from rate_limits")  # a slow machine makes us look often
            answer = self.ask("GET", path, token)
            shown = answer.text.lower()
            if word in shown:
                return answer.status_code, shown
            assert answer.status_code == 200, (path, answer.status_code, shown[:400])
            assert time.monotonic() < deadline, f"{path} never shows {word!r}"

    def token(self, side: Side, role: Role = "owner", **columns: str) -> str:
        """A new session of the member; `columns` are SQL expressions put into its row."""
        who = Proven(side.people[role].user_id, side.org_id)
        with self.auth.tenant(side.org_id) as connection:
            made = sessions.begin(connection, who, SessionSettings(), sessions.Arrival(), ["password"])
        for column, value in columns.items():
            query = f"update sessions set {column} = {value} where session_id = %s"
            self.admin.execute(query, (made.session_id,))  # type: ignore[arg-type]
        return made.token

    def key(self, side: Side) -> str:
        """An API key that may do all that a key may."""
        token = new_key_token()[0]
        values = (uuid4(), side.org_id, side.people["owner"].user_id, token_hash(token), list(SCOPES), "owner")
        self.admin.execute(NEW_KEY, values)
        return token

    @contextmanager
    def narrowed(self, side: Side, role: Role, account: Account) -> Iterator[None]:
        who = side.people[role].user_id
        query = "update memberships set account_scope = %s where user_id = %s"
        self.admin.execute(query, (str(account.account_id), who))
        yield
        self.admin.execute(query, ("*", who))

    def people(self) -> dict[str, str]:
        """All that is known of people, their factors and their access, but when a session was used last."""
        found = {}
        for (table,) in self.admin.execute(_OF_PEOPLE).fetchall():
            row = "to_jsonb(t) - 'last_used_at' - 'idle_expires_at'"
            query = f"select md5(coalesce(string_agg(({row})::text, '' order by ({row})::text), '')) from {table} t"
            [(found[table],)] = self.admin.execute(query).fetchall()  # type: ignore[arg-type]
        assert {"users", "sessions", "user_credentials", "memberships"} <= found.keys()
        return found


_OF_PEOPLE = """
select distinct c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
 where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
   and a.attname in ('user_id', 'token_hash', 'key_hash') and c.relname not in ('mail_outbox', 'audit_events')
"""


@pytest.fixture(scope="module")
def house(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    key = "adl_o_" + uuid4().hex
    with guess_rig(postgres, tmp_path_factory.mktemp("pages"), key, processes=1, connects=True) as rig:
        made = House(rig.dashboard, postgres, key)
        yield made
        made.close()


def _side(house: House, admin_url: str, word: str, accounts: tuple[str, str], number: int) -> Side:
    org_id = uuid4()
    house.admin.execute("insert into organisations (org_id, name) values (%s, %s)", (org_id, f"{word} & Sons"))
    people = {role: person(house.auth, org_id, f"{word}-{role}", role) for role in ROLES}
    made = [
        seed.AdAccount(
            "meta",
            f"99{number}{index}",
            f"{name} account",
            100,
            campaigns=(seed.Campaign(f"{name} campaign", 1.0, budget=10, parts=(1, 1)),),
            days=40,
        )
        for index, name in enumerate(accounts)
    ]
    ids = seed.seed(admin_url, org_id, made)
    first, second = (Account(one, m.external_id, name) for one, m, name in zip(ids, made, accounts, strict=True))
    audit.note(house.auth, "key.made", org_id=org_id, target=("key", uuid4()), new={"name": f"{word} event"})
    things = _things(house.admin, org_id, word, people) | _logins(house.admin, org_id, word, ids[0])
    return Side(word, org_id, people, (first, second), things)


def _logins(admin: psycopg.Connection[Any], org_id: UUID, word: str, account_id: int) -> dict[str, str]:
    admin.execute("update connections set name = %s where org_id = %s", (f"{word} login", org_id))
    query = "select connection_id from ad_accounts where account_id = %s"
    [(connection,)] = admin.execute(query, (account_id,)).fetchall()
    return {"connection_id": str(connection)}


def _things(admin: psycopg.Connection[Any], org_id: UUID, word: str, people: dict[Role, Person]) -> dict[str, str]:
    of, by, ids = people["viewer"].user_id, people["owner"].user_id, [uuid4() for _ in range(3)]
    invitation, key, identity = ids
    admin.execute(NEW_INVITATION, (invitation, org_id, f"{word}-guest@example.com", token_hash(invitation.hex), by))
    admin.execute(NEW_KEY, (key, org_id, by, token_hash(key.hex), ["members:read"], "admin"))
    admin.execute("update api_keys set name = %s where key_id = %s", (f"{word} key", key))
    admin.execute(NEW_IDENTITY, (identity, org_id, of, identity.hex))
    [(session,)] = admin.execute("select session_id from sessions where user_id = %s", (of,)).fetchall()
    found = {"user_id": of, "session_id": session, "invitation_id": invitation, "key_id": key, "identity_id": identity}
    return {name: str(value) for name, value in found.items()}


@pytest.fixture(scope="module")
def sides(house: House, postgres: Postgres) -> tuple[Side, Side]:
    """Ours and theirs."""
    ours = _side(house, postgres.admin_url, "heronwort", ("ospreylund", "kestrelmark"), 1)
    return ours, _side(house, postgres.admin_url, "magpiestad", ("jackdawholm", "rookhaven"), 2)


@pytest.fixture
def ours(sides: tuple[Side, Side]) -> Side:
    return sides[0]


@pytest.fixture
def theirs(sides: tuple[Side, Side]) -> Side:
    return sides[1]


def silent(text: str, *whom: Side | str) -> None:
    """Nothing of them stands in the page."""
    for one in whom:
        for word in one.words if isinstance(one, Side) else {one}:
            assert word not in text.lower()


def turned_away(answer: httpx.Response, *whom: Side) -> None:
    assert answer.status_code in (303, 401), (answer.status_code, answer.text[:200])
    assert answer.status_code == 401 or answer.headers["Location"].partition("?")[0] == "/login"
    silent(answer.text, *whom)
