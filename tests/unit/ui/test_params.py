from datetime import date

import pytest

from ui.params import Params, parse

TODAY = date(2026, 11, 20)


def test_an_empty_address_is_the_default_without_notes():
    assert parse({}) == (Params(), [])


def test_an_address_survives_being_read_and_written():
    address = "/campaigns?range=7d&account=12&sort=roas&dir=asc&q=brand&page=3"
    query = dict(pair.split("=") for pair in address.split("?")[1].split("&"))
    params, notes = parse(query)
    assert params.address("/campaigns") == address
    assert notes == []


def test_what_is_as_by_default_is_left_out_of_the_address():
    assert Params().address("/") == "/"


def test_a_custom_range_is_in_the_address():
    params, notes = parse({"from": "2026-10-03", "to": "2026-10-09"})
    assert (params.since, params.until, notes) == (date(2026, 10, 3), date(2026, 10, 9), [])
    assert params.address("/") == "/?from=2026-10-03&to=2026-10-09"


@pytest.mark.parametrize(
    "query",
    [
        {"range": "forever"},
        {"from": "2026-13-01", "to": "2026-10-09"},
        {"from": "2026-10-09", "to": "2026-10-03"},
        {"from": "2026-10-09"},
        {"from": "0001-01-01", "to": "9999-12-31"},
        {"account": "x"},
        {"account": "-1"},
        {"account": "0"},
        {"account": "99999999999999999999999999"},
        {"account": "\u0661"},
        {"page": "0"},
        {"page": "1e3"},
        {"metric": "profit"},
        {"sort": "spend; drop table metrics"},
        {"dir": "sideways"},
        {"level": "account"},
    ],
)
def test_a_value_that_cannot_be_understood_becomes_the_default_with_a_note(query):
    params, notes = parse(query)
    assert params == Params()
    assert len(notes) == 1


@pytest.mark.parametrize("currency", ["EURO", "12", "<b>", "\u00e4\u00f6\u00fc"])
def test_a_currency_that_is_none_is_left_out(currency):
    assert parse({"currency": currency})[0].currency is None


def test_a_change_of_what_is_listed_starts_at_the_first_page():
    assert Params(page=7).but(sort="clicks").page == 1
    assert Params(page=7).but(page=8).page == 8


def test_a_search_is_cut_and_has_no_zero_bytes():
    params, _notes = parse({"q": "\0" + "x" * 900})
    assert params.search == "x" * 200


def test_only_range_and_account_go_along_to_another_page():
    params = Params(range="7d", account=3, sort="roas", search="brand", page=4, metric="clicks")
    assert params.shared() == Params(range="7d", account=3)
