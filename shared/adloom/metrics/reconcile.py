"""Proof that the numbers are the platform's own: per account, local day and level.

What the platform delivered is kept as sums beside the rows. The account's own row is the platform's total; the
campaigns must add up to it; ad groups and ads may be less than their campaign by delivery that has no such row
(removed ads, automatic placements), never more. A difference is explained where the platform itself told why: its
numbers moved between two reads, or it cut the answer. Anything else is a person's to look at.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, text

from adloom.metrics.intake import Branches
from adloom.metrics.store import Target
from adloom.metrics.sums import MEASURES, Sums
from adloom.platforms.model import LEVELS, Level

State = Literal["match", "explained", "unexplained"]

NO_ACCOUNT_ROW = "no_account_row"
DIFFERS_FROM_ACCOUNT = "differs_from_account_total"
MORE_THAN_CAMPAIGN = "more_than_its_campaign"
# The platform's own total of the account, or of its campaigns, was another one when it was asked for again.
RESTATED = "restated_while_read"
TRUNCATED = "truncated_by_platform"
# Shares of conversions, and their values, are binary fractions at the platforms: the last digit of each row is not
# exact. Counts and spend are.
ROUNDED = "rounded_by_platform"
_LAST_DIGIT = Decimal("0.000001")
DELIVERY_WITHOUT_ROWS: dict[Level, str] = {
    "ad_group": "delivery_without_ad_group_rows",
    "ad": "delivery_without_ad_rows",
}


@dataclass(frozen=True)
class Verdict:
    """How one level of one day compares with the platform's own total."""

    day: date
    level: Level
    sums: Sums
    state: State
    explanation: str | None = None


@dataclass(frozen=True)
class Difference:
    """A stored cell that is not what the platform said, or a total that nothing explains.

    `kind` is `stored` (the rows were changed since), `missing` (rows that no reconciliation knows) or `unexplained`.
    """

    account_id: int
    day: date
    level: Level
    kind: Literal["stored", "missing", "unexplained"]
    measure: str
    expected: Decimal
    found: Decimal


def judge(
    delivered: dict[Level, Branches], *, moved: Collection[str] = (), cut: Collection[Level] = ()
) -> list[Verdict]:
    """One verdict per level for every day on which any level has a row.

    `moved` are the days on which the platform's totals changed while they were read, `cut` the levels of which it does
    not give every row.
    """
    days = sorted({day for branches in delivered.values() for day, _ in branches})
    by_day = {level: _by_day(delivered.get(level, {})) for level in LEVELS}
    verdicts = []
    for day in days:
        of_day = {level: by_day[level].get(day, {}) for level in LEVELS}
        totals = {level: sum(of_day[level].values(), Sums()) for level in LEVELS}
        for level in LEVELS:
            state, explanation = _state(level, of_day, totals)
            if level in cut and explanation == DELIVERY_WITHOUT_ROWS.get(level):
                state, explanation = ("match", None) if state == "match" else ("explained", TRUNCATED)
            elif state == "unexplained" and day in moved:
                state, explanation = "explained", RESTATED
            verdicts.append(Verdict(date.fromisoformat(day), level, totals[level], state, explanation))
    return verdicts


def _by_day(branches: Branches) -> dict[str, dict[str, Sums]]:
    found: dict[str, dict[str, Sums]] = {}
    for (day, branch), sums in branches.items():
        found.setdefault(day, {})[branch] = sums
    return found


def _state(level: Level, of_day: dict[Level, dict[str, Sums]], totals: dict[Level, Sums]) -> tuple[State, str | None]:
    if level == "account":
        has_total = totals["account"].rows > 0 or all(totals[other].is_zero for other in LEVELS)
        return ("match", None) if has_total else ("unexplained", NO_ACCOUNT_ROW)
    if level == "campaign":
        account, campaigns = totals["account"], totals["campaign"]
        if campaigns.measures == account.measures:
            return "match", None
        return ("explained", ROUNDED) if _is_close(account, campaigns) else ("unexplained", DIFFERS_FROM_ACCOUNT)
    return _below(level, of_day[level], of_day["campaign"])


def _below(level: Level, mine: dict[str, Sums], of_campaigns: dict[str, Sums]) -> tuple[State, str | None]:
    """How what lies below the campaigns compares with each of them."""
    branches = mine.keys() | of_campaigns.keys()
    pairs = [(of_campaigns.get(branch, Sums()), mine.get(branch, Sums())) for branch in branches]
    if all(whole.measures == part.measures for whole, part in pairs):
        return "match", None
    if all(_is_close(whole, part) for whole, part in pairs):
        return "explained", ROUNDED
    if all(whole.covers(part, _slack(part)) for whole, part in pairs):
        return "explained", DELIVERY_WITHOUT_ROWS[level]
    return "unexplained", MORE_THAN_CAMPAIGN


def _is_close(whole: Sums, part: Sums) -> bool:
    """Whether nothing differs but the last digits of conversions and their value."""
    slack = _slack(part)
    return whole.covers(part, slack) and part.covers(whole, slack)


def _slack(part: Sums) -> Decimal:
    return _LAST_DIGIT * (part.rows + 1) / 2


