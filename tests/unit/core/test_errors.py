from __future__ import annotations

import inspect
from datetime import UTC, datetime

from adloom import errors


def tree() -> list[type[errors.AdloomError]]:
    found = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, errors.AdloomError)]
    return sorted(found, key=lambda item: item.__name__)


def test_the_tree_at_the_top_of_the_module_names_every_error():
    drawn = set((errors.__doc__ or "").split())
    assert {error.__name__ for error in tree()} <= drawn


def test_every_error_has_a_code_of_its_own():
    codes = [error.code for error in tree()]
    assert len(codes) == len(set(codes))


def test_an_error_says_what_to_do_by_attributes():
    broken = errors.ConnectionBroken(platform_code="190/463")
    assert (broken.retryable, broken.acts, broken.platform_code) == (False, errors.Actor.USER, "190/463")
    later = datetime(2026, 1, 1, tzinfo=UTC)
    throttled = errors.PlatformThrottled(scope="app", retry_at=later)
    assert (throttled.retryable, throttled.scope, throttled.retry_at) == (True, "app", later)


def test_an_error_without_a_sentence_has_its_title():
    assert str(errors.NotFound()) == errors.NotFound.title
