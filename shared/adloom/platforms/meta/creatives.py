"""What people see of an ad, what its review says, and what it is labelled with, as Meta writes it.

https://developers.facebook.com/docs/marketing-api/reference/ad-creative
https://developers.facebook.com/docs/marketing-api/reference/ad-campaign-group/ad-review
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from adloom import logs

log = logs.get(__name__)

FIELDS = (
    "creative{title,body,link_url,object_url,image_url,thumbnail_url,object_story_spec,asset_feed_spec},"
    "ad_review_feedback"
)
_CLICK = "CLICK_THROUGH"
# What these say of an ad is the review's word, or Meta's on what else keeps it from running.
_HELD_BACK = frozenset(
    {"DISAPPROVED", "PENDING_REVIEW", "PREAPPROVED", "PENDING_BILLING_INFO", "WITH_ISSUES", "IN_PROCESS"}
)
_MAY_RUN = frozenset({"ACTIVE", "PAUSED", "CAMPAIGN_PAUSED", "ADSET_PAUSED"})

T = TypeVar("T")


class _Text(msgspec.Struct):
    text: str | None = None


class _Link(msgspec.Struct):
    website_url: str | None = None


class _Image(msgspec.Struct):
    url: str | None = None


class _Assets(msgspec.Struct):
    titles: list[_Text] = []
    bodies: list[_Text] = []
    descriptions: list[_Text] = []
    link_urls: list[_Link] = []
    images: list[_Image] = []


class _Target(msgspec.Struct):
    link: str | None = None


class _Action(msgspec.Struct):
    value: _Target | None = None


class _Card(msgspec.Struct):
    """A card of a carousel."""

    name: str | None = None
    description: str | None = None
    link: str | None = None
    picture: str | None = None


class _Story(msgspec.Struct):
    """A post with a link, a video, a photo or a catalogue; each names its parts in its own way."""

    name: str | None = None
    title: str | None = None
    message: str | None = None
    caption: str | None = None
    description: str | None = None
    link_description: str | None = None
    link: str | None = None
    picture: str | None = None
    image_url: str | None = None
    url: str | None = None
    call_to_action: _Action | None = None
    child_attachments: list[_Card] = []


class _StorySpec(msgspec.Struct):
    link_data: _Story | None = None
    video_data: _Story | None = None
    photo_data: _Story | None = None
    template_data: _Story | None = None


class _Creative(msgspec.Struct):
    title: str | None = None
    body: str | None = None
    link_url: str | None = None
    object_url: str | None = None
    image_url: str | None = None
    thumbnail_url: str | None = None
    object_story_spec: _StorySpec | None = None
    asset_feed_spec: _Assets | None = None


class _Label(msgspec.Struct):
    name: str


class _Issue(msgspec.Struct):
    error_summary: str = ""
    error_message: str = ""


class _Window(msgspec.Struct):
    event_type: str
    window_days: int


@dataclass(frozen=True)
class Seen:
    """What people see: texts by field, and the first page and image."""

    texts: tuple[tuple[str, str], ...] = ()
    final_url: str | None = None
    image_url: str | None = None


_creative = msgspec.json.Decoder(_Creative | None)
_labels = msgspec.json.Decoder(list[_Label] | None)
_feedback = msgspec.json.Decoder(dict[str, dict[str, str] | None] | None)
_issues = msgspec.json.Decoder(list[_Issue] | None)
_windows = msgspec.json.Decoder(list[_Window] | None)


def seen(raw: msgspec.Raw, ad_id: str) -> Seen:
    """What an ad's raw creative shows."""
    creative = _read(_creative, raw, ad_id)
    if creative is None:
        return Seen()
    spec = creative.object_story_spec or _StorySpec()
    stories = [story for story in (spec.link_data, spec.video_data, spec.template_data, spec.photo_data) if story]
    assets = creative.asset_feed_spec or _Assets()
    # An ad with many texts has each twice: the first ones are also those of the creative itself.
    texts = dict.fromkeys((field, text) for field, text in _texts(creative, stories, assets) if text)
    return Seen(tuple(texts), _first(_pages(creative, stories, assets)), _first(_images(creative, stories, assets)))


def _texts(creative: _Creative, stories: list[_Story], assets: _Assets) -> Iterator[tuple[str, str | None]]:
    cards = [card for story in stories for card in story.child_attachments]
    for text in assets.titles:
        yield "headline", text.text
    for story in stories:
        yield "headline", story.name or story.title
    yield "headline", creative.title
    for card in cards:
        yield "headline", card.name
    for text in assets.bodies:
        yield "primary_text", text.text
    for story in stories:
        yield "primary_text", story.message or (story.caption if story.url else None)
    yield "primary_text", creative.body
    for text in assets.descriptions:
        yield "description", text.text
    for story in stories:
        yield "description", story.description or story.link_description
    for card in cards:
        yield "description", card.description


def _pages(creative: _Creative, stories: list[_Story], assets: _Assets) -> Iterator[str | None]:
    yield from (link.website_url for link in assets.link_urls)
    for story in stories:
        yield story.link
        if story.call_to_action and story.call_to_action.value:
            yield story.call_to_action.value.link
        yield from (card.link for card in story.child_attachments)
    yield creative.link_url
    yield creative.object_url


def _images(creative: _Creative, stories: list[_Story], assets: _Assets) -> Iterator[str | None]:
    yield creative.image_url
    for story in stories:
        yield from (story.picture, story.image_url, story.url)
        yield from (card.picture for card in story.child_attachments)
    yield from (image.url for image in assets.images)
    # A few pixels wide, and the last resort.
    yield creative.thumbnail_url


def labels(raw: msgspec.Raw, object_id: str) -> tuple[str, ...]:
    """The names of an object's raw labels."""
    return tuple(label.name for label in _read(_labels, raw, object_id) or ())


def review(
    effective_status: str, feedback: msgspec.Raw, issues: msgspec.Raw, ad_id: str
) -> tuple[str | None, str | None]:
    """Meta's word on whether an ad may run, and why not; None for what was taken away and held back by nothing."""
    said = _read(_feedback, feedback, ad_id) or {}
    # By policy; the same is said again for each place where the ad may not be shown.
    reasons = dict.fromkeys(why or policy for found in said.values() for policy, why in (found or {}).items())
    if effective_status in _HELD_BACK:
        status: str | None = effective_status
    elif reasons:
        status = "DISAPPROVED"
    else:
        status = "APPROVED" if effective_status in _MAY_RUN else None
    return status, "; ".join(reasons) or issue(issues, ad_id)


def issue(raw: msgspec.Raw, object_id: str) -> str | None:
    """What keeps an object from running as its raw `issues_info` has it."""
    found = [one.error_message or one.error_summary for one in _read(_issues, raw, object_id) or ()]
    return "; ".join(dict.fromkeys(text for text in found if text)) or None


def click_window_days(raw: msgspec.Raw, object_id: str) -> int | None:
    """The days after a click in which an ad set counts conversions, from its raw `attribution_spec`."""
    found = _read(_windows, raw, object_id) or ()
    return max((window.window_days for window in found if window.event_type == _CLICK), default=None)


def _first(found: Iterator[str | None]) -> str | None:
    return next((one for one in found if one), None)


def _read(decoder: msgspec.json.Decoder[T | None], raw: msgspec.Raw, object_id: str) -> T | None:
    """Details of a form that we do not know are left out, and told of: they keep nothing else from being read."""
    if not raw:
        return None
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError as fault:
        log.warning("meta_details_left_out", object=object_id, reason=str(fault))
        return None
