"""What the pages say of connections, of platforms' errors and of differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from adloom.connections.standing import Standing, Trouble
from adloom.connections.store import Connected
from adloom.errors import Actor
from adloom.metrics import reconcile
from adloom.platforms import scopes
from adloom.platforms.advice_causes import CAUSES
from ui import platform_words
from ui.components.ledger import explanations
from ui.deeds.words import refusal, unavailable
from ui.gateway import Answer
from ui.i18n import _, language_for, speaking
from ui.standing import shown

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MADE = Connected(
    connection_id=uuid4(), platform="meta", external_user_id="7", name="Mira", status="active", token_kind="user",
    scopes=["ads_read", "business_management"], token_expires_at=None, broken_code=None, broken_reason=None,
    broken_detail=None, broken_at=None, revoked_at=None, connected_at=NOW, refreshed_at=None, refresh_error=None,
    discovered_at=None, account_choice="all", chosen_at=None, extras=[],
)  # fmt: skip


def standing(code: str = "", *, counts: dict[str, Any] | None = None, **columns: Any) -> Standing:
    trouble = Trouble(code, Actor.USER, "reconnect", "said", "in English") if code else None
    known = {"found": 3, "chosen": 3, "in_trouble": 0} | (counts or {})
    return Standing(replace(MADE, **columns), (), last_synced_at=NOW, is_replaced=False, trouble=trouble, **known)


@pytest.mark.parametrize(
    ("item", "mood", "words", "verb"),
    [
        (standing(), "ok", "works", ""),
        (standing(counts={"chosen": 0}), "idle", "no account is synced", ""),
        (standing(status="revoked"), "idle", "disconnected", ""),
        (replace(standing(status="broken"), is_replaced=True), "idle", "replaced", ""),
        (standing("connection_broken", status="broken", broken_code="190/463"), "bad", "access ended", "reconnect"),
        (standing("scopes_missing", scopes=[]), "warn", "a right is missing", "reconnect"),
        (standing("accounts_to_choose"), "warn", "choose accounts", "choose"),
        (standing("accounts_to_choose", counts={"found": 0}), "warn", "choose accounts", "choose"),
        (standing("access_ending", token_expires_at=NOW + timedelta(days=3, hours=1)), "warn", "ends in 3 days",
         "reconnect"),
        (standing("access_ending", token_expires_at=NOW + timedelta(hours=3)), "warn", "ends today", "reconnect"),
        (standing("access_ending", token_expires_at=NOW), "bad", "access ended", "reconnect"),
        (standing(counts={"in_trouble": 2}), "warn", "2 accounts cannot be synced", "look"),
    ],
)  # fmt: skip
def test_a_connection_says_how_it_is_and_has_one_button(item: Standing, mood: str, words: str, verb: str) -> None:
    found = shown(item, NOW)
    assert (found.mood, found.words, found.verb) == (mood, words, verb)
    assert found.needs_somebody == bool(verb)
    assert bool(found.step) == bool(verb)


def test_what_is_missing_is_named() -> None:
    found = shown(standing("scopes_missing", scopes=["public_profile"], extras=["leads"]), NOW)
    assert "Read campaigns, ads and their numbers, Receive leads of forms" in found.step


def test_words_are_in_the_visitors_language() -> None:
    with speaking(language_for("de", None)):
        found = shown(standing("connection_broken", status="broken", broken_code="190/463"), NOW)
    assert found.happened == (
        "Der Zugang zu Meta ist abgelaufen. Seine 3 Werbekonten stehen still; alle anderen gehen weiter."
    )


def test_an_access_that_ended_says_which_accounts_stand_still() -> None:
    ended = {"status": "broken", "broken_code": "190/463"}
    one = shown(standing("connection_broken", counts={"chosen": 1}, **ended), NOW)
    none = shown(standing("connection_broken", counts={"chosen": 0}, **ended), NOW)
    assert one.happened == f"{none.happened} Its ad account stands still; all others go on."


def test_every_cause_is_translated() -> None:
    with speaking(language_for("de", None)):
        for _acts, _remedy, happened, step in CAUSES.values():
            for text in (happened, step):
                assert _(text) != text


@pytest.mark.parametrize("platform", platform_words.PLATFORMS)
def test_rights_that_are_shown_as_missing_are_those_that_are_asked_for_again(platform: str) -> None:
    extras = ["leads"] if platform == "meta" else []
    cases: tuple[list[str], ...] = (
        [],
        ["ads_read"],
        ["4"],
        ["2", "4"],
        [*scopes.META_LEADS, "ads_read"],
        ["ads_management", "leads_retrieval"],
        ["https://www.googleapis.com/auth/adwords"],
    )
    for given in cases:
        for asked in ([], extras):
            lacks = {right.words for right in platform_words.missing(platform, given, asked)}
            assert bool(lacks) == bool(scopes.missing(platform, given, asked))


def test_every_explanation_of_a_difference_has_words() -> None:
    named = {value for name, value in vars(reconcile).items() if name.isupper() and isinstance(value, str)}
    codes = {value for value in named if value.islower() and " " not in value} | {
        *reconcile.DELIVERY_WITHOUT_ROWS.values()
    }
    assert codes >= {"no_account_row", "delivery_without_ad_rows"}
    assert codes <= set(explanations("google"))


def test_what_a_platform_refuses_is_said_as_on_the_pages() -> None:
    refused = Answer(409, {"code": "platform_not_set_up", "detail": "in English, for operators"})
    assert refusal(refused, "google").words.startswith("This installation has no app at Google Ads yet.")
    assert refusal(Answer(502, {"code": "platform_transient"}), "meta").words.startswith("Meta had a passing fault.")
    assert refusal(refused).words == "in English, for operators"
    assert refusal(Answer(503, {"code": "unavailable"}), "meta").words == unavailable()
