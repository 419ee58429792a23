from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ui import formats
from ui.i18n import language_of, speaking

SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def spoken(tag):
    language = language_of(tag)
    assert language is not None
    return speaking(language)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("9214.075", "EUR", "€9,214.08"),
        ("0", "EUR", "€0.00"),
        ("-12.4", "EUR", f"{MINUS}€12.40"),
        ("1200.4", "JPY", "JP¥1,200"),
        ("1.2345", "KWD", f"KWD{SPACE}1.235"),
    ],
)
def test_money_is_exact_with_the_currencys_own_digits(amount, currency, shown):
    assert formats.money(Decimal(amount), currency) == shown


def test_a_missing_amount_is_a_dash_and_not_a_zero():
    assert formats.money(None, "EUR") == formats.NONE
    assert formats.ratio(None) == formats.NONE
    assert formats.short_count(None) == formats.NONE


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("48207.31", "€48,207"),
        ("999999.4", "€999,999"),
        ("1234567", f"€1.23{SPACE}M"),
        ("-1234567", f"{MINUS}€1.23{SPACE}M"),
    ],
)
def test_a_kpi_has_no_needless_digits(amount, shown):
    assert formats.short_money(Decimal(amount), "EUR") == shown


def test_counts_are_shortened_from_a_million_on():
    assert formats.short_count(121_904) == "121,904"
    assert formats.short_count(9_412_345) == f"9.41{SPACE}M"
    assert formats.short_count(Decimal("2318.4")) == "2,318"


def test_fractional_conversions_keep_their_fraction_in_tables():
    assert formats.count(Decimal("12.345")) == "12.35"
    assert formats.count(Decimal("12.000")) == "12"


@pytest.mark.parametrize(
    ("value", "shown"), [("8.2", "+8.2"), ("-1.44", f"{MINUS}1.4"), ("0.01", "0.0"), ("1234.5", "+1,234.5")]
)
def test_a_change_says_its_direction(value, shown):
    assert formats.signed_percent(Decimal(value)) == f"{shown}{SPACE}%"


def test_german_visitors_see_german_separators_and_signs():
    with spoken("de-DE"):
        assert formats.money(Decimal("9214.08"), "EUR") == f"9.214,08{SPACE}€"
        assert formats.short_count(9_412_345) == f"9,41{SPACE}Mio."
        assert formats.day(date(2026, 10, 24)) == "24. Okt."


def test_american_visitors_see_american_dates():
    with spoken("en-US"):
        assert formats.day(date(2026, 10, 24)) == "Oct 24"


def test_a_moment_of_today_is_a_time_and_an_earlier_one_has_its_day():
    berlin, moment = ZoneInfo("Europe/Berlin"), datetime(2026, 11, 20, 8, 45, tzinfo=UTC)
    assert formats.moment(moment, berlin, date(2026, 11, 20)) == "09:45"
    assert formats.moment(moment, berlin, date(2026, 11, 21)) == "20 Nov, 09:45"


def test_a_moment_names_its_city_where_accounts_live_in_several_zones():
    moment = datetime(2026, 11, 20, 8, 45, tzinfo=UTC)
    assert formats.moment(moment, ZoneInfo("Asia/Kolkata"), date(2026, 11, 20), name_zone=True) == "14:15 (Kolkata)"


def test_days_name_their_years_only_where_these_differ():
    assert formats.days(date(2026, 10, 24), date(2026, 11, 20)) == f"24 Oct {formats.NONE} 20 Nov"
    assert formats.days(date(2025, 12, 30), date(2026, 1, 2)) == f"30 Dec 2025 {formats.NONE} 2 Jan 2026"
    assert formats.days(date(2026, 11, 20), date(2026, 11, 20)) == "20 Nov"