_FORGET = """
delete from reconciliations
 where account_id = :account_id and day between :since and :until and day <> all (cast(:days as date[]))
"""
_RECORD = f"""
insert into reconciliations
    (account_id, org_id, day, level, row_count, {", ".join(MEASURES)}, state, explanation, checked_at, run_id)
values (:account_id, :org_id, :day, :level, :row_count, {", ".join(f":{measure}" for measure in MEASURES)}, :state,
        :explanation, :checked_at, :run_id)
on conflict (account_id, day, level) do update set
    row_count = excluded.row_count, {", ".join(f"{measure} = excluded.{measure}" for measure in MEASURES)},
    state = excluded.state, explanation = excluded.explanation, checked_at = excluded.checked_at,
    run_id = excluded.run_id
"""


def record(connection: Connection, target: Target, verdicts: list[Verdict]) -> None:
    """Write the verdicts of a window; days on which nothing is delivered any more are forgotten."""
    values = target.values
    connection.execute(text(_FORGET), {**values, "days": sorted({verdict.day for verdict in verdicts})})
    rows: list[dict[str, Any]] = [
        {
            "account_id": target.account_id,
            "org_id": target.org_id,
            "run_id": target.run_id,
            "day": verdict.day,
            "level": verdict.level,
            "row_count": verdict.sums.rows,
            **dict(zip(MEASURES, verdict.sums.measures, strict=True)),
            "state": verdict.state,
            "explanation": verdict.explanation,
            "checked_at": target.now,
        }
        for verdict in verdicts
    ]
    if rows:
        connection.execute(text(_RECORD), rows)


_COMPARE = f"""
with stored as (
    select m.account_id, m.day, m.level, count(*) as row_count,
           {", ".join(f"coalesce(sum(m.{measure}), 0) as {measure}" for measure in MEASURES)}
      from visible_metrics m
     where (cast(:ids as bigint[]) is null or m.account_id = any (cast(:ids as bigint[])))
     group by m.account_id, m.day, m.level
), said as (
    select * from reconciliations r where cast(:ids as bigint[]) is null or r.account_id = any (cast(:ids as bigint[]))
)
select coalesce(said.account_id, stored.account_id) as account_id, coalesce(said.day, stored.day) as day,
       coalesce(said.level, stored.level) as level, said.state, said.account_id is null as is_missing,
       {
    ", ".join(
        f"coalesce(said.{cell}, 0) as said_{cell}, coalesce(stored.{cell}, 0) as stored_{cell}"
        for cell in ("row_count", *MEASURES)
    )
}
  from said full join stored using (account_id, day, level)
 where said.account_id is null or said.state = 'unexplained'
    or ({", ".join(f"said.{cell}" for cell in ("row_count", *MEASURES))})
       is distinct from ({", ".join(f"coalesce(stored.{cell}, 0)" for cell in ("row_count", *MEASURES))})
 order by 1, 2, 3
"""


def check(connection: Connection, account_ids: Collection[int] | None = None) -> list[Difference]:
    """Compare what is stored now with what the platform said, cell by cell; empty when every number is proved.

    Inside a tenant transaction; `account_ids` None for all accounts that it sees.
    """
    ids = None if account_ids is None else list(account_ids)
    found: list[Difference] = []
    rows = connection.execute(text(_COMPARE), {"ids": ids}).mappings().all()
    # A total that is missing is a difference of its campaigns already.
    named = {
        (row["account_id"], row["day"]) for row in rows if row["state"] == "unexplained" and row["level"] != "account"
    }
    for row in rows:
        where = (row["account_id"], row["day"], row["level"])
        kind: Literal["stored", "missing"] = "missing" if row["is_missing"] else "stored"
        cells = [
            (cell, Decimal(row[f"said_{cell}"]), Decimal(row[f"stored_{cell}"])) for cell in ("row_count", *MEASURES)
        ]
        found += [Difference(*where, kind, *cell) for cell in cells if cell[1] != cell[2]]
        if row["state"] == "unexplained" and (
            row["level"] != "account" or (row["account_id"], row["day"]) not in named
        ):
            found += _unexplained(connection, where, row)
    return found


_EXPLAINED = """
select explanation, count(distinct (account_id, day)) as days from reconciliations
 where state = 'explained' and (cast(:ids as bigint[]) is null or account_id = any (cast(:ids as bigint[])))
 group by explanation order by explanation
"""


def explanations(connection: Connection, account_ids: Collection[int] | None = None) -> dict[str, int]:
    """How many account-days have a difference that is explained, by what explains it."""
    ids = None if account_ids is None else list(account_ids)
    return {row.explanation: row.days for row in connection.execute(text(_EXPLAINED), {"ids": ids})}


def _unexplained(connection: Connection, where: tuple[int, date, Level], row: Any) -> list[Difference]:
    """What the platform's total of the account says, and what the level adds up to."""
    account_id, day, _ = where
    total = (
        connection.execute(
            text(
                f"select {', '.join(MEASURES)} from reconciliations"
                " where account_id = :account_id and day = :day and level = 'account'"
            ),
            {"account_id": account_id, "day": day},
        )
        .mappings()
        .one_or_none()
    )
    cells = [(m, Decimal(total[m] if total else 0), Decimal(row[f"said_{m}"])) for m in MEASURES]
    differing = [cell for cell in cells if cell[1] != cell[2]]
    # The sums of a day can agree while a campaign's do not.
    return [Difference(*where, "unexplained", *cell) for cell in differing or cells[:1]]
