"""Amounts in a reporting currency: each row at the rate of its own local day, so that both sides of a ratio are.

A day without a rate takes the last one before it. An amount whose currency has no rate stays in its own currency, on a
line of its own.
"""

from __future__ import annotations

MONEY = frozenset({"spend", "conversion_value"})
# Rates have five or six digits: more would only look exact.
_DIGITS = 6

# Euros per unit of both currencies on every day of the periods; `accounts` are the accounts of the query.
EXCHANGE = """
select s.day, s.currency, s.per_eur as source, t.per_eur as target
  from exchange_rates((select array_agg(distinct currency) from {accounts}), :first, :last, :rates_as_of) s
  join exchange_rates(array[cast(:currency as text)], :first, :last, :rates_as_of) t on t.day = s.day
 where s.currency <> :currency
"""
JOIN = "left join exchange x on x.day = m.day and x.currency = a.currency"
CURRENCY = "case when x.day is not null then :currency else a.currency end"


def summed(measure: str, *, is_converted: bool) -> str:
    """The sum of a measure over rows `m`, in the row's currency."""
    if not is_converted or measure not in MONEY:
        return f"sum(m.{measure})"
    amount = f"case when x.day is null then m.{measure} else m.{measure} * x.target / x.source end"
    return f"trim_scale(round(sum({amount}), {_DIGITS}))"


def idle_currency(alias: str) -> str:
    """The currency of the line on which an entity without delivery stands."""
    has_rate = f"exists (select from exchange x where x.currency = {alias}.currency and x.day = :until)"
    return f"case when {has_rate} then :currency else {alias}.currency end"
