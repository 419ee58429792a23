"""What an address of the audit page asks for, and in which words its events are told."""

from urllib.parse import parse_qs

import pytest

from adloom.audit.actions import ACTIONS
from adloom.identity.roles import ROLES
from adloom.identity.scopes import SCOPES
from ui import audit_words
from ui.components.fields import role_names, role_words
from ui.pages.keys import scope_texts
from ui.reads.audit import AuditParams


def test_days_are_utcs_and_both_are_included():
    asked = parse_qs(AuditParams.parse({"since": "2026-11-01", "until": "2026-11-30"}).query())
    assert asked == {"since": ["2026-11-01T00:00:00+00:00"], "until": ["2026-12-01T00:00:00+00:00"]}


def test_the_export_asks_for_the_same_and_for_all_of_it():
    wanted = AuditParams.parse({"action": "key.made", "before": "17"})
    assert parse_qs(wanted.query()) == {"action": ["key.made"], "before": ["17"]}
    assert parse_qs(wanted.query("jsonl")) == {"action": ["key.made"], "format": ["jsonl"]}


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday", "until": "2026-13-01"},
        {"before": "-1"},
        {"before": "9" * 30},
        {"before": "0"},
        {"text": "\0"},
        {"unknown": "x"},
    ],
)
def test_what_cannot_be_read_is_left_out(query):
    assert AuditParams.parse(query) == AuditParams()


def test_the_last_of_all_days_is_no_limit():
    assert AuditParams.parse({"until": "9999-12-31"}).query() == ""


def test_an_address_leads_back_to_the_same_search():
    wanted = AuditParams.parse({"actor": "a b&c", "text": "ü"})
    assert wanted.address() == "/settings/audit?actor=a+b%26c&text=%C3%BC"


def test_every_action_role_and_scope_has_words_of_its_own():
    told = {**audit_words.people(), **audit_words.access(), **audit_words.system()}
    assert set(told) == set(ACTIONS)
    assert set(role_names()) == set(role_words()) == set(ROLES)
    assert set(scope_texts()) == set(SCOPES)
