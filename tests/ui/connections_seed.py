"""Connections in every state, straight into the tables."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from tests.ui.seed import NOW, SYNCED

SCOPES = {
    "google": ["https://www.googleapis.com/auth/adwords", "openid", "email"],
    "meta": ["ads_read", "business_management"],
    "tiktok": ["2", "4"],
}


@dataclass(frozen=True)
class Reached:
    name: str
    external_id: str
    chosen: bool = True
    error: str | None = None
    synced: datetime | None = SYNCED
    currency: str = "EUR"
    timezone: str = "Europe/Berlin"
    lost: bool = False


@dataclass(frozen=True)
class Log:
    """A log-in at a platform. `ends` after the business clock's now."""

    platform: str
    name: str
    accounts: Sequence[Reached] = ()
    status: str = "active"
    code: str | None = None
    said: str | None = None
    ends: timedelta | None = None
    scopes: Sequence[str] | None = None
    kind: str = "user"
    choice: str = "all"
    chosen: bool = True


def seed(admin_url: str, org_id: uuid.UUID, logs: Sequence[Log]) -> list[str]:
    """Insert them; their ids."""
    with psycopg.connect(admin_url) as connection:
        return [_log(connection, org_id, number, log) for number, log in enumerate(logs)]


def _log(connection: psycopg.Connection, org_id: uuid.UUID, number: int, log: Log) -> str:
    connection_id = uuid.uuid4()
    connection.execute(
        "insert into connections (connection_id, org_id, platform, external_user_id, name, status, broken_code,"
        " broken_detail, broken_at, revoked_at, scopes, token_expires_at, token_kind, account_choice, chosen_at,"
        " connected_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            connection_id, org_id, log.platform, f"person-{number}-{connection_id}", log.name, log.status, log.code,
            log.said, SYNCED if log.status == "broken" else None, SYNCED if log.status == "revoked" else None,
            list(SCOPES[log.platform] if log.scopes is None else log.scopes), NOW + log.ends if log.ends else None,
            log.kind, log.choice, SYNCED if log.chosen else None, SYNCED - timedelta(days=40 + number),
        ),
    )  # fmt: skip
    for account in log.accounts:
        _account(connection, org_id, connection_id, log, account)
    return str(connection_id)


def _account(
    connection: psycopg.Connection, org_id: uuid.UUID, connection_id: uuid.UUID, log: Log, account: Reached
) -> None:
    is_read = account.chosen and log.status != "revoked"
    found = connection.execute(
        "insert into ad_accounts (org_id, connection_id, platform, external_id, name, currency, timezone,"
        " last_synced_at, sync_enabled, error_code, error_detail) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " returning account_id",
        (
            org_id, connection_id, log.platform, account.external_id, account.name, account.currency,
            account.timezone, account.synced if is_read else None, is_read, account.error,
            account.error and "Meta says: (#200) Ad account owner has NOT granted ads_read (code 200)",
        ),
    ).fetchone()  # fmt: skip
    assert found is not None
    connection.execute(
        "insert into account_grants (connection_id, account_id, org_id, seen_at, lost_at) values (%s, %s, %s, %s, %s)",
        (connection_id, found[0], org_id, SYNCED, SYNCED if account.lost else None),
    )


def subscribe(admin_url: str, connection_id: str, *, pages: int, accounts: int, refused: int) -> None:
    """What the platform tells of by itself: of so many pages and accounts, and of so many pages it refused to."""
    kinds = [("page", None)] * pages + [("account", None)] * accounts + [("page", "platform_refused")] * refused
    with psycopg.connect(admin_url) as connection:
        for number, (target, code) in enumerate(kinds):
            connection.execute(
                "insert into connection_subscriptions (connection_id, target, external_id, org_id, name, error_code)"
                " select connection_id, %s, coalesce((select external_id from ad_accounts a where %s = 'account'"
                " and a.connection_id = c.connection_id order by 1 limit 1), %s), org_id, %s, %s"
                " from connections c where connection_id = %s",
                (target, target, f"55{number}", f"{{Shop}} {number - pages - accounts}", code, connection_id),
            )


SHOP = (
    Log("google", "mira.keller@nordlicht.example", (
        Reached("Nordlicht Google", "844-120-7731"), Reached("Nordlicht Brand", "844-120-7732"),
        Reached("Nordlicht US", "844-120-9001", currency="USD", timezone="America/Los_Angeles"),
        Reached("Old test account", "844-000-0001", chosen=False),
    ), choice="chosen"),
    Log("meta", "Mira Keller", (Reached("Nordlicht Meta", "act_1207"), Reached("Nordlicht Outlet", "act_1208")),
        ends=timedelta(days=52)),
    Log("tiktok", "Nordlicht GmbH", (Reached("Nordlicht TikTok", "7301"),)),
)  # fmt: skip

TROUBLED = (
    Log("google", "mira.keller@nordlicht.example", (Reached("Nordlicht Google", "844-120-7731"),), status="broken",
        code="oauth/invalid_grant",
        said="Google does not renew the access: Token has been expired or revoked. (invalid_grant)"),
    Log("meta", "Mira Keller", (Reached("Nordlicht Meta", "act_1207"),), status="broken", code="190/463",
        said="Meta says: Error validating access token: Session has expired on Friday, 20-Nov-26 (code 190/463)"),
    Log("meta", "Adloom system user", (
        Reached("Nordlicht B2B", "act_1209"), Reached("Nordlicht Archive", "act_1210", error="account_inaccessible"),
    ), kind="system_user"),
    Log("meta", "Jonas Müller-Lüdenscheidt of the Agency with the Very Long Name", (Reached("Agency", "act_77"),),
        ends=timedelta(days=3, hours=2)),
    Log("tiktok", "Nordlicht GmbH", (Reached("Nordlicht TikTok", "7301"),), scopes=["2"]),
    Log("tiktok", "Creator Co", tuple(Reached(f"Creator {n}", f"74{n:02d}", chosen=False) for n in range(9)),
        choice="chosen", chosen=False),
    Log("google", "former@agency.example", (Reached("Handed back", "911-000-1111"),), status="revoked"),
)  # fmt: skip

_SHOPS = ("Nordlicht", "Kumo", "Asha Home", "Bäckerei Süß & Söhne", "Donaudampfschifffahrtsgesellschaft")


def agency(accounts: int, others: int) -> tuple[Log, ...]:
    """A manager account with very many accounts, and very many log-ins."""
    reached = tuple(
        Reached(
            f"{_SHOPS[n % 5]} {n:04d}", f"100-{n // 1000:03d}-{n:04d}", chosen=n % 7 != 0,
            error="account_inaccessible" if n % 41 == 5 else None, lost=n % 97 == 50,
            currency=("EUR", "USD", "JPY", "KWD")[n % 4],
            timezone=("Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Tokyo", "Asia/Kuwait")[n % 4],
        )
        for n in range(accounts)
    )  # fmt: skip
    platforms = ("google", "meta", "tiktok")
    more = tuple(
        Log(platforms[n % 3], f"{_SHOPS[n % 5]} person {n:03d}", (Reached(f"Client {n:03d}", f"5{n:06d}"),),
            status="broken" if n % 9 == 4 else "active", code="190/460" if n % 9 == 4 else None)
        for n in range(others)
    )  # fmt: skip
    return (Log("google", "agency@nordlicht.example", reached, choice="chosen"), *more)
