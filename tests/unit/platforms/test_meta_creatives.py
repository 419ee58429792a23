"""What people see of an ad is found wherever Meta puts it, and each text once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from adloom.platforms.meta.creatives import Seen, click_window_days, issue, labels, review, seen


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


NOTHING = msgspec.Raw()


@pytest.mark.parametrize(
    ("creative", "shown"),
    [
        (
            {"title": "Warm", "body": "Coats", "link_url": "https://a.example/", "image_url": "https://i.example/1"},
            Seen((("headline", "Warm"), ("primary_text", "Coats")), "https://a.example/", "https://i.example/1"),
        ),
        (
            {"object_story_spec": {"page_id": "1", "link_data": {
                "name": "Warm", "message": "Coats", "description": "Free", "caption": "a.example",
                "link": "https://a.example/", "picture": "https://i.example/2"}}},
            Seen((("headline", "Warm"), ("primary_text", "Coats"), ("description", "Free")), "https://a.example/",
                 "https://i.example/2"),
        ),
        (
            {"thumbnail_url": "https://i.example/s", "object_story_spec": {"video_data": {
                "video_id": "5", "title": "Warm", "message": "Coats", "link_description": "Free",
                "image_url": "https://i.example/3",
                "call_to_action": {"type": "SHOP_NOW", "value": {"link": "https://b.example/"}}}}},
            Seen((("headline", "Warm"), ("primary_text", "Coats"), ("description", "Free")), "https://b.example/",
                 "https://i.example/3"),
        ),
        (
            {"object_story_spec": {"photo_data": {"caption": "Look", "url": "https://i.example/4"}}},
            Seen((("primary_text", "Look"),), None, "https://i.example/4"),
        ),
        (
            {"object_story_spec": {"link_data": {"message": "Two", "child_attachments": [
                {"name": "A", "link": "https://a.example/1", "picture": "https://i.example/5"},
                {"name": "B", "description": "b", "link": "https://a.example/2"}]}}},
            Seen((("headline", "A"), ("headline", "B"), ("primary_text", "Two"), ("description", "b")),
                 "https://a.example/1", "https://i.example/5"),
        ),
        (
            {"title": "One", "body": "Coats", "asset_feed_spec": {
                "titles": [{"text": "One"}, {"text": "Two", "adlabels": []}], "bodies": [{"text": "Coats"}],
                "descriptions": [{"text": ""}], "link_urls": [{"website_url": "https://c.example/"}],
                "images": [{"hash": "h", "url": "https://i.example/6"}]}},
            Seen((("headline", "One"), ("headline", "Two"), ("primary_text", "Coats")), "https://c.example/",
                 "https://i.example/6"),
        ),
        ({"id": "1", "thumbnail_url": "https://i.example/s"}, Seen((), None, "https://i.example/s")),
        ({"id": "1"}, Seen()),
        (None, Seen()),
    ],
    ids=["plain", "link", "video", "photo", "carousel", "many texts", "picture alone", "empty", "null"],
)  # fmt: skip
def test_what_an_ad_shows(creative: Any, shown: Seen) -> None:
    assert seen(raw(creative), "41") == shown


@pytest.mark.parametrize("odd", [["list"], "text", {"title": 5}, {"object_story_spec": {"link_data": []}}])
def test_a_form_that_nobody_knows_shows_nothing_and_stops_nothing(odd: Any) -> None:
    assert seen(raw(odd), "41") == Seen()
    assert labels(raw(odd), "41") == ()


@pytest.mark.parametrize(
    ("status", "feedback", "issues", "said"),
    [
        ("ACTIVE", None, None, ("APPROVED", None)),
        ("CAMPAIGN_PAUSED", None, None, ("APPROVED", None)),
        ("PENDING_REVIEW", None, None, ("PENDING_REVIEW", None)),
        ("DISAPPROVED", {"global": {"CLAIMS": "Too good"}}, None, ("DISAPPROVED", "Too good")),
        ("DISAPPROVED", {"global": {"CLAIMS": ""}}, None, ("DISAPPROVED", "CLAIMS")),
        ("PAUSED", {"placement_specific": {"CLAIMS": "Too good"}}, None, ("DISAPPROVED", "Too good")),
        ("DISAPPROVED", {"global": {"A": "x"}, "instagram": {"A": "x", "B": "y"}}, None, ("DISAPPROVED", "x; y")),
        ("WITH_ISSUES", None, [{"error_summary": "Limited", "error_message": "Spends too slowly"}],
         ("WITH_ISSUES", "Spends too slowly")),
        ("DELETED", None, None, (None, None)),
        ("ARCHIVED", {"global": None}, [], (None, None)),
    ],
)  # fmt: skip
def test_what_the_review_says(status: str, feedback: Any, issues: Any, said: tuple[str | None, str | None]) -> None:
    assert review(status, raw(feedback), raw(issues), "41") == said


def test_what_is_wrong_with_a_campaign_is_told_once() -> None:
    assert issue(raw([{"error_summary": "No card"}, {"error_summary": "No card"}]), "21") == "No card"
    assert issue(NOTHING, "21") is None


def test_the_longest_window_after_a_click_counts() -> None:
    windows = [
        {"event_type": "CLICK_THROUGH", "window_days": 1},
        {"event_type": "CLICK_THROUGH", "window_days": 7},
        {"event_type": "VIEW_THROUGH", "window_days": 28},
    ]
    assert click_window_days(raw(windows), "31") == 7
    assert click_window_days(raw(windows[2:]), "31") is None
    assert click_window_days(NOTHING, "31") is None


def test_labels_are_told_by_name() -> None:
    assert labels(raw([{"id": "1", "name": "Sale"}, {"id": "2", "name": "Winter"}]), "21") == ("Sale", "Winter")
